"""The Kafka scanner on a real broker; its schema registry is a small HTTP double of the questions that are asked."""

from __future__ import annotations

import io
import json
import socket
import threading
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from inventory.errors import SourceError
from inventory.model import (
    AccessSeen,
    Aspect,
    Covered,
    DatasetSeen,
    FieldClassified,
    FieldSeen,
    Finding,
    SafeguardSeen,
    SystemSeen,
)
from scanners.base import ScanContext
from scanners.streams.kafka import KafkaScanner, KafkaSettings, _Range, _stretches

ADDRESS = {
    "type": "record",
    "name": "Address",
    "fields": [{"name": "email", "type": "string", "doc": "where we write"}],
}
PERSON = {
    "type": "record",
    "name": "Person",
    "fields": [{"name": "mail", "type": "string", "doc": "where we write"}, {"name": "home", "type": "Address"}],
}
SCHEMAS = {
    "/schemas/ids/7": {
        "schema": json.dumps(PERSON),
        "references": [{"name": "Address", "subject": "address", "version": 1}],
    },
    "/subjects/address/versions/1": {"schema": json.dumps(ADDRESS)},
    "/subjects/avro-value/versions/latest": {
        "schema": json.dumps(PERSON),
        "references": [{"name": "Address", "subject": "address", "version": 1}],
    },
    "/schemas/ids/8": {"schema": "{}", "schemaType": "JSON"},
    "/schemas/ids/9": {"schema": "syntax", "schemaType": "PROTOBUF"},
}


