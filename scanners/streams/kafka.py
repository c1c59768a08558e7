"""Apache Kafka 2.0 and later and what speaks its protocol (Redpanda), by kafka-python.

Messages are read by assigning partitions and seeking: the scanner joins no group and commits no offset, so no
consumer of the topic notices. What is read lies between the offsets that a partition had when it was listed, so an
endless stream ends. A topic whose offsets are those of the last scan is not read again.
"""

from __future__ import annotations

import base64
import contextlib
import socket
import ssl
import time
from collections import Counter
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal, TypeAlias, cast

from pydantic import Field, field_validator, model_validator

from inventory.errors import SourceError, UnreadableError
from inventory.model import DatasetKind, SystemKind
from scanners.access import without_credentials
from scanners.base import Secret, SourceSettings, stable_seed
from scanners.databases.catalog import Fault
from scanners.detection.interface import Detection
from scanners.record_store import (
    DAY,
    Opening,
    RecordSet,
    RecordStoreScanner,
    Retention,
    TLSSettings,
    encryption_in_transit,
    http_address,
    missing_driver,
    quiet,
)
from scanners.sightings import KnownField
from scanners.streams.payload import Decoder, SchemaRegistry, UnknownFormat
from scanners.streams.permissions import ALL_TOPICS, NO_LISTS, access_rules, readers

CLIENT_ID = "privacy-inventory"
MOST_PARTITIONS = 20  # of one topic that are read
STRETCHES = 4  # of one partition
KEY, HEADERS, VALUE = "_key", "_headers", "value"
_INTERNAL = frozenset({"_schemas"})  # the registry's own; the broker marks its own
_POLL_MS = 500

KafkaPython: TypeAlias = Any  # kafka-python has no annotations


