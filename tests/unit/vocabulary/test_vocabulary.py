import re

import pytest
from fideslang.default_taxonomy import DEFAULT_TAXONOMY

from inventory.errors import ConfigError
from inventory.vocabulary import (
    VOCABULARIES,
    Vocabulary,
    categories,
    is_personal,
    is_sensitive,
    purposes,
    regions,
    rights,
    roles,
    safeguards,
    service_classes,
    subjects,
)
from inventory.vocabulary.terms import _parse

FIDESLANG = [
    (categories, DEFAULT_TAXONOMY.data_category),
    (subjects, DEFAULT_TAXONOMY.data_subject),
    (purposes, DEFAULT_TAXONOMY.data_use),
]


@pytest.mark.parametrize("load,standard", FIDESLANG, ids=["categories", "subjects", "purposes"])
def test_keys_are_fideslangs_or_marked_as_extending_it(load, standard):
    known = {str(entry.fides_key) for entry in standard}
    assert {term.key for term in load() if not term.extends} <= known
    assert not {term.key for term in load() if term.extends} & known


@pytest.mark.parametrize("load,standard", FIDESLANG, ids=["categories", "subjects", "purposes"])
def test_no_fideslang_key_is_left_out(load, standard):
    # user.user_sensor is fideslang's deprecated twin of user.sensor.
    known = {str(entry.fides_key) for entry in standard} - {"user.user_sensor"}
    assert known <= {term.key for term in load()}


@pytest.mark.parametrize("load", VOCABULARIES, ids=lambda load: load.__name__)
def test_every_term_is_named_in_both_languages_and_maps_to_a_dpv_namespace(load):
    for term in load():
        assert term.name.strip(), term.key
        assert term.name_fr.strip(), term.key
        assert re.fullmatch(r"((dpv|dpv-pd|eu-gdpr|loc):[\w-]+)?", term.dpv), term.key


@pytest.mark.parametrize("load", VOCABULARIES, ids=lambda load: load.__name__)
def test_every_term_reaches_the_top_and_is_below_what_is_above_it(load):
    vocabulary: Vocabulary = load()
    for term in vocabulary:
        for above in vocabulary.ancestors(term.key):
            assert term in vocabulary.descendants(above.key)
        top = (vocabulary.ancestors(term.key) or (term,))[-1]
        assert vocabulary.parent(top.key) is None


def test_family_of_a_category():
    assert categories().parent("user.contact.email") == categories().term("user.contact")
    assert [term.key for term in categories().ancestors("user.contact.address.city")] == [
        "user.contact.address",
        "user.contact",
        "user",
    ]
    assert [term.key for term in categories().descendants("user.name")] == ["user.name.first", "user.name.last"]
    assert categories().parent("user") is None


def test_a_prefix_that_is_no_parent_has_no_descendants():
    keys = [term.key for term in categories().descendants("user.device.cookie")]
    assert "user.device.cookie_id" not in keys


def test_regions_know_their_country_and_roles_have_none_above():
    parent = regions().parent("CA-QC")
    assert parent is not None
    assert (parent.key, parent.name_fr) == ("CA", "Canada")
    assert len(regions().descendants("CA")) == 13
    assert len(regions().descendants("US")) == 51
    assert regions().term("NO").name == "Norway"
    assert roles().parent("sub-processor") is None
    assert roles().descendants("processor") == ()


def test_an_extending_key_maps_to_the_nearest_fideslang_key():
    assert categories().fideslang("user.contact.email") == "user.contact.email"
    sin = "user.government_id.national_identification_number.sin"
    assert categories().fideslang(sin) == "user.government_id.national_identification_number"
    assert safeguards().fideslang("mfa") == ""


def test_personal_and_sensitive():
    assert is_personal("user.contact.email")
    assert not is_personal("system.operations")
    assert is_sensitive("user.government_id")
    assert not is_sensitive("user.contact.email")


def test_an_unknown_key_names_the_place_and_the_nearest_keys():
    with pytest.raises(ConfigError) as caught:
        categories().term("user.contact.emial", where="policy.yaml: clauses.2.2")
    assert str(caught.value).startswith("policy.yaml: clauses.2.2: 'user.contact.emial' is not a known category")
    assert "user.contact.email" in str(caught.value)
    with pytest.raises(ConfigError, match="not a known category"):
        is_sensitive("nothing")


def test_the_policys_terms_are_there():
    for key in ("encryption_in_transit", "encryption_at_rest", "vulnerability_assessment", "patching"):
        assert key in safeguards()
    for key in ("firewall", "intrusion_detection", "mfa", "rbac"):
        assert key in safeguards()
    for key in ("payment_gateway", "accounting", "identity_verification", "access_verification", "observability"):
        assert key in service_classes()
    assert {term.key for term in rights()} == {"access", "rectification", "erasure", "withdraw_consent", "challenge"}


@pytest.mark.parametrize(
    "text,cause",
    [
        ("- {key: a, name: A, name_fr: A}\n- {key: a, name: B, name_fr: B}", "more than once"),
        ("- {key: a.b, name: A, name_fr: A}", "the term above is missing"),
        ("- {key: a, name: A, name_fr: A, colour: red}", "Unexpected keyword argument"),
        ("- {key: a, name: A}", "Field required|Missing"),
        ("- {key: a, name: A, name_fr: A, personal: 'no'}", "boolean"),
        ("- {", "not valid YAML"),
        ("key: a", "list"),
    ],
)
def test_a_malformed_file_is_one_clear_line(text, cause):
    with pytest.raises(ConfigError, match=cause) as caught:
        _parse("categories", text, "categories.yaml")
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith("categories.yaml")
