# ruff: noqa: E501 (a sentence a line)
"""Sentences that people write, in English and French, some with personal data in the middle."""

from __future__ import annotations

from random import Random

from seed.estate.content import values
from seed.estate.content.people import Customer

TICKETS = {
    "en": (
        (
            "Cannot sign in",
            "Hello, since yesterday I cannot sign in. My account is under {email}, please call me back at {phone}. Thanks, {name}",
        ),
        (
            "Wrong address on invoice",
            "The invoice still shows my old address. I live at {street}, {city} {postal} now. Could you send it again to {email}?",
        ),
        (
            "Deployment fails",
            "Our build stops with exit code 137 after the upgrade to 10.2.3.4. Nothing changed on our side. Regards, {name}",
        ),
        (
            "Question about limits",
            "How many domains may one project have, and is there a way to raise the limit for a short campaign?",
        ),
        (
            "Card refused",
            "My card {card} was refused twice although it is valid until next year. You can reach me at {phone}.",
        ),
        (
            "Suspicious traffic",
            "We see hundreds of requests from {ip} on our login page. Could you block it? Contact: {email}",
        ),
    ),
    "fr": (
        (
            "Impossible de me connecter",
            "Bonjour, depuis hier je n'arrive plus à me connecter. Mon compte est au nom de {name}, courriel {email}. Merci de me rappeler au {phone}.",
        ),
        (
            "Changement d'adresse",
            "J'ai déménagé au {street}, {city} ({postal}). Pouvez-vous corriger la facture et l'envoyer à {email}? Cordialement, {name}",
        ),
        (
            "Déploiement en échec",
            "La compilation s'arrête avec le code 137 depuis la mise à niveau vers 10.2.3.4. Rien n'a changé de notre côté.",
        ),
        (
            "Vérification d'identité",
            "Votre formulaire refuse mon numéro d'assurance sociale, le {sin}. Que dois-je faire? Vous pouvez me joindre au {phone}.",
        ),
        (
            "Question sur les forfaits",
            "Est-ce que le forfait Équipe comprend les sauvegardes quotidiennes et un environnement de préproduction?",
        ),
        ("Retrait du consentement", "Je ne veux plus recevoir l'infolettre à l'adresse {email}. Merci, {name}"),
    ),
}
REPLIES = {
    "en": (
        "Thank you for writing. I have changed the address to {email}; tell me if anything is amiss.",
        "We have restarted the build. It should be fine now.",
        "I tried to call {phone} but nobody answered. When is a good time, {first}?",
    ),
    "fr": (
        "Merci de nous avoir écrit, {first}. L'adresse est maintenant {email}.",
        "Nous avons relancé la compilation, tout devrait être rétabli.",
        "J'ai tenté de vous joindre au {phone}, sans succès. Quel serait le bon moment?",
    ),
}
SURVEYS = {
    "en": ("Quick and friendly.", "Took three days.", "Please write to {email} next time.", "All good", None),
    "fr": ("Rapide et courtois.", "Trois jours d'attente!", "Écrivez-moi plutôt à {email}.", "Très bien", None),
}
CALLS = {
    "en": ("{name} asked for a refund of the last invoice.", "Caller wanted the status page explained.", None),
    "fr": ("{name} demande le remboursement de la dernière facture.", "Question sur la page d'état.", None),
}
INVITATIONS = {
    "en": ("Hi, this is {name}, join our project please.", None),
    "fr": ("Bonjour, c'est {name}, joins-toi à notre projet.", None),
}
REMARKS = ("Joindre de préférence le matin.", "Cellulaire de garde : {phone}", "Remplace {name} en juillet.", None)
PRIVACY = {
    "access": (
        "I ask for a copy of all data that you hold about me, {name}, born {born}.",
        "Je demande une copie de tous mes renseignements. {name}, né(e) le {born}.",
    ),
    "deletion": (
        "Please delete my account {email} and all its data.",
        "Veuillez supprimer mon compte {email} et ses données.",
    ),
    "correction": ("My address is now {street}, {city}.", "Mon adresse est maintenant {street}, {city}."),
}
LEAVES = (
    ("maladie", "Arrêt de travail prescrit, billet du médecin remis."),
    ("vacances", None),
    ("parental", "Parental leave, return planned in spring."),
    ("maladie", "Surgery on the knee, remote work afterwards."),
    ("vacances", "Vacances d'été"),
)


def fill(random: Random, template: str | None, customer: Customer) -> str | None:
    """`template` with the person's own data in its places; None stays None."""
    if template is None:
        return None
    person = customer.person
    return template.format(
        name=person.full_name,
        first=person.first_name,
        email=person.email,
        phone=person.phone,
        street=person.address.line_1,
        city=person.address.city,
        postal=person.address.postal_code,
        born=person.born.isoformat(),
        ip=values.ip_address(random),
        sin=values.social_insurance_number(random),
        card=values.card_number(random),
    )
