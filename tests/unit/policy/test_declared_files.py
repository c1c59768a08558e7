"""Mistakes in the two files are one line each, naming the file and the place; nothing is let through."""

import copy
import json
from importlib.resources import files
from pathlib import Path

import pytest
import yaml

from inventory.errors import ConfigError
from inventory.policy.document import read_declared


def shipped(name: str) -> dict:
    return yaml.safe_load(files("seed").joinpath(name).read_text(encoding="utf-8"))


POLICY, PROCESSORS = shipped("policy.yaml"), shipped("processors.yaml")


def read(tmp_path: Path, policy: object = POLICY, processors: object = PROCESSORS):
    policy_path, processors_path = tmp_path / "policy.yaml", tmp_path / "processors.yaml"
    policy_path.write_text(json.dumps(policy, default=str), encoding="utf-8")  # JSON is YAML, and quicker
    processors_path.write_text(json.dumps(processors), encoding="utf-8")
    return read_declared(policy_path, processors_path)


def clause(policy: dict, key: str) -> dict:
    return next(c for section in policy["sections"] for c in section["clauses"] if c["key"] == key)


def processor(processors: dict, key: str) -> dict:
    return next(p for p in processors["processors"] if p["key"] == key)


def test_files_elsewhere_are_read_as_the_shipped_ones_are(tmp_path):
    assert read(tmp_path) == read_declared()


@pytest.mark.parametrize(
    "change,place,cause",
    [
        (lambda p: p.update(colour="red"), "colour", "not permitted"),
        (lambda p: p.pop("controller"), "controller", "required"),
        (lambda p: p.update(effective="soon"), "effective", "date"),
        (lambda p: clause(p, "2.10").update(colour="red"), "sections.2.clauses.2.10.colour", "not permitted"),
        (
            lambda p: clause(p, "2.2")["categories"].append("user.contact.emial"),
            "sections.2.clauses.2.2.categories",
            "'user.contact.emial' is not a known category (nearest: user.contact.email",
        ),
        (lambda p: clause(p, "3.1").update(purposes=["essential.servic"]), "clauses.3.1", "nearest: essential.service"),
        (lambda p: clause(p, "5.1").update(safeguards=["tls"]), "clauses.5.1", "not a known safeguard"),
        (lambda p: clause(p, "7.1").update(rights=["acess"]), "clauses.7.1", "nearest: access"),
        (lambda p: clause(p, "3.7").update(consent="no"), "clauses.3.7.consent", "boolean"),
        (lambda p: clause(p, "2.2").update(key=2.2), "key", "string"),
        (lambda p: clause(p, "2.2").update(key="2.3"), "clauses: 2.3", "more than once"),
        (lambda p: clause(p, "2.2").update(key="3.9"), "clause 3.9", "stands in section 2"),
        (lambda p: clause(p, "2.2").update(categories=[]), "clause 2.2", "needs categories"),
        (lambda p: clause(p, "4.2").update(recipients=["nobody"]), "clause 4.2", "not in the processors' file"),
        (lambda p: p["controller"].update(clauses=["12.1"]), "controller", "no clause 12.1"),
    ],
)
def test_a_mistake_in_the_policy_names_file_and_place(tmp_path, change, place, cause):
    policy = copy.deepcopy(POLICY)
    change(policy)
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, policy=policy)
    message = str(caught.value)
    assert message.startswith(str(tmp_path / "policy.yaml"))
    assert place in message
    assert cause in message
    assert "\n" not in message


@pytest.mark.parametrize(
    "change,place,cause",
    [
        (lambda p: p.update(colour="red"), "colour", "not permitted"),
        (lambda p: processor(p, "stripe").update(role="friend"), "processors.stripe.role", "not a known role"),
        (lambda p: processor(p, "stripe").update(regions=["XX"]), "processors.stripe.regions.0", "not a known region"),
        (lambda p: processor(p, "stripe").update(clauses=["4.9"]), "stripe", "no clause 4.9"),
        (lambda p: processor(p, "stripe").update(member_of="google"), "stripe", "'google' is not a class"),
        (lambda p: processor(p, "stripe").pop("member_of"), "stripe", "needs member_of"),
        (lambda p: processor(p, "stripe").update(declared="named"), "stripe", "clause 4.5 does not list it"),
        (lambda p: processor(p, "google").update(declared="instance"), "google", "clause 6.1 lists it"),
        (
            lambda p: processor(p, "stripe")["receives"][0]["categories"].append("user.government_id"),
            "stripe: receives user.government_id",
            "its class payment-gateways does not",
        ),
        (
            lambda p: processor(p, "monitoring")["receives"][0]["categories"].append("user.biometric"),
            "monitoring: receives user.biometric",
            "no clause says is collected",
        ),
        (lambda p: p["processors"].reverse(), "stripe", "stands before its class"),
        (lambda p: p["processors"].append(processor(p, "stripe")), "processors: stripe", "more than once"),
        (lambda p: processor(p, "stripe").update(key="setbytes"), "setbytes", "is the controller"),
    ],
)
def test_a_mistake_in_the_processors_names_file_and_place(tmp_path, change, place, cause):
    processors = copy.deepcopy(PROCESSORS)
    change(processors)
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, processors=processors)
    message = str(caught.value)
    assert message.startswith(str(tmp_path / "processors.yaml"))
    assert place in message
    assert cause in message


def test_every_mistake_of_a_file_is_told_at_once(tmp_path):
    policy = copy.deepcopy(POLICY)
    clause(policy, "2.2")["colour"] = "red"
    clause(policy, "3.1")["shape"] = "round"
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, policy=policy)
    assert "2.2.colour" in str(caught.value)
    assert "3.1.shape" in str(caught.value)


@pytest.mark.parametrize(
    "content,cause",
    [
        (None, "no such file"),
        (b"\xff\xfe\x00", "UTF-8"),
        (b"name: [", "line 1: is not valid YAML"),
        (b"", "dictionary"),
        (b"- a", "dictionary"),
    ],
)
def test_a_file_that_cannot_be_read_is_one_line(tmp_path, content, cause):
    path = tmp_path / "policy.yaml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match=cause) as caught:
        read_declared(path, None)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)
