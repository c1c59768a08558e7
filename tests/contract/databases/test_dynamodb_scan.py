"""The DynamoDB scanner on moto's server: what it says, how it samples, and what goes wrong."""

from __future__ import annotations

import json
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from inventory.errors import SourceError
from inventory.model import AccessSeen, Aspect, Covered, DatasetSeen, FieldClassified, FieldSeen, Finding, SafeguardSeen
from scanners.base import ScanContext
from scanners.databases.dynamodb import DynamoDBScanner, DynamoDBSettings

ACCOUNT = {"type": "dynamodb", "name": "dynamo", "account": "123456789012", "region_name": "ca-central-1"}
KEYS = {"access_key_id": {"env": "TEST_DYNAMO_KEY"}, "secret_access_key": {"env": "TEST_DYNAMO_KEY"}}


@pytest.fixture(scope="session")
def moto_server(running_store) -> int:
    return running_store("moto")


@pytest.fixture
def client(moto_server):
    """An administrator's client; its tables are gone after the test."""
    boto3 = pytest.importorskip("boto3")
    client = boto3.client(
        "dynamodb",
        endpoint_url=f"http://127.0.0.1:{moto_server}",
        region_name="ca-central-1",
        aws_access_key_id="x",
        aws_secret_access_key="x",
    )
    yield client
    for name in client.list_tables()["TableNames"]:
        client.delete_table(TableName=name)


def settings_of(port: int, monkeypatch, **more) -> DynamoDBSettings:
    monkeypatch.setenv("TEST_DYNAMO_KEY", "secret-key-0001")
    endpoint = {"endpoint": f"http://127.0.0.1:{port}", "allow_http": True}
    return DynamoDBSettings.model_validate({**ACCOUNT, **KEYS, **endpoint, **more})


@pytest.fixture
def settings(moto_server, monkeypatch):
    return settings_of(moto_server, monkeypatch)


def table(client, name):
    client.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )


def said(settings, detection, **context):
    return list(DynamoDBScanner(settings).scan(ScanContext(detection, **context)))


def of(kind, observations):
    return [each for each in observations if isinstance(each, kind)]


def test_says_tables_keys_nested_attributes_and_retention(client, settings):
    from scanners.detection import ColumnDetector

    table(client, "people")
    client.update_time_to_live(
        TableName="people", TimeToLiveSpecification={"Enabled": True, "AttributeName": "expires_at"}
    )
    for n in range(60):
        contact = {"M": {"email": {"S": f"person{n}@canary.example"}}}
        item = {"id": {"S": f"id-{n}"}, "contact": contact, "age": {"N": "31"}, "raw": {"B": b"\xff\xfe"}}
        client.put_item(TableName="people", Item=item)
    seen = said(settings, ColumnDetector())
    (dataset,) = of(DatasetSeen, seen)
    assert dataset.urn == "arn:aws:dynamodb:ca-central-1:123456789012/table/people"
    assert dataset.row_estimate == 60
    assert dataset.retention_evidence == "items are deleted at the time in their attribute expires_at"
    fields = {each.name: each for each in of(FieldSeen, seen)}
    assert fields["id"].primary_key
    assert fields["id"].type == "string"
    found = {each.field.rpartition("#")[2]: each.category for each in of(FieldClassified, seen)}
    assert found["contact/email"] == "user.contact.email"
    assert not of(Finding, seen)
    assert seen[-1] == Covered("arn:aws:dynamodb:ca-central-1:123456789012", Aspect.LISTING)
    assert "canary.example" not in repr(seen)


def test_a_sample_is_bounded_and_the_same_each_time(client, settings, small_detection):
    table(client, "many")
    for start in range(0, 300, 25):
        puts = [{"PutRequest": {"Item": {"id": {"S": str(n)}}}} for n in range(start, start + 25)]
        client.batch_write_item(RequestItems={"many": puts})
    few = settings.model_copy(update={"sampling": settings.sampling.model_copy(update={"rows": 50})})
    scanner = DynamoDBScanner(few)
    samples = []
    for _ in range(2):
        with scanner.connected() as connected:
            (subject,) = scanner.listing(connected, small_detection)
            samples.append([record["id"] for record in scanner.sample(connected, subject)])  # type: ignore[arg-type]
    assert samples[0] == samples[1]
    assert 40 <= len(set(samples[0])) == len(samples[0]) <= 50


def contents(seen):
    return {each.scope: each.token for each in of(Covered, seen) if each.aspect is Aspect.CONTENT}


