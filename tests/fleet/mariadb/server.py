"""A real MariaDB from the system's packages, on loopback, with TLS and a key to encrypt tables with.

It runs as an unprivileged user (started by root: `mysql`, which the package makes) in a directory of its own.
"""

from __future__ import annotations

import contextlib
import datetime
import ipaddress
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from seed.estate.servers.leash import as_user
from seed.estate.servers.process import LOOPBACK, running

if TYPE_CHECKING:
    import pymysql

ROOT_PASSWORD = "correct horse"
KEYS = "1;a7addd9adea9978fda19f21e6be987880e68ac92632ca052e5bb42b1a506939a\n"


class ToolchainMissing(Exception):
    """MariaDB is not installed."""


@dataclass(frozen=True, slots=True)
class MariaDB:
    """A running server, and the certificate that vouches for it."""

    port: int
    certificate: Path

    def connect(self) -> pymysql.Connection:
        """A connection as root; the caller closes it."""
        return _connect(self.port, ROOT_PASSWORD)


@contextlib.contextmanager
def mariadb_server() -> Iterator[MariaDB]:
    """Run one on fresh data until the context ends. Raises ToolchainMissing."""
    programs = [
        shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin") for name in ("mariadbd", "mariadb-install-db")
    ]
    server, install = programs
    if server is None or install is None:
        raise ToolchainMissing("MariaDB is not installed (apt package mariadb-server; tests/fleet/install.sh)")
    user = "mysql" if os.geteuid() == 0 else None
    with tempfile.TemporaryDirectory(prefix="inventory-mariadb-") as name:
        room = Path(name)
        (room / "keys").write_text(KEYS)
        _certificate(room)
        if user is not None:
            owner = pwd.getpwnam(user)
            for path in (room, *room.iterdir()):
                os.chown(path, owner.pw_uid, owner.pw_gid)
        data = room / "data"
        subprocess.run(
            [
                install,
                "--no-defaults",
                f"--datadir={data}",
                "--auth-root-authentication-method=normal",
                "--skip-test-db",
            ],
            check=True,
            capture_output=True,
            cwd="/",
            **as_user(user),
        )
        options = [
            *("--no-defaults", f"--datadir={data}", f"--socket={room / 'socket'}", f"--bind-address={LOOPBACK}"),
            *("--skip-name-resolve", "--innodb-flush-log-at-trx-commit=0", "--innodb-buffer-pool-size=64M"),
            *("--plugin-load-add=file_key_management", f"--file-key-management-filename={room / 'keys'}"),
            *(f"--ssl-cert={room / 'cert.pem'}", f"--ssl-key={room / 'key.pem'}"),
        ]
        with running(
            "mariadb",
            lambda port: [server, *options, f"--port={port}"],
            lambda port: _answers(port),
            room / "log",
            user=user,
        ) as port:
            with _connect(port, "") as root:
                root.cursor().execute("SET PASSWORD = PASSWORD(%s)", (ROOT_PASSWORD,))
            yield MariaDB(port, room / "cert.pem")


def _connect(port: int, password: str) -> pymysql.Connection:
    import pymysql

    return pymysql.connect(host=LOOPBACK, port=port, user="root", password=password, autocommit=True)


def _answers(port: int) -> bool:
    import pymysql

    try:
        _connect(port, "").close()
    except pymysql.OperationalError:
        return False
    return True


def _certificate(room: Path) -> None:
    """A self-signed certificate for the loopback address."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "inventory-tests")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=2))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(LOOPBACK))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    (room / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (room / "key.pem").write_bytes(private)