@pytest.fixture(scope="module")
def registry():
    """A double of a schema registry: it knows SCHEMAS."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = SCHEMAS.get(self.path)
            body = json.dumps(found or {"error_code": 40403}).encode()
            self.send_response(200 if found else 404)
            self.send_header("Content-Type", "application/vnd.schemaregistry.v1+json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join(10)


@pytest.fixture(scope="module")
def admin(kafka_broker):
    kafka = pytest.importorskip("kafka")
    client = kafka.KafkaAdminClient(bootstrap_servers=f"127.0.0.1:{kafka_broker}")
    yield client
    client.close()


@pytest.fixture(scope="module")
def producer(kafka_broker, admin):
    import kafka

    client = kafka.KafkaProducer(bootstrap_servers=f"127.0.0.1:{kafka_broker}")
    yield client
    client.close()


@pytest.fixture
def topic(admin, request):
    """Makes topics that are gone after the test."""
    from kafka.admin import NewTopic

    made = []

    def make(name: str, partitions: int = 1, **configs: str) -> str:
        settings = {key.replace("_", "."): value for key, value in configs.items()}
        admin.create_topics([NewTopic(name, partitions, 1, topic_configs=settings)])
        made.append(name)
        return name

    yield make
    there = {each["name"] for each in admin.describe_topics()}
    admin.delete_topics([name for name in made if name in there])


@pytest.fixture
def settings(kafka_broker):
    return KafkaSettings(name="bus", bootstrap_servers=(f"127.0.0.1:{kafka_broker}",))


def said(settings, detection, **context):
    return list(KafkaScanner(settings).scan(ScanContext(detection, **context)))


def of(kind, observations):
    return [each for each in observations if isinstance(each, kind)]


def test_says_topics_fields_categories_and_retention(topic, producer, settings):
    from scanners.detection import ColumnDetector

    topic("orders", 3, retention_ms=str(90 * 86_400_000))
    topic("states", cleanup_policy="compact")
    topic("forever", retention_ms="-1")
    for n in range(120):
        value = {"email": f"person{n}@canary.example", "ship": {"email": f"other{n}@canary.example"}}
        headers = [("sender", f"sender{n}@canary.example".encode())]
        producer.send("orders", json.dumps(value).encode(), f"key{n}@canary.example".encode(), headers)
    producer.flush()
    seen = said(settings, ColumnDetector())

    assert isinstance(seen[0], SystemSeen)
    assert (seen[0].urn, seen[0].kind) == (f"kafka://{settings.bootstrap_servers[0]}", "stream")
    topics = {each.name: each for each in of(DatasetSeen, seen)}
    assert topics["orders"].row_estimate == 120
    assert topics["orders"].retention_days == 90
    assert topics["states"].retention_evidence == "cleanup.policy is compact"
    assert topics["forever"].retention_days is None
    assert topics["forever"].retention_evidence == "cleanup.policy is delete, retention.ms is -1"
    found = {each.field.rpartition("/orders#")[2]: each.category for each in of(FieldClassified, seen)}
    for place in ("email", "ship/email", "_key", "_headers/sender"):
        assert found[place] == "user.contact.email"
    assert not of(Finding, seen)
    assert "canary.example" not in repr(seen)


def test_reads_avro_and_json_of_the_registry(topic, producer, settings, registry):
    import fastavro

    from scanners.detection import ColumnDetector

    topic("avro")
    topic("json-schema")
    schema = fastavro.parse_schema([ADDRESS, PERSON])
    for n in range(60):
        body = io.BytesIO(b"\0\0\0\0\x07")
        body.seek(5)
        person = {"mail": f"person{n}@canary.example", "home": {"email": f"home{n}@canary.example"}}
        fastavro.schemaless_writer(body, schema[1] if isinstance(schema, list) else schema, person)
        producer.send("avro", body.getvalue())
        producer.send("json-schema", b'\0\0\0\0\x08{"mail": "person%d@canary.example"}' % n)
    producer.flush()
    seen = said(settings.model_copy(update={"schema_registry": registry}), ColumnDetector())
    places = {each.field.split("/", 3)[3] for each in of(FieldClassified, seen)}
    assert {"avro#mail", "avro#home/email", "json-schema#mail"} <= places
    fields = {each.urn.split("/", 3)[3]: each for each in of(FieldSeen, seen)}
    assert fields["avro#mail"].description == "where we write"
    assert not of(Finding, seen)


def test_what_cannot_be_decoded_is_a_finding(topic, producer, settings, small_detection, registry):
    topic("binary")
    producer.send("binary", b"\0\0\0\0\x07\x02a")
    producer.send("binary", b"\0\0\0\0\x09\x02a")
    producer.send("binary", b"\0\0\0\0\x63\x02a")
    producer.send("binary", b"\xff\xfe secret@canary.example")
    producer.send("binary", b"plain text")
    producer.flush()
    (without,) = of(Finding, said(settings, small_detection))
    assert without.code == "unknown-format"
    assert "3 parts of 5 messages are in a schema registry's format, and no schema_registry is conf" in without.message
    (finding,) = of(Finding, said(settings.model_copy(update={"schema_registry": registry}), small_detection))
    for words in ("not as their schema says", "Protobuf", "does not give", "in a format that is not read"):
        assert words in finding.message
    assert "canary" not in finding.message


def test_no_group_no_offset_no_topic_is_left_behind(topic, producer, settings, small_detection, admin):
    topic("plain")
    producer.send("plain", b'{"a": 1}')
    producer.flush()
    seen = said(settings, small_detection)
    assert "plain" in {each.name for each in of(DatasetSeen, seen)}
    (finding,) = of(Finding, said(settings.model_copy(update={"topics": ("nowhere",)}), small_detection))
    assert finding.code == "no-such-topic"  # told, and not made
    assert admin.list_groups() == []
    assert "nowhere" not in {each["name"] for each in admin.describe_topics()}


def test_the_brokers_own_topics_are_left_alone(topic, producer, settings, small_detection, kafka_broker, admin):
    import kafka

    topic("grouped")
    producer.send("grouped", b"{}").get(10)
    consumer = kafka.KafkaConsumer(
        "grouped", bootstrap_servers=f"127.0.0.1:{kafka_broker}", group_id="theirs", auto_offset_reset="earliest"
    )
    assert consumer.poll(timeout_ms=30_000)
    consumer.commit()
    consumer.close()
    assert "__consumer_offsets" in {each["name"] for each in admin.describe_topics()}
    committed = admin.list_group_offsets("theirs")
    names = {each.name for each in of(DatasetSeen, said(settings, small_detection))}
    assert "grouped" in names
    assert not [name for name in names if name.startswith("__")]
    assert admin.list_group_offsets("theirs") == committed
    admin.delete_groups(["theirs"])


def test_an_endless_topic_ends_and_the_sample_is_spread(topic, producer, settings, small_detection):
    topic("endless", 2)
    for n in range(3000):
        producer.send("endless", b"%d" % n, partition=n % 2)
    producer.flush()
    few = settings.model_copy(update={"sampling": settings.sampling.model_copy(update={"rows": 100})})
    scanner = KafkaScanner(few)
    with scanner.connected() as client:
        (subject,) = (
            each for each in scanner.listing(client, small_detection) if getattr(each, "name", "") == "endless"
        )
        values = []
        for record in scanner.sample(client, subject):  # type: ignore[arg-type]
            producer.send("endless", b"more", partition=0)
            values.append(record["value"])
    assert len(values) == 100
    assert "more" not in values
    assert max(map(int, values)) > 2900
    assert min(map(int, values)) < 10


def test_a_topic_that_takes_too_long_is_a_finding(topic, producer, settings, small_detection):
    topic("heavy")
    for _ in range(30):
        producer.send("heavy", b'{"a": "%s"}' % (b"x " * 100_000))
    producer.flush()
    hasty = settings.model_copy(update={"timeout": 0.001, "topics": ("heavy",)})
    seen = said(hasty, small_detection)
    (finding,) = of(Finding, seen)
    assert (finding.code, finding.message) == (
        "statement-timeout",
        "bus: heavy: reading it took too long (raise timeout)",
    )
    assert "a" in {each.name for each in of(FieldSeen, seen)}  # what came until then
    assert not [each for each in of(Covered, seen) if each.aspect is Aspect.CONTENT]


def test_a_topic_that_has_not_changed_is_not_read_again(topic, producer, settings, small_detection):
    topic("still")
    topic("moving")
    for name in ("still", "moving"):
        producer.send(name, b'{"a": 1}').get(10)
    first = of(Covered, said(settings, small_detection))
    tokens = {each.scope: each.token for each in first if each.aspect is Aspect.CONTENT}
    producer.send("moving", b'{"a": 2}').get(10)
    second = said(settings, small_detection, tokens=tokens)
    read = {each.scope.rpartition("/")[2] for each in of(Covered, second) if each.aspect is Aspect.CONTENT}
    assert "moving" in read
    assert "still" not in read
    assert "still" in {each.name for each in of(DatasetSeen, second)}


def test_chunks_that_travel_say_what_a_scan_says(topic, producer, settings, small_detection, divided):
    topic("travelling", 2)
    producer.send("travelling", b'{"mail": "x@canary.example"}').get(10)
    scanner, context = KafkaScanner(settings), ScanContext(small_detection)
    assert sorted(map(repr, divided(scanner, context))) == sorted(map(repr, scanner.scan(context)))


def test_a_topic_that_is_deleted_before_it_is_read_is_a_finding(topic, settings, small_detection, admin):
    import kafka

    # A producer of its own, closed before: one that knows the topic makes it anew.
    producer = kafka.KafkaProducer(bootstrap_servers=settings.bootstrap_servers[0])
    for name in ("t1", "t2", "t3"):
        topic(name)
        producer.send(name, b'{"a": 1}').get(10)
    producer.close()
    seen = []
    for each in KafkaScanner(settings.model_copy(update={"topics": ("t1", "t2", "t3"), "timeout": 3})).scan(
        ScanContext(small_detection)
    ):
        seen.append(each)
        if isinstance(each, Covered) and each.scope.endswith("/t1") and each.aspect is Aspect.STRUCTURE:
            admin.delete_topics(["t2"])
    (finding,) = of(Finding, seen)
    assert (finding.code, finding.about.rpartition("/")[2]) == ("changed", "t2")
    read = [each.scope.rpartition("/")[2] for each in of(Covered, seen) if each.aspect is Aspect.CONTENT]
    assert read == ["t1", "t3"]
    assert "t2" not in {each["name"] for each in admin.describe_topics()}  # looking for it has not made it anew


@pytest.fixture
def allowed(admin):
    """Adds lines to the access list of topics that are gone after the test: principal, topic, and what is special."""
    from kafka import admin as kafka

    made = []

    def allow(principal, topic, *, prefixed=False, deny=False, operation="READ", host="*"):
        kind = kafka.ACLResourcePatternType.PREFIXED if prefixed else kafka.ACLResourcePatternType.LITERAL
        pattern = kafka.ResourcePattern(kafka.ResourceType.TOPIC, topic, kind)
        permission = kafka.ACLPermissionType.DENY if deny else kafka.ACLPermissionType.ALLOW
        made.append(kafka.ACL(principal, host, kafka.ACLOperation[operation], permission, pattern))
        assert admin.create_acls(made[-1:])["failed"] == []

    yield allow
    admin.delete_acls(
        [kafka.ACLFilter(m.principal, m.host, m.operation, m.permission_type, m.resource_pattern) for m in made]
    )


@pytest.fixture
def signed_in(broker, admin, certificate, monkeypatch):
    """Settings of the user `reader`, who signs in by SCRAM over TLS."""
    from kafka.admin import (  # its types leave them out
        ScramMechanism,  # pyright: ignore[reportAttributeAccessIssue]
        UserScramCredentialDeletion,  # pyright: ignore[reportAttributeAccessIssue]
        UserScramCredentialUpsertion,  # pyright: ignore[reportAttributeAccessIssue]
    )

    monkeypatch.setenv("TEST_KAFKA_PASSWORD", "only reads")
    admin.alter_user_scram_credentials(
        [UserScramCredentialUpsertion("reader", ScramMechanism.SCRAM_SHA_256, "only reads", iterations=4096)]
    )
    yield KafkaSettings.model_validate(
        {
            "name": "bus",
            "bootstrap_servers": [f"127.0.0.1:{broker.secure_port}"],
            "tls": True,
            "tls_ca_file": certificate.authority,
            "sasl_mechanism": "SCRAM-SHA-256",
            "user": "reader",
            "password": {"env": "TEST_KAFKA_PASSWORD"},
            "connect_timeout": 1,
        }
    )
    admin.alter_user_scram_credentials([UserScramCredentialDeletion("reader", ScramMechanism.SCRAM_SHA_256)])


def test_signs_in_by_scram_over_tls_and_reads_what_it_may(topic, producer, signed_in, allowed, small_detection):
    for name in ("open", "shut"):
        topic(name)
        producer.send(name, b'{"mail": "person@canary.example"}').get(10)
    allowed("User:reader", "open")
    allowed("User:reader", "shut", operation="DESCRIBE")
    allowed("User:reader", "shut", operation="DESCRIBE_CONFIGS")
    seen = said(signed_in.model_copy(update={"topics": ("open", "shut")}), small_detection)
    assert ("encryption_in_transit", True) in {(each.safeguard, each.present) for each in of(SafeguardSeen, seen)}
    (finding,) = of(Finding, seen)
    assert (finding.code, finding.about.rpartition("/")[2]) == ("no-permission", "shut")
    read = [each.scope.rpartition("/")[2] for each in of(Covered, seen) if each.aspect is Aspect.CONTENT]
    assert read == ["open"]


def test_signs_in_by_plain_over_tls(topic, signed_in, small_detection, monkeypatch):
    topic("signed-in")
    monkeypatch.setenv("TEST_KAFKA_PASSWORD", "plain-secret")
    seen = said(signed_in.model_copy(update={"sasl_mechanism": "PLAIN", "user": "plain"}), small_detection)
    assert "signed-in" in {each.name for each in of(DatasetSeen, seen)}


def test_a_wrong_password_and_an_unknown_authority_are_errors_in_our_own_words(signed_in, small_detection, monkeypatch):
    with pytest.raises(SourceError, match=r"^bus: cannot reach 127.0.0.1"):
        said(signed_in.model_copy(update={"tls_ca_file": None}), small_detection)
    monkeypatch.setenv("TEST_KAFKA_PASSWORD", "sesame")
    with pytest.raises(SourceError, match=r"^bus: the broker refused the user or password") as raised:
        said(signed_in, small_detection)
    assert raised.value.__context__ is None
    assert not [each for each in threading.enumerate() if each.name == "kafka-io-privacy-inventory"]


def test_says_who_may_read_by_the_access_lists(topic, settings, allowed, small_detection):
    for name in ("bills", "bills-eu", "free"):
        topic(name)
    allowed("User:clerk", "bills")
    allowed("User:writer", "bills", operation="WRITE")
    allowed("User:etl", "bills", prefixed=True, operation="ALL")
    allowed("User:etl", "bills-eu", deny=True)
    allowed("User:near", "bills-eu", host="127.0.0.1")
    allowed("User:auditor", "*")
    allowed("User:auditor", "bills")
    seen = said(settings, small_detection)
    found = {(a.data.rpartition("/")[2], a.principal, a.kind.value, a.privilege) for a in of(AccessSeen, seen)}
    assert found == {
        (settings.bootstrap_servers[0], "auditor", "user", "Read"),
        ("bills", "clerk", "user", "Read"),
        ("bills", "etl", "user", "All"),
        ("bills-eu", "near", "user", "Read"),
    }
    covered = {each.scope.rpartition("/")[2] for each in of(Covered, seen) if each.aspect is Aspect.ACCESS}
    assert {"bills", "bills-eu", "free"} <= covered
    assert settings.bootstrap_servers[0] not in covered  # who the super users are is not told


def test_refused_connection_is_one_error_in_our_own_words(small_detection):
    pytest.importorskip("kafka")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = KafkaSettings(name="bus", bootstrap_servers=(f"127.0.0.1:{port}",), connect_timeout=0.5)
    with pytest.raises(SourceError, match=rf"^bus: cannot reach 127.0.0.1:{port}"):
        said(settings, small_detection)


def test_a_broker_that_stops_in_the_middle_ends_the_scan(fleet_stores, kafka_broker, tmp_path, small_detection):
    import kafka

    seen = []
    with ExitStack() as server:
        port = server.enter_context(fleet_stores.kafka(tmp_path)).port
        producer = kafka.KafkaProducer(bootstrap_servers=f"127.0.0.1:{port}")
        for name in ("a", "b"):
            producer.send(name, b'{"x": 1}').get(20)
        producer.close()
        settings = KafkaSettings(name="bus", bootstrap_servers=(f"127.0.0.1:{port}",), connect_timeout=1)
        stream = KafkaScanner(settings).scan(ScanContext(small_detection))
        for each in stream:
            seen.append(each)
            if isinstance(each, Covered) and each.aspect is Aspect.STRUCTURE:
                break
        server.close()
        with pytest.raises(SourceError, match=r"^bus: cannot reach"):
            seen.extend(stream)
    assert ("everyone", "public") in {(each.principal, each.kind.value) for each in of(AccessSeen, seen)}
    assert {each.scope.rpartition("/")[2] for each in of(Covered, seen) if each.aspect is Aspect.STRUCTURE} == {"a"}


def test_stretches_take_as_many_as_asked_from_all_over():
    ranges = [_Range(n, 1000, 1000 + 500 * n) for n in range(40)]
    found = list(_stretches(ranges, 1000, 7))
    assert sum(count for *_, count in found) == 1000
    assert all(1000 <= start < end <= 1000 + 500 * number for number, start, end, _ in found)
    assert len({number for number, *_ in found}) <= 20
    assert list(_stretches([_Range(0, 5, 5)], 10, 1)) == []
    assert list(_stretches([_Range(0, 0, 3)], 10, 1)) == [(0, 0, 3, 10)]
