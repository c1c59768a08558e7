"""Users' detectors: what is refused and why, and what a sound one does."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pyarrow as pa
import pytest
from typer.testing import CliRunner

from inventory.errors import ConfigError, UnreadableError
from scanners.detection import ColumnDetector
from scanners.detection.catalogue import Detector, parse, shipped
from scanners.detection.command import app, detect_file
from scanners.detection.interface import TableContext
from scanners.detection.lint import lint, load

RULES = """
- detector: badge
  category: user.unique_id
  about: our badge numbers
  pattern: "BDG-[0-9]{6}"
  within: true
  weight: 6
  names: [badge, badge number]
- detector: cafe
  category: user.behavior.purchase_history
  about: what people have at our café
  dictionary: [Latté, Espresso, Ristretto]
  weight: 4
"""


@pytest.mark.parametrize(
    "pattern",
    [r"(a+)+", r"(?:\w+\s?)*", r"(.*)*x", r"(?:a|aa)+", r"([a-z]*)*[0-9]", r"(?:(?:x[0-9]+)*)*", r"(?:[a-z]|[a-f]x)+"],
)
def test_catastrophic_patterns_are_refused_with_the_reason(pattern: str):
    complaints = lint(Detector("bad", "user.unique_id", pattern))
    assert complaints[0].refused
    assert "exponential" in complaints[0].message or "longer than" in complaints[0].message


@pytest.mark.parametrize(
    "pattern", [r"(?:[a-z]{1,20}\.)+com", r"[A-Z]{2}[0-9]{6}", r"(?:ab|cd)+", r"(?:[0-9]{4}-)*[0-9]{4}"]
)
def test_sound_patterns_pass(pattern: str):
    assert lint(Detector("good", "user.unique_id", pattern, about="x")) == []


def test_shipped_detectors_have_sound_shapes_and_anchors_for_bytes():
    from scanners.detection.lint import _ambiguous, _parser

    for detector in shipped():
        for pattern in (detector.pattern, detector.text_pattern, detector.distinctive, detector.anchor):
            assert _ambiguous(_parser.parse(pattern)) == "", detector.detector
        assert detector.anchor_for_bytes or not detector.within, detector.detector


def test_unknown_category_is_refused():
    assert "vocabulary" in lint(Detector("x", "user.shoe_size", "[0-9]+"))[0].message


@pytest.mark.parametrize(
    "text, says",
    [
        ("a: 1", "not a list"),
        ("- detector: x\n  categry: y", "categry"),
        ("- detector: x\n  category: y", "pattern"),
        (": [", "YAML"),
    ],
)
def test_files_that_are_no_rules_say_why(text: str, says: str):
    with pytest.raises(ConfigError, match=says):
        parse(text, "mine.yaml")


def test_own_detectors_and_dictionaries_are_used(tmp_path: Path):
    rules = tmp_path / "mine.yaml"
    rules.write_text(RULES, encoding="utf-8")
    detector = ColumnDetector([*shipped(), *load(rules)])
    detection = detector.table(TableContext("t", ()))
    detection.feed(
        pa.RecordBatch.from_pydict(
            {"x1": [f"BDG-{i:06}" for i in range(40)], "x2": ["latte", "Espresso", "LATTÉ", "ristretto"] * 10}
        )
    )
    found = {verdict.column: verdict.verdicts[0].category for verdict in detection.verdicts() if verdict.verdicts}
    assert found == {"x1": "user.unique_id", "x2": "user.behavior.purchase_history"}
    assert detector.redact("lost BDG-000123 today") == "lost ‹badge› today"


def test_command_prints_verdicts_with_evidence_and_no_value(tmp_path: Path):
    data = tmp_path / "people.csv"
    data.write_text("ref_3;n\n" + "".join(f"zoe{i}@canary.example;{i}\n" for i in range(30)), encoding="utf-8")
    shown = CliRunner().invoke(app, ["file", str(data)], terminal_width=200)
    assert shown.exit_code == 0
    assert "user.contact.email" in shown.stdout
    assert "30 of 30" in shown.stdout.replace("\n", " ")
    assert "canary" not in shown.stdout


def test_command_lints(tmp_path: Path):
    rules = tmp_path / "bad.yaml"
    rules.write_text("- {detector: bad, category: user.unique_id, pattern: '(a+)+'}\n", encoding="utf-8")
    shown = CliRunner().invoke(app, ["lint", str(rules)])
    assert shown.exit_code == 1
    assert "refused" in shown.stdout


@pytest.mark.parametrize(
    "name, content",
    [
        ("a.jsonl", '{"who": {"mail": "a@b.org"}, "n": 1}\nnot json\n{"n": 2, "who": {"mail": "c@d.org"}}\n'),
        ("a.json", '[{"who": {"mail": "a@b.org"}}, {"who": {"mail": "c@d.org"}}]'),
    ],
)
def test_nested_files_are_judged_by_pointer(tmp_path: Path, name: str, content: str):
    (tmp_path / name).write_text(content, encoding="utf-8")
    found = {verdict.column + verdict.pointer: verdict.verdicts for verdict in detect_file(tmp_path / name)}
    assert found["who/mail"][0].category == "user.contact.email"


@pytest.mark.parametrize("name", ["a.csv", "a.json", "a.jsonl", "a.txt", "a.csv.gz"])
@pytest.mark.parametrize("content", [b"", b"\x00\xff\xfe", b'a,b\n1,2,3\n\n"', b"PAR1garbage"])
def test_broken_files_are_judged_or_refused_by_name(tmp_path: Path, name: str, content: bytes):
    (tmp_path / name).write_bytes(content)
    with contextlib.suppress(UnreadableError):
        for verdict in detect_file(tmp_path / name):
            assert verdict.verdicts or verdict.reason


def test_a_parquet_file_that_is_none_is_refused_by_name(tmp_path: Path):
    (tmp_path / "x.parquet").write_bytes(b"PAR1garbage")
    with pytest.raises(UnreadableError, match=r"x\.parquet: is no readable PARQUET file"):
        detect_file(tmp_path / "x.parquet")
