"""What files of settings say of outside organisations: variables, endpoints, images, providers, policies, scripts.

Files are read line by line and not by their grammars: templates of them (Helm, Jinja, ERB) are read as well, and no
document can be a bomb. Of a value only the host is taken.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from fnmatch import fnmatch

from scanners.recipients.catalogue import of_env, of_host, of_package
from scanners.recipients.endpoints import endpoint_hosts, names_endpoint
from scanners.recipients.organisation import Ecosystem
from scanners.recipients.sightings import Sign

_SETTINGS = (
    ".env", ".env.*", "*.env", "env.example", "*.yaml", "*.yml", "*.yaml.*", "*.yml.*", "*.tf", "*.tfvars", "*.hcl",
    "*.properties", "*.ini", "*.cfg", "*.conf", "*.conf.*", "*.toml", "Dockerfile*", "*.Dockerfile", "Procfile",
    "_headers", "app.json", "appsettings*.json", "vercel.json", "firebase.json",
)  # fmt: skip
_PAGES = ("*.html", "*.htm", "*.html.*", "*.ejs", "*.hbs", "*.twig", "*.liquid", "*.jinja*", "*.j2", "*.erb", "*.vue")
_NONE_OF_THESE = ("pnpm-lock.yaml", "*lock.json", "*.lock", "mkdocs.yml", "*.lock.toml", "mkdocs.yaml")

_SETTING = re.compile(
    r"""^\s*(?:-\s+)?(?:export\s+|ENV\s+|ARG\s+|set\s+)?["']?([A-Za-z][\w.-]{1,80})["']?\s*(?:=>|[=:])\s*(.*)$"""
)
_NAME_OF_VALUE = re.compile(r"""^\s*(?:-\s+)?["']?name["']?\s*:\s*["']?([A-Z][A-Z0-9_]{2,80})["']?\s*,?\s*$""")
_VARIABLE = re.compile(r"[A-Z][A-Z0-9_]{2,}")
_IMAGE = re.compile(r"""^[ \t]*(?:-[ \t]+)?(?:image["']?\s*[:=]|FROM)\s*["']?([\w./-]+)""", re.MULTILINE)
_ACTION = re.compile(r"""^[ \t]*(?:-[ \t]+)?uses:\s*["']?([\w.-]+/[\w.-]+)""", re.MULTILINE)
_SOURCE = re.compile(r'(?:^|[{\s])source\s*=\s*"([\w.-]+(?:/[\w.-]+){1,2})"', re.MULTILINE)
_PROVIDER = re.compile(r'^[ \t]*(?:provider\s+"([\w-]+)"|(?:resource|data)\s+"([a-z0-9-]+)_[\w-]+")', re.MULTILINE)
_DIRECTIVE = re.compile(
    r"\b((?:default|script|connect|img|font|style|frame|media|worker|child|object|manifest)-src(?:-elem|-attr)?"
    r"|form-action|report-uri)\s+([^;\"\n]+)"
)
_TAG = re.compile(
    r"""<(script|iframe|img|form|link|embed|source)\b[^<>]{0,2000}?\b(?:src|href|action)\s*=\s*["']?(?:https?:)?//([\w.-]+)""",
    re.IGNORECASE,
)
_LINK = re.compile(
    r"""<link\b[^<>]{0,2000}?\brel\s*=\s*["']?(?:stylesheet|preconnect|preload|dns-prefetch|modulepreload)""",
    re.IGNORECASE,
)
_QUOTED_URL = re.compile(r"""["'`](?:https?:)?//([\w.-]+)""")


def is_settings(path: str) -> bool:
    """Whether a file of that name is read for settings."""
    name = path.rpartition("/")[2]
    return any(fnmatch(name, each) for each in (*_SETTINGS, *_PAGES)) and not any(
        fnmatch(name, each) for each in _NONE_OF_THESE
    )


def settings_signs(path: str, text: str, own_domains: tuple[str, ...]) -> Iterator[Sign]:
    """What a file of settings says of outside organisations."""
    name = path.rpartition("/")[2]
    if any(fnmatch(name, each) for each in _PAGES):
        yield from _of_page(text, own_domains)
    else:
        yield from _of_lines(text, own_domains)
        yield from _of_names("runs the image", "image", _IMAGE.findall(text))
        if name.endswith((".yml", ".yaml")):
            yield from _of_names("runs the action", "action", _ACTION.findall(text))
        if name.endswith((".tf", ".hcl")):
            yield from _of_terraform(text)
    yield from _of_policy(text, own_domains)


