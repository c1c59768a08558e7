"""Real servers of the stores that are no SQL databases, each prepared once into .cache/fleet, on a free loopback port.

Every one is a child that ends with its starter (`seed/estate/servers/leash.py`). What cannot run here raises
ToolchainMissing with the reason.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from seed.estate.servers.process import free_port, running

ROOM = Path(__file__).parent


class ToolchainMissing(Exception):
    """What has to be installed first."""


# --- preparing --------------------------------------------------------------------------------------------


def _needed(purpose: str, *tools: str) -> None:
    for tool in tools:
        if shutil.which(tool) is None:
            raise ToolchainMissing(f"{purpose} needs {tool}")


def _prepared(name: str, inputs: Sequence[str], prepare: Callable[[Path], None]) -> Path:
    """The cache folder of one server, made by `prepare` when it is not there or its inputs have changed."""
    cache = Path(os.environ.get("INVENTORY_CACHE") or ROOM.parents[1] / ".cache") / "fleet" / name
    cache.mkdir(parents=True, exist_ok=True)
    wanted = b"".join((ROOM / name / each).read_bytes() for each in inputs)
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two test runs at once prepare it one after the other
        done = cache / "inputs"
        if not done.exists() or done.read_bytes() != wanted:
            prepare(cache)
            done.write_bytes(wanted)
    return cache


def _jars(name: str) -> str:
    """The class path of the artifacts that the server's pom.xml names, brought by Maven."""
    _needed(f"a real {name} server", "java", "mvn")

    def bring(cache: Path) -> None:
        shutil.rmtree(cache / "lib", ignore_errors=True)
        goal = ["dependency:copy-dependencies", f"-DoutputDirectory={cache / 'lib'}"]
        subprocess.run(["mvn", "-q", "-B", "-f", str(ROOM / name / "pom.xml"), *goal], check=True)

    return f"{_prepared(name, ['pom.xml'], bring) / 'lib'}/*"


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


# --- servers ----------------------------------------------------------------------------------------------


@contextmanager
def ferretdb(home: Path, *certificate: Path) -> Iterator[int]:
    """The port of a FerretDB (MongoDB's protocol over SQLite); by TLS, with the files of a certificate and its key."""
    _needed("FerretDB", "go")

    def build(cache: Path) -> None:
        command = ["go", "build", "-buildvcs=false", "-o", str(cache / "ferretdb"), "."]
        subprocess.run(command, cwd=ROOM / "ferretdb", check=True)

    program = _prepared("ferretdb", ["go.mod", "go.sum", "main.go"], build) / "ferretdb"
    data = home / "data"
    data.mkdir()

    def command(port: int) -> list[str]:
        return [str(program), str(port), str(data), *map(str, certificate)]

    with running("ferretdb", command, _listens, home / "log") as port:
        yield port


@contextmanager
def redis(home: Path, *certificate: Path) -> Iterator[int]:
    """The port of a Redis without persistence; by TLS, with the files of a certificate and its key."""
    _needed("Redis", "redis-server")

    def command(port: int) -> list[str]:
        kept = ["--save", "", "--appendonly", "no", "--dir", str(home)]
        listening = ["--port", str(port)]
        if certificate:
            shown, key = map(str, certificate)
            listening = ["--port", "0", "--tls-port", str(port), "--tls-cert-file", shown, "--tls-key-file", key]
            listening += ["--tls-ca-cert-file", shown, "--tls-auth-clients", "no"]
        return ["redis-server", "--bind", "127.0.0.1", *listening, *kept]

    with running("redis", command, _listens, home / "log") as port:
        yield port


class Broker(NamedTuple):
    """A Kafka's port for anyone, who may do everything, and that for those who sign in by TLS (0: none)."""

    port: int
    secure_port: int = 0


