"""No raw value leaves a scanner: values planted in every store are looked for wherever they could have gone."""

from __future__ import annotations

import base64
import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

QUESTIONS = (
    ("WhereIs", "category=user"),
    ("ProcessorsOf", "category=user"),
    ("Systems",),
    ("Search", "text=canar"),
    ("Findings",),
    ("Scans",),
)


@pytest.fixture
def planted(tmp_path: Path) -> Iterator[tuple[list[dict[str, object]], list[str]]]:
    """The sources of an estate with canaries, and the canaries."""
    from seed.estate import Estate
    from seed.estate.canaries import plant_canaries

    with tempfile.TemporaryDirectory(prefix="canaries-") as folder:
        Path(folder).chmod(0o711)
        with Estate(Path(folder, "estate"), rows=10) as estate:
            canaries = plant_canaries(estate)
            yield estate.sources(), canaries
        estate.remove()


def test_no_canary_leaves_a_scanner(planted, command, graph_of, tmp_path):
    from inventory.graph.export import export

    sources, canaries = planted
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    inventory = command(sources=sources)
    scans = [
        inventory.run("--verbose", "scan", status=None, env={"TMPDIR": str(temporary)}),
        inventory.run("--verbose", "scan", "--json", status=None, env={"TMPDIR": str(temporary)}),
        inventory.run("scan", "--output", str(tmp_path / "recordings"), status=None),
    ]
    assert {scan.returncode for scan in scans} <= {0, 3}, scans[0].stderr
    said = [text for scan in scans for text in (scan.stdout, scan.stderr)]
    said += [inventory.run("ask", *question, "--json").stdout for question in QUESTIONS]
    exported = "\n".join(json.dumps(record, ensure_ascii=False) for record in export(graph_of(inventory).graph))
    assert "support.canaries#email" in exported, "the planted table was not scanned: this test would see nothing"
    assert "user.contact.email" in exported

    leaked = [
        (canary, where)
        for where, text in [("export", exported), *enumerate(said)]
        for canary in in_text(canaries, text)
    ]
    inventory.run("graph", "down")
    folders = (inventory.config.parent, temporary, tmp_path / "recordings")
    leaked += [(canary, str(path)) for path in files(*folders) for canary in in_bytes(canaries, path.read_bytes())]
    assert leaked == []


def in_text(canaries: list[str], text: str) -> list[str]:
    return in_bytes(canaries, text.encode("utf-8", "surrogatepass"))


def in_bytes(canaries: list[str], content: bytes) -> list[str]:
    """The canaries in the content: as they are, without case, as JSON or URL escapes them, and in UTF-16."""
    lowered = content.lower()
    return [canary for canary in canaries if any(form in lowered for form in forms(canary))]


def forms(canary: str) -> set[bytes]:
    text = canary.lower()
    escaped = json.dumps(text)[1:-1]
    encoded = base64.b64encode(canary.encode())[:-4].lower()
    return {text.encode(), escaped.encode(), text.replace("@", "%40").encode(), text.encode("utf-16-le"), encoded}


def files(*folders: Path) -> list[Path]:
    return [
        Path(folder, name)
        for top in folders
        for folder, _, names in os.walk(top)
        for name in names
        if Path(folder, name).is_file()
    ]


def test_the_search_for_canaries_finds_one(tmp_path):
    """The test above is no use if it cannot see."""
    (tmp_path / "log").write_text('{"note": "Canary.Row@x.example.org"}')
    assert in_bytes(["canary.row@x.example.org"], files(tmp_path)[0].read_bytes()) == ["canary.row@x.example.org"]