def _of_lines(text: str, own_domains: tuple[str, ...]) -> Iterator[Sign]:
    """Variables that are an organisation's, and hosts in the values of settings that say where something is sent."""
    named = ""
    for line in text.splitlines():
        if len(line) > 4096 or line.lstrip().startswith(("#", "//", ";")):
            continue
        found = _NAME_OF_VALUE.match(line)
        if found is not None:  # Kubernetes has a variable's name and its value in two lines
            named = found[1]
            yield from _of_variable(named)
            continue
        found = _SETTING.match(line)
        if found is None:
            continue
        name, value = found[1], found[2]
        if name == "value" and named:
            name = named
        elif _VARIABLE.fullmatch(name):
            yield from _of_variable(name)
        inner = re.match(r"""["']?([A-Z][A-Z0-9_]{2,80})=(.*)""", value)  # a list of NAME=value under one key
        if inner is not None:
            name, value = inner[1], inner[2]
            yield from _of_variable(name)
        if names_endpoint(name):
            for host in endpoint_hosts(value.split(" #")[0].rstrip(", ")):
                yield from _of_host(host, f"{name} names a host of {{}}", own_domains)


def _of_variable(name: str) -> Iterator[Sign]:
    recipient = of_env(name)
    if recipient is not None:
        yield Sign(recipient, f"{name} is a setting of {recipient.name}", 0.7)


def _of_host(host: str, phrase: str, own_domains: tuple[str, ...]) -> Iterator[Sign]:
    recipient = of_host(host, own_domains)
    if recipient is not None:
        yield Sign(recipient, phrase.format(recipient.named_by(host)), 0.9 if recipient.known else 0.7)


def _of_names(phrase: str, ecosystem: Ecosystem, names: Iterable[str]) -> Iterator[Sign]:
    for name in names:
        recipient = of_package(ecosystem, name)
        if recipient is not None:
            yield Sign(recipient, f"{phrase} {name}", 0.8)


def _of_terraform(text: str) -> Iterator[Sign]:
    sources = dict.fromkeys("/".join(source.split("/")[-2:]) for source in _SOURCE.findall(text))
    types = {source.rpartition("/")[2] for source in sources}
    used = dict.fromkeys(provider or resource for provider, resource in _PROVIDER.findall(text))
    needed = [*sources, *(name for name in used if name not in types)]
    yield from _of_names("needs the Terraform provider", "terraform", needed)


def _of_policy(text: str, own_domains: tuple[str, ...]) -> Iterator[Sign]:
    """Hosts that a content security policy allows (W3C CSP Level 3, 6.1)."""
    if "content-security-policy" not in text.lower():
        return
    for directive, sources in _DIRECTIVE.findall(text):
        for source in sources.split():
            host = re.sub(r"^(?:[a-z]+:)?//", "", source.strip("'\"")).split("/")[0].split(":")[0]
            if "." in host:
                yield from _of_host(host, f"the content security policy allows {{}} ({directive})", own_domains)


def _of_page(text: str, own_domains: tuple[str, ...]) -> Iterator[Sign]:
    """Hosts that a page loads scripts, frames, styles and pictures from, or sends forms to."""
    for found in _TAG.finditer(text):
        tag, host = found[1].lower(), found[2]
        if tag != "link" or _LINK.match(text, found.start()):
            yield from _of_host(host, f"a page's {tag} is at {{}}", own_domains)
    for script in _inline_scripts(text):
        for host in _QUOTED_URL.findall(script):
            recipient = of_host(host, own_domains)
            if recipient is not None and recipient.known:
                yield Sign(recipient, f"a page's script names {recipient.named_by(host)}", 0.8)


def _inline_scripts(text: str) -> Iterator[str]:
    lowered = text.lower()
    start = lowered.find("<script")
    while start >= 0:
        end = lowered.find("</script", start)
        if end < 0:
            return
        yield text[start:end]
        start = lowered.find("<script", end)