@contextmanager
def kafka(home: Path, *certificate: Path) -> Iterator[Broker]:
    """A Kafka broker that is its own controller (KRaft).

    With a file of a key and its certificate: it has a second port for SASL over TLS (PLAIN user plain/plain-secret, and
    whoever is given SCRAM credentials) and keeps access lists, without which a topic is everyone's.
    """
    java = ["java", "-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", _jars("kafka")]
    secure_port = free_port() if certificate else 0

    def command(port: int) -> list[str]:
        data, settings, controller = home / f"data-{port}", home / f"{port}.properties", free_port()
        safe = f",SAFE://127.0.0.1:{secure_port}" if certificate else ""
        settings.write_text(
            f"""process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=BROKER://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}{safe}
listener.security.protocol.map=BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT,SAFE:SASL_SSL
inter.broker.listener.name=BROKER
controller.listener.names=CONTROLLER
log.dirs={data}
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
auto.create.topics.enable=true
group.initial.rebalance.delay.ms=0
"""
            + "".join(map(_kafka_security, certificate))
        )
        format_it = ["kafka.tools.StorageTool", "format", "-t", "AAAAAAAAAAAAAAAAAAAAAQ", "-c", str(settings)]
        subprocess.run([*java, *format_it], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return [*java, "kafka.Kafka", str(settings)]

    with running("kafka", command, _listens, home / "log") as port:
        yield Broker(port, secure_port)


def _kafka_security(both: Path) -> str:
    modules = "org.apache.kafka.common.security"
    return f"""authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS
allow.everyone.if.no.acl.found=true
listener.name.safe.sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256
listener.name.safe.plain.sasl.jaas.config={modules}.plain.PlainLoginModule required user_plain="plain-secret";
listener.name.safe.scram-sha-256.sasl.jaas.config={modules}.scram.ScramLoginModule required;
listener.name.safe.ssl.keystore.type=PEM
listener.name.safe.ssl.keystore.location={both}
"""


@contextmanager
def moto(home: Path, *certificate: Path) -> Iterator[int]:
    """The port of moto's server: Amazon's services in memory; by TLS, with the files of a certificate and its key."""
    program = Path(sys.executable).parent / "moto_server"
    if not program.exists():
        raise ToolchainMissing("moto's server needs pip install 'moto[server]'")

    def command(port: int) -> list[str]:
        shown = [each for pair in zip(("-c", "-k"), map(str, certificate), strict=False) for each in pair]
        return [str(program), "-H", "127.0.0.1", "-p", str(port), *shown]

    with running("moto", command, _listens, home / "log") as port:
        yield port


@contextmanager
def opensearch(home: Path) -> Iterator[int]:
    """The port of an OpenSearch node."""
    jars, launcher = _jars("opensearch"), ROOM / "opensearch" / "Launcher.java"

    def command(port: int) -> list[str]:
        quick = ["-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
        return ["java", *quick, "-cp", jars, str(launcher), str(home / str(port)), str(port)]

    with running("opensearch", command, _listens, home / "log", patience=150) as port:
        yield port


#: What Cassandra reaches into (its conf/jvm17-server.options).
_OPENED = [
    *(f"java.base/java.{each}" for each in ("io", "lang", "lang.module", "lang.ref", "lang.reflect", "math", "net")),
    *(f"java.base/java.{each}" for each in ("nio", "util", "util.concurrent", "util.concurrent.atomic")),
    *(f"java.base/jdk.internal.{each}" for each in ("loader", "math", "misc", "module", "ref", "reflect", "util.jar")),
    "java.base/sun.nio.ch",
    "java.rmi/sun.rmi.transport.tcp",
    "java.rmi/sun.rmi.registry",
    "java.rmi/sun.rmi.server",
    "java.management/com.sun.jmx.mbeanserver",
    "java.management.rmi/com.sun.jmx.remote.internal.rmi",
    "jdk.management/com.sun.management.internal",
    "jdk.attach/sun.tools.attach",
]


@contextmanager
def cassandra(home: Path, *certificate: Path) -> Iterator[int]:
    """The port of a Cassandra node that checks passwords and permissions; its superuser is cassandra/cassandra.

    With a file of a key and its certificate, and one of the authority, the port takes sessions by TLS too.
    """
    jars, launcher = _jars("cassandra"), ROOM / "cassandra" / "Launcher.java"
    flags = ["-Xmx768m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Djdk.attach.allowAttachSelf=true"]
    flags += [f"--add-{how}={each}=ALL-UNNAMED" for each in _OPENED for how in ("opens", "exports")]
    quick = ["ring_delay_ms=0", "skip_wait_for_gossip_to_settle=0", "superuser_setup_delay_ms=0", "unsafesystem=true"]

    def command(port: int) -> list[str]:
        settings, data, storage = home / f"{port}.yaml", home / str(port), free_port()
        settings.write_text(
            f"""cluster_name: inventory-tests
num_tokens: 1
partitioner: org.apache.cassandra.dht.Murmur3Partitioner
endpoint_snitch: SimpleSnitch
commitlog_sync: periodic
commitlog_sync_period: 10s
listen_address: 127.0.0.1
rpc_address: 127.0.0.1
storage_port: {storage}
native_transport_port: {port}
seed_provider:
  - class_name: org.apache.cassandra.locator.SimpleSeedProvider
    parameters:
      - seeds: "127.0.0.1:{storage}"
data_file_directories: [{data}/data]
commitlog_directory: {data}/commitlog
saved_caches_directory: {data}/saved_caches
hints_directory: {data}/hints
cdc_raw_directory: {data}/cdc
authenticator: PasswordAuthenticator
authorizer: CassandraAuthorizer
permissions_validity: 0ms
materialized_views_enabled: true
"""
            + (_cassandra_tls(*certificate) if certificate else "")
        )
        properties = [f"-Dcassandra.{each}" for each in (*quick, f"config=file:{settings}", f"storagedir={data}")]
        return ["java", *flags, *properties, "-cp", jars, str(launcher)]

    with running("cassandra", command, _listens, home / "log", patience=150) as port:
        yield port


def _cassandra_tls(both: Path, authority: Path) -> str:
    return f"""client_encryption_options:
  enabled: true
  optional: true
  require_client_auth: false
  ssl_context_factory:
    class_name: org.apache.cassandra.security.PEMBasedSslContextFactory
  keystore: {both}
  truststore: {authority}
"""