class KafkaSettings(TLSSettings):
    """The topics of a Kafka cluster."""

    type: Literal["kafka"] = "kafka"
    bootstrap_servers: tuple[str, ...] = Field(default=("localhost:9092",), min_length=1, description="host:port")
    sasl_mechanism: Literal["", "PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = ""
    user: str = Field(
        default="",
        description="May Describe and Read topics, and DescribeConfigs; Describe the cluster, to see who may read.",
    )
    password: Secret | None = None
    topics: tuple[str, ...] = Field(default=(), description="Only these topics; all when empty.")
    exclude_topics: tuple[str, ...] = Field(default=(), description="Not these topics.")
    schema_registry: str = Field(default="", description="The registry's address: https://registry.example.com.")
    schema_registry_user: str = ""
    schema_registry_password: Secret | None = None
    timeout: float = Field(default=30.0, gt=0, le=600, description="Most seconds to read one topic.")
    connect_timeout: float = Field(default=10.0, gt=0, le=300, description="Seconds to wait for a broker.")

    @field_validator("schema_registry")
    @classmethod
    def _is_address(cls, value: str) -> str:
        return value and http_address(value, "https://registry.example.com")

    @model_validator(mode="after")
    def _fits_together(self) -> KafkaSettings:
        if bool(self.sasl_mechanism) != bool(self.user and self.password):
            raise ValueError("sasl_mechanism, user and password go together")
        if bool(self.schema_registry_user) != bool(self.schema_registry_password):
            raise ValueError("schema_registry_user and schema_registry_password go together")
        return self


@dataclass(frozen=True, slots=True)
class Clients:
    """What asks about topics, what reads them, and what makes records of their messages."""

    admin: KafkaPython
    consumer: KafkaPython
    decoder: Decoder
    registry: SchemaRegistry | None


@dataclass(frozen=True, slots=True)
class _Range:
    """The offsets that a partition had when it was listed; `end` is the next to be written."""

    partition: int
    start: int
    end: int


class KafkaScanner(RecordStoreScanner[KafkaSettings, Clients]):
    """Scans the topics of one cluster."""

    settings_type: ClassVar[type[SourceSettings]] = KafkaSettings
    engine_name = "kafka"
    queries_of_sample = 2 * STRETCHES
    system_kind = SystemKind.STREAM

    @property
    def system(self) -> str:
        """`kafka://host:port` of the first bootstrap server, after OpenLineage."""
        return self.settings.namespace or f"kafka://{self.settings.bootstrap_servers[0]}"

    def listed(self) -> tuple[str, ...]:
        """Everything, unless only some topics were asked for: then nothing is known to have ended."""
        return () if self.settings.topics or self.settings.exclude_topics else ("",)

    # --- connection ----------------------------------------------------------------------------------------

    @contextmanager
    def connected(self) -> Generator[Clients]:
        """Clients that read."""
        settings = self.settings
        try:
            import kafka
        except ImportError:
            raise missing_driver(settings.name, "kafka") from None
        quiet("kafka")
        options = self._options()
        registry = self._registry()
        with contextlib.ExitStack() as stack:
            if registry is not None:
                stack.callback(registry.close)
            clients = self._asked(lambda: self._connect(cast(KafkaPython, kafka), options, stack))
            if clients is None:
                raise SourceError(settings.name, _NOT_LET_IN.cause, _NOT_LET_IN.remedy, _NOT_LET_IN.code)
            yield Clients(*clients, Decoder(registry), registry)

    def _connect(
        self, kafka: KafkaPython, options: Mapping[str, Any], stack: contextlib.ExitStack
    ) -> tuple[KafkaPython, KafkaPython] | None:
        """What asks, and what reads; None when the brokers take our connection and do not let us in."""

        def opened(**config: Any) -> KafkaPython:
            """The driver's own client; one that does not get in would else keep its thread."""
            client = kafka.KafkaAdminClient.DEFAULT_CONFIG["kafka_client"](**config)
            stack.callback(client.close)
            return client

        try:
            admin = kafka.KafkaAdminClient(**options, kafka_client=opened)
        except kafka.errors.KafkaTimeoutError:  # tried again and again, whatever the reason
            if self.settings.sasl_mechanism and self._answers():
                return None
            raise
        stack.callback(admin.close)
        consumer = kafka.KafkaConsumer(
            **options,
            kafka_client=opened,
            group_id=None,
            enable_auto_commit=False,
            allow_auto_create_topics=False,
            auto_offset_reset="none",
            fetch_max_bytes=self.settings.sampling.bytes,
            max_partition_fetch_bytes=min(self.settings.sampling.bytes, 2**20),
        )
        stack.callback(consumer.close, autocommit=False, timeout_ms=1000)
        # kafka-python 3.0.12 does not hand `allow_auto_create_topics` on to what asks for metadata: a topic that is
        # deleted while it is read would be made anew.
        consumer._cluster.config["allow_auto_create_topics"] = False
        return admin, consumer

    def _options(self) -> dict[str, Any]:
        settings = self.settings
        milliseconds = round(settings.connect_timeout * 1000)
        security = ("SASL_" if settings.sasl_mechanism else "") + ("SSL" if settings.tls else "PLAINTEXT")
        options: dict[str, Any] = {
            "bootstrap_servers": list(settings.bootstrap_servers),
            "client_id": CLIENT_ID,
            "security_protocol": security,
            "bootstrap_timeout_ms": milliseconds,
            "request_timeout_ms": milliseconds + 5000,
            "reconnect_backoff_max_ms": 1000,
        }
        if settings.authorities is not None:
            options["ssl_cafile"] = settings.authorities
        if settings.password is not None:
            options |= {
                "sasl_mechanism": settings.sasl_mechanism,
                "sasl_plain_username": settings.user,
                "sasl_plain_password": settings.password.reveal().get_secret_value(),
            }
        return options

    def _registry(self) -> SchemaRegistry | None:
        settings = self.settings
        if not settings.schema_registry:
            return None
        headers: dict[str, str] = {}
        if settings.schema_registry_password is not None:
            password = settings.schema_registry_password.reveal().get_secret_value()
            pair = f"{settings.schema_registry_user}:{password}".encode()
            headers["Authorization"] = "Basic " + base64.b64encode(pair).decode()
        return SchemaRegistry(settings.name, settings.schema_registry, headers)

    def opening(self, client: Clients) -> Opening:
        """Whether the session is encrypted; who may read every topic. A broker does not tell its version.

        Nor does it tell who its super users are, and whether a topic without an access list is everyone's.
        """
        encrypted = encryption_in_transit(self.system, self.settings.tls)
        rules = access_rules(client.admin)
        if rules is NO_LISTS and not self.settings.sasl_mechanism:
            unguarded, everyone = without_credentials(self.system, "Read")
            return Opening("", (encrypted, unguarded), (everyone,))
        whole = None if rules is None else tuple(readers(rules, ALL_TOPICS))
        return Opening("", (encrypted,), whole, all_readers=rules is NO_LISTS)

    # --- listing -------------------------------------------------------------------------------------------

    def listing(self, client: Clients, detection: Detection) -> Iterator[RecordSet | UnreadableError]:
        """Every topic but the brokers' own."""
        settings, rules = self.settings, access_rules(client.admin)
        topics = cast("list[Mapping[str, Any]]", client.admin.describe_topics(list(settings.topics) or None))
        for topic in sorted(topics, key=lambda each: str(each["name"])):
            name = str(topic["name"])
            if topic["is_internal"] or name.startswith("__") or name in _INTERNAL or name in settings.exclude_topics:
                continue
            if topic["error_code"]:
                title = f"{settings.name}: {name}"
                fault = _OF_CODE.get(int(topic["error_code"]), _OFFLINE)
                yield UnreadableError(title, fault.cause, fault.remedy, fault.code)
            else:
                may_read = None if rules is None else tuple(readers(rules, name))
                yield replace(self._record_set(client, name, topic), readers=may_read)

    def _record_set(self, client: Clients, name: str, topic: Mapping[str, Any]) -> RecordSet:
        ranges = _ranges(client.consumer, name, topic["partitions"])
        known: list[KnownField] = []
        if client.registry is not None:
            known += client.registry.declared(name)
        return RecordSet(
            name,
            DatasetKind.TOPIC,
            row_estimate=sum(each.end - each.start for each in ranges),
            retention=_retention(client.admin, name),
            known=tuple(known),
            state=(topic.get("topic_id"), *((each.partition, each.start, each.end) for each in ranges)),
            handle=ranges,
        )

    # --- content -------------------------------------------------------------------------------------------

    def sample(self, client: Clients, subject: RecordSet) -> Iterator[Mapping[str, Any]]:
        """Stretches spread over the topic's partitions, and over each one's offsets."""
        unknown: Counter[str] = Counter()
        seen = 0
        for message in self._messages(client, subject):
            seen += 1
            record: dict[str, Any] = {}
            for part, payload in ((KEY, message.key), (VALUE, message.value)):
                try:
                    value = client.decoder.decode(payload)
                except UnknownFormat as error:
                    unknown[str(error)] += 1
                    continue
                except UnreadableError as error:
                    unknown[f"of a schema that the registry does not give ({error.cause})"] += 1
                    continue
                if part == VALUE and isinstance(value, dict):
                    record |= cast(dict[str, Any], value)
                elif value is not None:
                    record[part] = value
            headers = {name: _header(value) for name, value in message.headers or ()}
            yield record | ({HEADERS: headers} if headers else {})
        if unknown:
            cause = "; ".join(f"{count} parts of {seen} messages are {words}" for words, count in unknown.items())
            raise UnreadableError(f"{self.settings.name}: {subject.name}", cause, "", "unknown-format")

    def _messages(self, client: Clients, subject: RecordSet) -> Iterator[Any]:
        consumer = client.consumer
        deadline = time.monotonic() + self.settings.timeout
        seed = stable_seed(str(self.settings.sampling.seed), subject.name)
        for partition, start, end, count in _stretches(subject.handle, self.settings.sampling.rows, seed):
            place = _topic_partition(subject.name, partition)
            consumer.assign([place])
            consumer.seek(place, start)
            taken = 0
            while taken < count and consumer.position(place) < end:
                found = consumer.poll(timeout_ms=_POLL_MS, max_records=count - taken)
                for message in found.get(place, ()):
                    if message.offset >= end:
                        taken = count
                        break
                    taken += 1
                    yield message
                late = taken < count and time.monotonic() > deadline
                if late or not found:
                    self._refuse_gone(client, subject)
                if late:
                    title = f"{self.settings.name}: {subject.name}"
                    raise UnreadableError(title, "reading it took too long", "raise timeout", "statement-timeout")

    def _refuse_gone(self, client: Clients, subject: RecordSet) -> None:
        """The driver waits for a broker that is gone for as long as it is gone, and for a topic likewise."""
        if not self._answers():
            fault = self._unreachable()
            raise SourceError(self.settings.name, fault.cause, fault.remedy, fault.code)
        if client.admin.describe_topics([subject.name])[0]["error_code"]:
            title = f"{self.settings.name}: {subject.name}"
            raise UnreadableError(title, _CHANGED.cause, _CHANGED.remedy, _CHANGED.code)

    def _answers(self) -> bool:
        """Whether any of the servers takes a connection, by TLS if it is on."""
        for server in self.settings.bootstrap_servers:
            host, _, port = server.rpartition(":")
            host = host.strip("[]")
            with (
                contextlib.suppress(OSError),
                socket.create_connection((host, int(port)), self.settings.connect_timeout) as plain,
            ):
                if self.settings.tls:
                    authorities = ssl.create_default_context(cafile=self.settings.authorities)
                    authorities.wrap_socket(plain, server_hostname=host).close()
                return True
        return False

    def _unreachable(self) -> Fault:
        server = self.settings.bootstrap_servers[0]
        return Fault("unreachable", f"cannot reach {server}", "check bootstrap_servers, tls and network", True)

    def fault(self, error: Exception) -> Fault | None:
        """By the driver's class, and the broker's code (kafka.apache.org/protocol#protocol_error_codes)."""
        from kafka import errors

        kinds = cast(KafkaPython, errors)
        if isinstance(error, kinds.SaslAuthenticationFailedError):
            return _NOT_LET_IN
        if isinstance(error, kinds.TopicAuthorizationFailedError):
            return _NO_PERMISSION
        if isinstance(error, kinds.KafkaTimeoutError | kinds.KafkaConnectionError | kinds.NodeNotReadyError):
            return self._unreachable()
        if isinstance(error, kinds.UnsupportedCodecError):
            return Fault("missing-driver", "its compression needs a library", "pip install 'privacy-inventory[kafka]'")
        if isinstance(error, kinds.OffsetOutOfRangeError | kinds.UnknownTopicOrPartitionError):
            return _CHANGED
        if isinstance(error, kinds.CorruptRecordError):
            return Fault("damaged", "holds messages whose checksum is wrong", "check the brokers' disks")
        if isinstance(error, kinds.KafkaError):
            return Fault("unreadable", f"the broker refused ({type(error).__name__})", "report this")
        return None


SCANNER = KafkaScanner

_NOT_LET_IN = Fault(
    "sign-in", "the broker refused the user or password", "check sasl_mechanism, user and password", True
)
_NO_PERMISSION = Fault("no-permission", "no permission to read it", "grant Describe and Read to the user")
_CHANGED = Fault("changed", "it was dropped or changed while it was read", "scan again")
_OFFLINE = Fault("unreadable", "the brokers cannot give it now", "scan again later")
_OF_CODE = {3: Fault("no-such-topic", "there is no such topic", "check topics"), 29: _NO_PERMISSION}


def _topic_partition(topic: str, partition: int) -> KafkaPython:
    import kafka

    return cast(KafkaPython, kafka).TopicPartition(topic, partition)


def _ranges(consumer: KafkaPython, topic: str, partitions: Sequence[Mapping[str, Any]]) -> tuple[_Range, ...]:
    places = [_topic_partition(topic, number) for number in sorted(each["partition_index"] for each in partitions)]
    starts, ends = consumer.beginning_offsets(places), consumer.end_offsets(places)
    return tuple(_Range(place.partition, starts[place], ends[place]) for place in places)


def _stretches(ranges: Sequence[_Range], rows: int, seed: int) -> Iterator[tuple[int, int, int, int]]:
    """Partition, first offset, end and most messages of each stretch; the last of a partition ends where it ends."""
    filled = [each for each in ranges if each.end > each.start]
    step = -(-len(filled) // MOST_PARTITIONS) or 1
    chosen = filled[seed % step :: step] or filled[:1]
    for number, each in enumerate(chosen):
        share = rows // len(chosen) + (number < rows % len(chosen))
        if not share:
            return
        if each.end - each.start <= share:
            yield each.partition, each.start, each.end, share
            continue
        parts = min(STRETCHES, share)
        last = each.end - -(-share // parts)
        for part in range(parts):
            count = share // parts + (part < share % parts)
            start = each.start + (last - each.start) * part // max(parts - 1, 1)
            yield each.partition, start, each.end, count


def _retention(admin: KafkaPython, topic: str) -> Retention:
    """By `cleanup.policy` and `retention.ms`; a compacted topic keeps the last message of a key for ever."""
    from kafka import errors
    from kafka.admin import ConfigResource, ConfigResourceType

    resource = cast(KafkaPython, ConfigResource)(
        cast(KafkaPython, ConfigResourceType).TOPIC, topic, configs={"retention.ms": None, "cleanup.policy": None}
    )
    try:
        answer = admin.describe_configs([resource], config_filter="all")
    except cast(KafkaPython, errors).AuthorizationError:
        return Retention()
    said: Mapping[str, Mapping[str, Any]] = answer.get("topic", {}).get(topic, {})
    policy = str(said.get("cleanup.policy", {}).get("value") or "")
    value = str(said.get("retention.ms", {}).get("value") or "")
    if "delete" not in policy:
        return Retention(None, f"cleanup.policy is {policy}" if policy else "")
    if not value.removeprefix("-").isdigit():
        return Retention()
    days = int(value) / 1000 / DAY
    return Retention(round(days, 4) if days >= 0 else None, f"cleanup.policy is {policy}, retention.ms is {value}")


def _header(value: bytes | None) -> str | None:
    return None if value is None else value.decode("utf-8", "replace")