@pytest.fixture
def recorded(moto_server):
    """Which questions were sent to the server meanwhile, as a call that gives their names."""
    recorder = f"http://127.0.0.1:{moto_server}/moto-api/recorder"

    def asked() -> list[str]:
        lines = httpx.get(f"{recorder}/download-recording").text.splitlines()
        return [json.loads(line)["headers"].get("X-Amz-Target", "").rpartition(".")[2] for line in lines if line]

    httpx.post(f"{recorder}/reset-recording")
    httpx.post(f"{recorder}/start-recording")
    yield asked
    httpx.post(f"{recorder}/stop-recording")


def test_what_has_not_changed_is_not_read_again(client, settings, small_detection, recorded):
    for name in ("still", "moving"):
        table(client, name)
        client.put_item(TableName=name, Item={"id": {"S": "1"}})
    tokens = contents(said(settings, small_detection))
    assert all(tokens.values())
    assert recorded().count("Scan") == 2
    assert contents(said(settings, small_detection, tokens=tokens)) == {}
    assert recorded().count("Scan") == 2
    assert recorded().count("DescribeTable") == 4

    client.put_item(TableName="moving", Item={"id": {"S": "2"}})
    read = contents(said(settings, small_detection, tokens=tokens))
    assert {urn.rpartition("/")[2] for urn in read} == {"moving"}
    assert recorded().count("Scan") == 3


def test_chunks_that_travel_say_what_a_scan_says(client, settings, small_detection, divided):
    table(client, "people")
    client.put_item(TableName="people", Item={"id": {"S": "x@canary.example"}})
    scanner, context = DynamoDBScanner(settings), ScanContext(small_detection)
    assert sorted(map(repr, divided(scanner, context))) == sorted(map(repr, scanner.scan(context)))


def policy(actions, resource="*", effect="Allow", **more):
    statement = {"Effect": effect, "Action": actions, "Resource": resource, **more}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@pytest.fixture
def iam(moto_server):
    """An administrator's client of IAM, emptied after the test."""
    boto3 = pytest.importorskip("boto3")
    yield boto3.client(
        "iam",
        endpoint_url=f"http://127.0.0.1:{moto_server}",
        region_name="ca-central-1",
        aws_access_key_id="x",
        aws_secret_access_key="x",
    )
    httpx.post(f"http://127.0.0.1:{moto_server}/moto-api/reset")


def test_says_who_may_read_by_iam_and_by_the_tables_own_policy(client, iam, settings, small_detection):
    for name in ("people", "open"):
        table(client, name)
    arn = "arn:aws:dynamodb:ca-central-1:123456789012:table/"
    for name in ("root", "clerk", "writer", "barred", "jo@canary.example"):
        iam.create_user(UserName=name)
    iam.put_user_policy(UserName="root", PolicyName="p", PolicyDocument=policy("*"))
    iam.put_user_policy(UserName="writer", PolicyName="p", PolicyDocument=policy("dynamodb:Put*"))
    iam.put_user_policy(UserName="barred", PolicyName="p", PolicyDocument=policy("dynamodb:*"))
    iam.put_user_policy(UserName="barred", PolicyName="q", PolicyDocument=policy("dynamodb:*", effect="Deny"))
    iam.put_user_policy(
        UserName="jo@canary.example", PolicyName="p", PolicyDocument=policy(["dynamodb:getitem"], f"{arn}op?n")
    )
    iam.create_group(GroupName="staff")
    iam.add_user_to_group(GroupName="staff", UserName="clerk")
    made = iam.create_policy(PolicyName="reads", PolicyDocument=policy("dynamodb:Query", f"{arn}people"))
    iam.attach_group_policy(GroupName="staff", PolicyArn=made["Policy"]["Arn"])
    iam.create_role(RoleName="app", AssumeRolePolicyDocument=policy("sts:AssumeRole"))
    iam.put_role_policy(RoleName="app", PolicyName="p", PolicyDocument=policy("dynamodb:Scan", f"{arn}people"))
    other = {"AWS": ["arn:aws:iam::999999999999:role/etl", "arn:aws:iam::123456789012:user/writer"]}
    client.put_resource_policy(
        ResourceArn=f"{arn}people", Policy=policy("dynamodb:Scan", f"{arn}people", Principal=other)
    )
    client.put_resource_policy(ResourceArn=f"{arn}open", Policy=policy("dynamodb:*", f"{arn}open", Principal="*"))

    seen = said(settings.model_copy(update={"iam_endpoint": settings.endpoint}), small_detection)
    found = {(each.data.rpartition(":")[2], each.principal, each.kind.value, each.via) for each in of(AccessSeen, seen)}
    assert found == {
        ("123456789012", "user/root", "user", ""),
        ("123456789012/table/people", "user/clerk", "user", "group/staff"),
        ("123456789012/table/people", "role/app", "role", ""),
        ("123456789012/table/people", "arn:aws:iam::999999999999:role/etl", "role", ""),
        ("123456789012/table/people", "user/writer", "user", ""),
        ("123456789012/table/open", "user/‹email›", "user", ""),
        ("123456789012/table/open", "everyone", "public", ""),
    }
    assert len([each for each in of(Covered, seen) if each.aspect is Aspect.ACCESS]) == 3
    assert "canary" not in repr(seen)

    without = said(settings, small_detection)  # without IAM it is not known who else may read
    assert {each.principal for each in of(AccessSeen, without)} >= {"everyone", "user/writer"}
    assert not [each for each in of(Covered, without) if each.aspect is Aspect.ACCESS]


