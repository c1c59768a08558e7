"""Whom the files of a repository name."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inventory.errors import SourceError
from inventory.model import Aspect, Covered, DatasetSeen, DisclosureSeen, Finding, Provenance
from scanners.recipients.endpoints import endpoint_hosts, names_endpoint
from scanners.recipients.manifests import Malformed, reader_of
from scanners.recipients.settings_files import settings_signs


def named(seen):
    return {
        (each.source.removeprefix("repository://code/"), each.processor, each.provenance.value): each.evidence
        for each in seen
        if isinstance(each, DisclosureSeen)
    }


GRADLE = (
    'dependencies {\n  implementation("com.stripe:stripe-java:28.0.0")\n  implementation "org.slf4j:slf4j-api:2"\n}\n'
)
POM = (
    '<project xmlns="http://maven.apache.org/POM/4.0.0"><dependencies><dependency><groupId>com.stripe</groupId>'
    "<artifactId>stripe-java</artifactId></dependency></dependencies></project>"
)


@pytest.mark.parametrize(
    "path, text, processor",
    [
        ("requirements.txt", "-r other.txt\nsentry_sdk[django]==2.1 ; python_version > '3'\nrequests\n", "sentry"),
        ("requirements/prod.in", "stripe\n", "stripe"),
        ("pyproject.toml", '[project]\ndependencies = ["stripe>=11"]\n', "stripe"),
        ("pyproject.toml", '[tool.poetry.group.x.dependencies]\nposthog = "*"\n', "posthog"),
        ("pyproject.toml", '[dependency-groups]\nx = ["mixpanel", {include-group = "y"}]\n', "mixpanel"),
        ("Pipfile", '[packages]\ntwilio = "*"\n', "twilio"),
        ("setup.cfg", "[options]\ninstall_requires =\n    braintree>4\n", "braintree"),
        ("web/package.json", '{"dependencies": {"@sentry/node": "^8", "react": "19"}}', "sentry"),
        ("composer.json", '{"require": {"php": "8", "stripe/stripe-php": "*"}}', "stripe"),
        ("go.mod", "module m\nrequire (\n\tgithub.com/stripe/stripe-go/v81 v81.2.0\n)\n", "stripe"),
        ("go.mod", "module m\nrequire github.com/getsentry/sentry-go v0.31.1\n", "sentry"),
        ("Cargo.toml", '[target.x.dependencies]\nsentry = "0.35"\n', "sentry"),
        ("Gemfile", "source 'https://rubygems.org'\ngem 'sentry-rails', '~> 5'\n", "sentry"),
        ("x.gemspec", 's.add_dependency "stripe", "> 1"\n', "stripe"),
        ("pom.xml", POM, "stripe"),
        ("build.gradle.kts", GRADLE, "stripe"),
        ("gradle/libs.versions.toml", '[libraries]\ns = { module = "com.stripe:stripe-java" }\n', "stripe"),
        ("Shop.csproj", '<Project><PackageReference Include="Stripe.net" Version="47" /></Project>', "stripe"),
    ],
)
def test_a_manifest_names_whom_the_program_depends_on(scan_repository, path, text, processor):
    found = named(scan_repository({path: text}))
    assert set(found) == {(path, processor, "sdk")}
    assert found[path, processor, "sdk"].startswith("depends on ")


@pytest.mark.parametrize(
    "path, text",
    [
        ("requirements.txt", "django==5\n    # via stripe-like\nstripe==11\n    # via dj-paddle\n"),
        ("go.mod", "module m\nrequire github.com/stripe/stripe-go/v81 v81.2.0 // indirect\n"),
        ("node_modules/x/package.json", '{"dependencies": {"stripe": "1"}}'),
        ("package-lock.json", '{"packages": {"node_modules/stripe": {}}}'),
        ("README.md", "pip install stripe; SENTRY_DSN=https://x.ingest.sentry.io"),
    ],
)
def test_what_others_depend_on_is_left_out(scan_repository, path, text):
    assert named(scan_repository({path: text})) == {}


def test_a_compiled_requirements_file_names_what_was_asked_for(scan_repository):
    text = "sentry-sdk==2\n    # via -r requirements.in\nstripe==11 \\\n    --hash=sha256:00\n"
    text += "    # via\n    #   -r x.in\n    #   y\n"
    assert {key[1] for key in named(scan_repository({"requirements.txt": text}))} == {"sentry", "stripe"}


@pytest.mark.parametrize(
    "path, text, processor, evidence",
    [
        (".env.example", "SENTRY_DSN=\n", "sentry", "SENTRY_DSN is a setting of Sentry"),
        (".env.example", "export SMTP_HOST='smtp.postmarkapp.com'\n", "postmark", "SMTP_HOST names a host of Postmark"),
        (
            ".env",
            "HOOK_URL=https://u:p@hooks.fictif-setbytes.ca/x?t=1\n",
            "unknown:fictif-setbytes.ca",
            "HOOK_URL names",
        ),
        ("compose.yaml", "services:\n  a:\n    image: datadog/agent:7\n", "datadog", "runs the image datadog/agent"),
        ("compose.yaml", "    environment:\n      - NEW_RELIC_KEY=x\n", "new-relic", "NEW_RELIC_KEY is a setting"),
        ("k8s.yml", "- name: COLLECTOR_URL\n  value: https://api.honeycomb.io\n", "honeycomb", "COLLECTOR_URL names a"),
        ("chart/values.yaml", "smtp:\n  host: in-v3.mailjet.com\n", "mailjet", "host names a host of Mailjet"),
        ("main.tf", 'source = "registry.terraform.io/cloudflare/cloudflare"\n', "cloudflare", "cloudflare/cloudflare"),
        ("main.tf", 'resource "datadog_monitor" "m" {}\n', "datadog", "needs the Terraform provider datadog"),
        (".github/workflows/x.yml", "      - uses: codecov/codecov-action@v5\n", "codecov", "runs the action codecov/"),
        ("app.ini", "sentry_dsn = https://k@o1.ingest.sentry.io/2\n", "sentry", "sentry_dsn names a host of Sentry"),
        (
            "application.properties",
            "db.url=jdbc:sqlserver://x.database.windows.net;a=b\n",
            "azure",
            "db.url names a host",
        ),
        (
            "web.conf",
            'add_header Content-Security-Policy "script-src *.hotjar.com";\n',
            "hotjar",
            "security policy allows",
        ),
        ("_headers", "Content-Security-Policy: img-src 'self' https://res.cloudinary.com\n", "cloudinary", "(img-src)"),
        (
            "index.html",
            '<script async src="//cdn.segment.com/a.js"></script>',
            "segment",
            "a page's script is at Twilio",
        ),
        (
            "a.html",
            "<link rel='stylesheet' href='https://use.typekit.net/x.css'>",
            "adobe",
            "a page's link is at Adobe",
        ),
        ("a.html", '<form action="https://formspree.io/f/x">', "formspree", "a page's form is at Formspree"),
        ("a.html", '<script>s.src="https://www.googletagmanager.com/g.js"</script>', "google", "a page's script names"),
        ("Dockerfile", "ENV AWS_REGION=ca-central-1\n", "aws", "AWS_REGION is a setting of Amazon"),
    ],
)
def test_settings_name_whom_they_are_of(scan_repository, path, text, processor, evidence):
    found = named(scan_repository({path: text}))
    assert set(found) == {(path, processor, "config")}
    assert evidence in found[path, processor, "config"]


@pytest.mark.parametrize(
    "path, text",
    [
        (".env.example", "DATABASE_URL=postgres://db:5432/x\nREDIS_URL=redis://127.0.0.1\nBASE_URL=https://api.example.com\n"),
        (".env.example", "API_URL=https://api.setbytes.ca\n# SENTRY_DSN=\nLOG_FILE=server.log\nSERVER=server.py\n"),
        ("Chart.yaml", "home: https://fictif-setbytes.ca\nsources: https://fictif-setbytes.ca\nicon: https://fictif.ca/i.png\n"),
        ("x.yaml", "repository_url: https://fictif-setbytes.ca/x\ndocs_url: https://fictif-setbytes.ca\n"),
        ("a.html", '<a href="https://fictif-setbytes.ca">x</a><link rel="canonical" href="https://fictif-setbytes.ca">'),
        ("compose.yaml", "services:\n  db:\n    image: postgres:16\n"),
    ],
)  # fmt: skip
def test_our_own_hosts_and_pages_for_people_are_nobody_outside(scan_repository, path, text):
    assert named(scan_repository({path: text}, own_domains=["setbytes.ca"])) == {}


def test_no_secret_and_no_address_comes_out(scan_repository):
    seen = scan_repository(
        {
            ".env.production": "STRIPE_SECRET_KEY=xanthocanari\nSENTRY_DSN=https://xanthocanari@o1.ingest.sentry.io/77\n"
            "HOOK_URL=https://hooks.slack.com/services/xanthocanari?k=xanthocanari\n",
            "people/zephyrine@canari.example.org/compose.yml": "x:\n  SMTP_HOST: smtp.mailgun.org\n",
            "people/zephyrine@canari.example.org/package.json": "{",
        }
    )
    assert {key[1] for key in named(seen)} == {"stripe", "sentry", "slack", "mailgun"}
    assert "xanthocanari" not in repr(seen)
    assert "zephyrine@" not in repr(seen)


def test_ignored_files_links_and_long_files_are_not_read(scan_repository, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / ".env").write_text("SENTRY_DSN=x\n")
    (tmp_path / "code" / "b").mkdir(parents=True)
    (tmp_path / "code" / "link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "code" / "b" / ".env.x").symlink_to(tmp_path / "elsewhere" / ".env")
    files = {".gitignore": ".env\n/local/\n", ".env": "SENTRY_DSN=x\n", "local/a.env": "SENTRY_DSN=x\n"}
    files |= {"b/.gitignore": "*.tf\n", "b/main.tf": 'provider "datadog" {}\n', "main.tf": 'provider "google" {}\n'}
    files |= {"long.yaml": "SENTRY_DSN: x\n" + "#" * 3000}
    seen = scan_repository(files, file_bytes=2048)
    assert {key[:2] for key in named(seen)} == {("main.tf", "google")}
    assert not [each for each in seen if isinstance(each, Finding)]


def test_only_files_that_name_somebody_are_datasets_and_the_listing_is_complete(scan_repository):
    seen = scan_repository({"package.json": '{"dependencies": {"stripe": "1"}}', "other/package.json": "{}"})
    assert [each.name for each in seen if isinstance(each, DatasetSeen)] == ["package.json"]
    assert [each for each in seen if isinstance(each, Covered)] == [
        Covered("repository://code/package.json", Aspect.STRUCTURE),
        Covered("repository://code", Aspect.LISTING),
    ]


@pytest.mark.parametrize(
    "path, text",
    [
        ("package.json", "{"),
        ("pyproject.toml", "a ="),
        ("pom.xml", "<a>"),
        ("pom.xml", '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'),
        ("setup.cfg", "x"),
    ],
)
def test_a_damaged_manifest_is_said_and_the_others_are_read(scan_repository, path, text):
    seen = scan_repository({path: text, "go.mod": "require github.com/getsentry/sentry-go v1\n"})
    assert [each.code for each in seen if isinstance(each, Finding)] == ["damaged"]
    assert {key[0] for key in named(seen)} == {"go.mod"}
    assert not [each for each in seen if isinstance(each, Covered) and each.aspect is Aspect.LISTING]


def test_too_many_files_are_said(scan_repository):
    seen = scan_repository({f"{n}.env": "A=1\n" for n in range(5)}, most_files=3)
    assert [each.code for each in seen if isinstance(each, Finding)] == ["truncated"]


def test_a_folder_that_is_not_there(scan_repository, tmp_path):
    with pytest.raises(SourceError, match="there is no such folder"):
        scan_repository({}, path=tmp_path / "gone")


def test_libraries_and_settings_of_one_file_are_told_apart(scan_repository):
    text = '[project]\ndependencies = ["sentry-sdk"]\n[tool.x]\nSENTRY_ORG = "y"\n'
    seen = scan_repository({"pyproject.toml": text})
    assert {each.provenance for each in seen if isinstance(each, DisclosureSeen)} == {Provenance.SDK, Provenance.CONFIG}


@pytest.mark.parametrize("name", ["SMTP_HOST", "webhookUrl", "sentry-dsn", "url", "db.url", "relay_server"])
def test_names_that_say_where_something_is_sent(name):
    assert names_endpoint(name)


@pytest.mark.parametrize("name", ["email", "repository_url", "avatarUrl", "customer_host", "ghost", "hosting", ""])
def test_names_that_do_not(name):
    assert not names_endpoint(name)


@pytest.mark.parametrize(
    "value, hosts",
    [
        ("https://u:p@a.b.ca:8443/x?y=z", ["a.b.ca"]),
        ("redis://[2001:db8::1]:6379", ["2001:db8::1"]),
        ("smtp.postmarkapp.com:587", ["smtp.postmarkapp.com"]),
        ("ops@b.ca", ["b.ca"]),
        ("Server=tcp:x.database.windows.net,1433;User=u;Password=p", ["x.database.windows.net"]),
        ("host=db.b.ca user=u password=p", ["db.b.ca"]),
        ("kafka://a.b.ca:9092,kafka://c.b.ca:9092", ["a.b.ca", "c.b.ca"]),
        ("/v1/servers", []), ("true", []), ("server.py", []), ("10.2.0", []), ("", []),
    ],
)  # fmt: skip
def test_hosts_in_a_value(value, hosts):
    assert endpoint_hosts(value) == hosts


@given(text=st.text(max_size=300), name=st.sampled_from(["a.yaml", "x.html", "m.tf", ".env", "n.conf"]))
@settings(max_examples=40)
def test_whatever_stands_in_settings_is_read(text, name):
    assert list(settings_signs(name, text, ())) is not None


@given(
    text=st.text(max_size=200), name=st.sampled_from(["package.json", "pyproject.toml", "go.mod", "pom.xml", "Gemfile"])
)
@settings(max_examples=40)
def test_whatever_stands_in_a_manifest_is_read_or_refused(text, name):
    reader = reader_of(name)
    assert reader is not None
    try:
        assert all(dependency.name for dependency in reader(text))
    except Malformed:
        assert name not in ("go.mod", "Gemfile")


@pytest.mark.parametrize("name", ["a.yaml", "x.html", "m.tf", "Gemfile", "build.gradle"])
@pytest.mark.parametrize("piece", ["\n", "<script ", "<script>", "<link rel=", " ", "a=//", "img-src ", "source"])
def test_no_file_takes_long(name, piece):
    """What would take a backtracking expression minutes takes a moment."""
    text = "content-security-policy" + piece * (200_000 // len(piece))
    started = time.process_time()
    reader = reader_of(name)
    assert list(reader(text) if reader else settings_signs(name, text, ())) == []
    assert time.process_time() - started < 2
