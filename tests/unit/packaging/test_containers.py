"""No container engine is at hand: the Compose specification's own schema and hadolint's parser stand in for one."""

import json
import re
import subprocess
import sys
from functools import cache
from importlib.resources import files
from pathlib import Path, PurePosixPath

import jsonschema.validators
import pytest
import yaml
from jsonschema.protocols import Validator

ROOT = Path(__file__).parents[3]
COMPOSE = ROOT / "docker-compose.yml"
DOCKERFILE = ROOT / "Dockerfile"


@cache
def compose() -> dict:
    return yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))


def services() -> list:
    return [pytest.param(service, id=name) for name, service in compose()["services"].items()]


@cache
def compose_validator() -> Validator:
    text = files("check_jsonschema.builtin_schemas.vendor").joinpath("compose-spec.json").read_text("utf-8")
    schema = json.loads(text)
    return jsonschema.validators.validator_for(schema)(schema)


def test_compose_follows_the_specification():
    compose_validator().validate(compose())


def test_the_specifications_schema_refuses_what_it_should():
    broken = {**compose(), "services": {**compose()["services"], "other": {"image": "a:1", "portz": []}}}
    with pytest.raises(jsonschema.ValidationError, match="portz"):
        compose_validator().validate(broken)


def test_everything_a_service_uses_is_defined_and_all_that_is_defined_is_used():
    document = compose()
    used: dict[str, set[str]] = {"secrets": set(), "configs": set(), "volumes": set()}
    for service in document["services"].values():
        used["secrets"] |= set(service.get("secrets", []))
        used["configs"] |= {config["source"] for config in service.get("configs", [])}
        used["volumes"] |= {volume.split(":")[0] for volume in service.get("volumes", [])}
        assert set(service.get("depends_on", {})) <= set(document["services"])
    for kind, names in used.items():
        assert names == set(document[kind])


@pytest.mark.parametrize("service", services())
def test_a_service_is_pinned_and_healthy_and_on_loopback(service):
    assert re.search(r":\d+(\.\d+)*(-\w+)?$", service["image"]), "an image is pinned to a version"
    assert "build" in service or service["healthcheck"]["test"], "a service says when it is healthy"
    assert all(port["host_ip"] == "127.0.0.1" for port in service["ports"])
    assert "no-new-privileges:true" in service["security_opt"]
    assert not service.get("privileged")


@pytest.mark.parametrize("service", services())
def test_secrets_come_from_files(service):
    for name, value in service.get("environment", {}).items():
        if re.search("PASSWORD|AUTH|TOKEN|SECRET", name):
            assert name.endswith("_FILE")
            assert PurePosixPath(value).name in service["secrets"]


def test_neo4j_is_the_supported_release_and_the_services_cannot_write_to_their_own_files():
    assert compose()["services"]["neo4j"]["image"].startswith("neo4j:5.26")
    for name in ("inventory", "postgres"):
        assert compose()["services"][name]["read_only"] is True


def test_what_is_mounted_is_a_file():
    """Compose copies inline contents and variables into a container, which fails when that is read-only."""
    for kind in ("secrets", "configs"):
        assert all(set(source) == {"file"} for source in compose()[kind].values())


def test_the_service_accepts_the_configuration_it_is_given():
    from inventory.scan.config import parse_config  # imports every scanner

    path = ROOT / compose()["configs"]["inventory"]["file"]
    content = path.read_text(encoding="utf-8")
    service = compose()["services"]["inventory"]
    config = parse_config(yaml.safe_load(content), path.name)
    assert config.graph.uri == "bolt://neo4j:7687"
    assert config.serve.port == service["ports"][0]["target"]
    assert str(config.data_dir) == service["volumes"][0].split(":")[1]
    files_named = set(re.findall(r"/run/secrets/(\w+)", content))
    assert files_named == set(service["secrets"])
    assert [source.settings.name for source in config.sources] == ["app"]


# --- Dockerfile -------------------------------------------------------------------------------------------


def hadolint(path: Path) -> list[dict]:
    binary = Path(sys.executable).with_name("hadolint")
    found = subprocess.run([binary, "--no-fail", "--format", "json", path], capture_output=True, text=True, check=True)
    return json.loads(found.stdout)


def test_dockerfile_parses_and_follows_good_practice():
    assert hadolint(DOCKERFILE) == []


def test_the_parser_refuses_what_it_should(tmp_path):
    broken = tmp_path / "Dockerfile"
    broken.write_text(DOCKERFILE.read_text(encoding="utf-8").replace("EXPOSE 8383", "EXPOZE 8383"), encoding="utf-8")
    assert [found["level"] for found in hadolint(broken)] == ["error"]


def stages() -> list[list[str]]:
    """The instructions of each stage, continuation lines joined."""
    lines = [line for line in DOCKERFILE.read_text(encoding="utf-8").splitlines() if not line.lstrip().startswith("#")]
    instructions = [i for i in "\n".join(lines).replace("\\\n", " ").splitlines() if i.strip()]
    starts = [n for n, instruction in enumerate(instructions) if instruction.startswith("FROM ")]
    return [instructions[a:b] for a, b in zip(starts, [*starts[1:], len(instructions)], strict=True)]


def test_the_image_is_the_last_of_several_stages_and_its_user_is_not_root():
    assert len(stages()) == 3
    last = stages()[-1]
    users = [instruction.split()[1] for instruction in last if instruction.startswith("USER ")]
    assert users
    assert all(re.fullmatch(r"[1-9]\d+:[1-9]\d+", user) for user in users)
    health = [instruction for instruction in last if instruction.startswith("HEALTHCHECK ")]
    assert len(health) == 1
    assert "curl" not in health[0]
    assert not any("pip install" in instruction for instruction in last)


def test_the_image_installs_the_hashed_lock_file():
    text = DOCKERFILE.read_text(encoding="utf-8")
    assert "--require-hashes -r requirements/runtime.lock" in text
    assert not re.search(r"https?://(?!127\.0\.0\.1)", text), "no host is named"


def test_the_image_starts_the_service_as_compose_does():
    last = stages()[-1]
    command = json.loads(next(i for i in last if i.startswith("CMD ")).removeprefix("CMD "))
    entry = json.loads(next(i for i in last if i.startswith("ENTRYPOINT ")).removeprefix("ENTRYPOINT "))
    assert entry == ["inventory"]
    assert command == compose()["services"]["inventory"]["command"]
    assert command[command.index("--host") + 1] == "0.0.0.0"
    config = command[command.index("--config") + 1]
    assert config == compose()["services"]["inventory"]["configs"][0]["target"]


def test_the_builder_gets_what_the_dockerfile_copies_and_no_more():
    rules = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    patterns = [rule for rule in rules if rule and not rule.startswith("#")]
    assert patterns[0] == "*", "closed unless opened"
    opened = {rule[1:].rstrip("*") for rule in patterns if rule.startswith("!")}
    needed = {"explorer", "graphql", "inventory", "scanners", "seed", "requirements", "pyproject.toml", "README.md"}
    assert needed <= opened
    assert not opened & {".git", ".venv", ".secrets", ".inventory", "tests"}
    assert "explorer/node_modules" in patterns