def test_a_table_that_is_not_there_is_a_finding(client, settings, small_detection):
    table(client, "here")
    seen = said(settings.model_copy(update={"tables": ("here", "gone")}), small_detection)
    (finding,) = of(Finding, seen)
    assert finding.code == "changed"
    assert {each.name for each in of(DatasetSeen, seen)} == {"table/here"}


def test_refused_connection_is_one_error_in_our_own_words(monkeypatch, small_detection):
    pytest.importorskip("boto3")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with pytest.raises(SourceError, match=r"^dynamo: cannot reach http://127.0.0.1"):
        said(settings_of(port, monkeypatch), small_detection)


def test_by_tls_and_only_with_the_authority_that_is_trusted(
    fleet_stores, moto_server, certificate, tmp_path, monkeypatch, small_detection
):
    with fleet_stores.moto(tmp_path, certificate.certificate, certificate.key) as port:
        settings = settings_of(port, monkeypatch, endpoint=f"https://127.0.0.1:{port}", allow_http=False)
        with pytest.raises(SourceError, match=r"^dynamo: cannot reach https://127.0.0.1"):
            said(settings, small_detection)
        monkeypatch.setenv("AWS_CA_BUNDLE", str(certificate.authority))
        (safeguard,) = of(SafeguardSeen, said(settings, small_detection))
    assert (safeguard.safeguard, safeguard.present) == ("encryption_in_transit", True)


def test_no_answer_in_time_is_one_error_in_our_own_words(monkeypatch, small_detection):
    pytest.importorskip("boto3")
    with socket.socket() as silent:  # takes connections, and answers none
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        settings = settings_of(silent.getsockname()[1], monkeypatch, timeout=0.1)
        with pytest.raises(SourceError, match=r"^dynamo: Amazon did not answer in time \(raise timeout"):
            said(settings, small_detection)


@pytest.fixture
def refusing(monkeypatch):
    """A double of the service that answers three times and then says what a test writes into `refusal`."""
    answers = [
        {"TableNames": ["a"]},
        {"TableNames": ["a"]},
        {"Table": {"KeySchema": [], "AttributeDefinitions": [], "ItemCount": 1}},
    ]
    refusal = {"__type": "com.amazonaws#ExpiredTokenException", "message": "person@canary.example"}

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            body = json.dumps(answers[0] if answers else refusal).encode()
            self.send_response(200 if answers else 400)
            if answers:
                answers.pop(0)
            self.send_header("Content-Type", "application/x-amz-json-1.0")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield settings_of(server.server_address[1], monkeypatch), refusal
    server.shutdown()
    server.server_close()
    thread.join(10)


def test_credentials_that_expire_in_the_middle_end_the_scan(refusing, small_detection):
    pytest.importorskip("boto3")
    settings, _ = refusing
    seen = []
    with pytest.raises(SourceError, match=r"^dynamo: the credentials are refused or have expired") as raised:
        seen.extend(DynamoDBScanner(settings).scan(ScanContext(small_detection)))
    assert raised.value.__context__ is None
    assert [each.name for each in of(DatasetSeen, seen)] == ["table/a"]


def test_what_amazon_refuses_is_a_finding_in_our_own_words(refusing, small_detection):
    pytest.importorskip("boto3")
    settings, refusal = refusing
    refusal["__type"] = "com.amazonaws#AccessDeniedException"
    seen = said(settings, small_detection)
    (finding,) = of(Finding, seen)
    assert finding.code == "no-permission"
    assert "canary" not in finding.message
    assert Covered(finding.about, Aspect.CONTENT) not in seen
