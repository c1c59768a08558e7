"""A server's certificate for 127.0.0.1 and the authority that signed it, made anew for a test session."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass(frozen=True)
class Certificate:
    """PEM files: what clients trust, and what a server shows (`both`: key and certificate in one)."""

    authority: Path
    certificate: Path
    key: Path
    both: Path


def certificate(home: Path) -> Certificate:
    """Written into `home`, for a day."""
    authority_key, server_key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    authority = _name("inventory tests")
    trusted = (
        _builder(authority, authority, authority_key)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(authority_key, hashes.SHA256())
    )
    addresses = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    shown = (
        _builder(_name("127.0.0.1"), authority, server_key)
        .add_extension(addresses, critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(authority_key, hashes.SHA256())
    )
    key = server_key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    made = Certificate(*(home / name for name in ("authority.pem", "certificate.pem", "key.pem", "both.pem")))
    made.authority.write_bytes(trusted.public_bytes(serialization.Encoding.PEM))
    made.certificate.write_bytes(shown.public_bytes(serialization.Encoding.PEM))
    made.key.write_bytes(key)
    made.both.write_bytes(key + made.certificate.read_bytes())
    return made


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
    )
