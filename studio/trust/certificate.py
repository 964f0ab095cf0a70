"""What signs the exports: the operator's certificate, or one made here, which proves nothing to others.

A self-made one lies in home/credentials as one file: the leaf, the authority that issued it, the leaf's key.
The authority's own key is thrown away, so nothing else can ever be issued. It signs for two years and is good
for ten: without a time stamp a file verifies only as long as its certificate lasts.
"""

import logging
import os
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from pipelines.request import Notice
from studio.settings import Settings

log = logging.getLogger(__name__)

FOLDER = "credentials"
LASTS = timedelta(days=3650)
SIGNS_FOR = timedelta(days=730)
WARN_BEFORE = timedelta(days=30)
# A clock that is a little behind must not find a new certificate to be of the future.
_SLACK = timedelta(days=1)
_MAX_PEM = 256 * 1024
_MAX_GENERATION = 999
# Content credentials' own purpose; verifiers of today also look for one of the older ones.
_PURPOSES = [ObjectIdentifier("1.3.6.1.5.5.7.3.36"), ExtendedKeyUsageOID.EMAIL_PROTECTION]
_CURVES = {"secp256r1": "es256", "secp384r1": "es384", "secp521r1": "es512"}
_PEM, _PKCS8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey


class SealError(Exception):
    """An export can't be sealed, so it must not leave; `notice` says why, and holds nothing of a key."""

    def __init__(self, code: str, **values: Any) -> None:
        super().__init__(f"{code} {values or ''}".strip())
        self.code = code
        self.notice = Notice(code, values)


class CertificateError(SealError):
    """The certificate can't sign; `notice` names the file."""


@dataclass(frozen=True)
class Certificate:
    """What signs. `chain_pem` begins with the leaf; `alg` as in C2PA_ALG; `tsa_url` empty: no time stamp.

    `trusted` is whether an operator configured it. `serial` is the leaf's number in decimal digits, `ends`
    its last moment (UTC).
    """

    chain_pem: str
    key_pem: str = field(repr=False)
    alg: str
    tsa_url: str
    trusted: bool
    serial: str
    ends: datetime

    def notice(self) -> Notice | None:
        """The plain warning that people should see, if any: self-made, or soon at its end."""
        if not self.trusted:
            return Notice("certificate_self_made")
        if self.ends - datetime.now(UTC) < WARN_BEFORE:
            return Notice("certificate_ends", {"date": f"{self.ends:%Y-%m-%d}"})
        return None


@dataclass(frozen=True)
class Known:
    """The certificates that ever signed here: `anchors` is PEM of their authorities.

    `serials` are the leaves' numbers, `trusted` those among them that an operator configured.
    """

    anchors: str = ""
    serials: frozenset[str] = frozenset()
    trusted: frozenset[str] = frozenset()


def certificate_for(settings: Settings) -> Certificate:
    """The certificate that signs now; a self-made one is made, or renewed, on the way.

    CertificateError if the configured one can't be used, or none can be kept in the home.
    """
    if settings.c2pa_cert:
        found = _configured(settings)
        _keep(settings, found)
        return found
    return _self_made(settings)


def known_certificates(settings: Settings) -> Known:
    """All that signed here, by what lies in home/credentials; files that can't be read are passed over."""
    chains = []
    for path in sorted((settings.studio_home / FOLDER).glob("*.pem")):
        try:
            chains.append((_read(path).decode(), path.name.startswith("configured-")))
        except (OSError, ValueError):
            log.warning("%s can't be read", path)
    return known_of(chains)


def known_of(chains: Iterable[tuple[str, bool]]) -> Known:
    """What chains (PEM, the leaf first) make known; with each whether an operator configured it.

    For a studio of several hosts, whose homes know only what signed there.
    """
    anchors, serials, trusted = [], set(), set()
    for pem, configured in chains:
        try:
            chain = x509.load_pem_x509_certificates(pem.encode())
        except ValueError:
            log.warning("a file of the credentials holds no certificate")
            continue
        serial = str(chain[0].serial_number)
        serials.add(serial)
        trusted |= {serial} if configured else set()
        anchors += [_pem(issuer) for issuer in chain[1:]]
    return Known("".join(dict.fromkeys(anchors)), frozenset(serials), frozenset(trusted))


def _self_made(settings: Settings) -> Certificate:
    folder = settings.studio_home / FOLDER
    try:
        settings.studio_home.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder.mkdir(exist_ok=True, mode=0o700)
        for generation in range(1, _MAX_GENERATION):
            path = folder / f"made-{generation:03d}.pem"
            if not path.exists() and not _later(folder, generation):
                _store(path, _made(settings.aigc_producer), mode=0o600)
            found = _usable(path, settings)
            if found is not None:
                return found
    except OSError as error:
        raise CertificateError("certificate_home", path=str(folder), reason=error.strerror or "") from error
    raise CertificateError("certificate_home", path=str(folder), reason="")


def _later(folder: Path, generation: int) -> bool:
    """Whether a newer one than this is there already."""
    return any(path.name > f"made-{generation:03d}.pem" for path in folder.glob("made-*.pem"))


def _usable(path: Path, settings: Settings) -> Certificate | None:
    """The self-made certificate of this file, None if it is damaged or its time to sign is over."""
    try:
        data = _read(path)
        chain, key = x509.load_pem_x509_certificates(data), serialization.load_pem_private_key(data, None)
        leaf, now = chain[0], datetime.now(UTC)
        if isinstance(key, Key) and len(chain) > 1 and leaf.public_key() == key.public_key():
            young = leaf.not_valid_before_utc <= now < leaf.not_valid_before_utc + _SLACK + SIGNS_FOR
            return _certificate(chain, key, settings, trusted=False) if young else None
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, UnsupportedAlgorithm):
        pass
    log.warning("%s is damaged; another certificate takes its place", path)
    return None


def _made(name: str) -> bytes:
    """A new leaf, its authority and its key (PEM, in this order)."""
    begins = datetime.now(UTC).replace(microsecond=0) - _SLACK
    authority, leaf_key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    issuer = _name(f"{name} {secrets.token_hex(4)}")
    signer = x509.SubjectKeyIdentifier.from_public_key(authority.public_key())
    root = (
        _begun(issuer, issuer, authority.public_key(), begins)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(key_cert_sign=True, crl_sign=True), critical=True)
        .add_extension(signer, critical=False)
        .sign(authority, hashes.SHA256())
    )
    public = leaf_key.public_key()
    leaf = (
        _begun(_name(f"{name} (self-made)"), issuer, public, begins)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(digital_signature=True), critical=True)
        .add_extension(x509.ExtendedKeyUsage(_PURPOSES), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(signer), critical=False)
        .sign(authority, hashes.SHA256())
    )
    return (_pem(leaf) + _pem(root) + _key_pem(leaf_key)).encode()


def _begun(
    subject: x509.Name, issuer: x509.Name, public: ec.EllipticCurvePublicKey, begins: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(begins + LASTS)
    )


def _name(common: str) -> x509.Name:
    # Verifiers show the organisation; without one they refuse the certificate.
    organisation = x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Wan Studio")
    return x509.Name([organisation, x509.NameAttribute(NameOID.COMMON_NAME, common[:64])])


def _usage(**uses: bool) -> x509.KeyUsage:
    none = dict.fromkeys(
        (
            "digital_signature", "content_commitment", "key_encipherment", "data_encipherment",
            "key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
        ),
        False,
    )  # fmt: skip
    return x509.KeyUsage(**{**none, **uses})


def _configured(settings: Settings) -> Certificate:
    """The operator's certificate, looked at as far as it can be without signing."""
    chain = _chain(Path(settings.c2pa_cert))
    key = _key(Path(settings.c2pa_key))
    leaf, now = chain[0], datetime.now(UTC)
    path = settings.c2pa_cert
    if leaf.public_key() != key.public_key():
        raise CertificateError("certificate_key_other", name="C2PA_KEY", other="C2PA_CERT")
    if not leaf.not_valid_before_utc <= now < leaf.not_valid_after_utc:
        ended = f"{leaf.not_valid_after_utc:%Y-%m-%d}"
        raise CertificateError("certificate_expired", path=path, date=ended)
    if len(chain) < 2:
        raise CertificateError("certificate_chain", path=path)
    try:
        leaf.verify_directly_issued_by(chain[1])
    except (ValueError, TypeError, InvalidSignature) as error:
        raise CertificateError("certificate_chain", path=path) from error
    return _certificate(chain, key, settings, trusted=True)


def _chain(path: Path) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(_read(path))
    except OSError as error:
        raise CertificateError(
            "certificate_missing", name="C2PA_CERT", path=str(path), reason=error.strerror or ""
        ) from error
    except ValueError as error:
        raise CertificateError("certificate_bad", name="C2PA_CERT", path=str(path)) from error


def _key(path: Path) -> Key:
    try:
        key = serialization.load_pem_private_key(_read(path), None)
    except OSError as error:
        raise CertificateError(
            "certificate_missing", name="C2PA_KEY", path=str(path), reason=error.strerror or ""
        ) from error
    except (ValueError, TypeError, UnsupportedAlgorithm):
        # Not chained: what a parser says about a key may hold some of it. TypeError: it has a passphrase.
        raise CertificateError("certificate_bad", name="C2PA_KEY", path=str(path)) from None
    if not isinstance(key, Key):
        raise CertificateError("certificate_bad", name="C2PA_KEY", path=str(path))
    return key


def _certificate(
    chain: list[x509.Certificate], key: Key, settings: Settings, *, trusted: bool
) -> Certificate:
    alg = _alg(key)
    asked = settings.c2pa_alg if trusted else ""
    if asked and asked != alg and not (asked.startswith("ps") and alg.startswith("ps")):
        raise CertificateError("certificate_alg", value=asked, allowed=alg or "")
    if not alg:
        raise CertificateError("certificate_bad", name="C2PA_KEY", path=settings.c2pa_key)
    return Certificate(
        chain_pem="".join(_pem(one) for one in chain),
        key_pem=_key_pem(key),
        alg=asked or alg,
        tsa_url=settings.c2pa_tsa_url,
        trusted=trusted,
        serial=str(chain[0].serial_number),
        ends=chain[0].not_valid_after_utc,
    )


def _alg(key: Key) -> str:
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return _CURVES.get(key.curve.name, "")
    return "ed25519" if isinstance(key, ed25519.Ed25519PrivateKey) else "ps256"


def _keep(settings: Settings, certificate: Certificate) -> None:
    """Keep the public part of a configured certificate: files that it signed are ours when it is replaced."""
    folder = settings.studio_home / FOLDER
    try:
        settings.studio_home.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder.mkdir(exist_ok=True, mode=0o700)
        _store(folder / f"configured-{int(certificate.serial):x}.pem", certificate.chain_pem.encode(), 0o644)
    except OSError as error:
        raise CertificateError("certificate_home", path=str(folder), reason=error.strerror or "") from error


def _store(path: Path, data: bytes, mode: int) -> None:
    """Write a file whole or not at all; the first of two processes wins."""
    if path.exists():
        return
    fresh = path.with_name(f".{secrets.token_hex(8)}.new")
    try:
        with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.link(fresh, path)
    except FileExistsError:
        pass
    except OSError:
        if not fresh.exists():
            raise
        os.replace(fresh, path)  # a file system without links; there the last of two wins
    finally:
        fresh.unlink(missing_ok=True)


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        data = file.read(_MAX_PEM + 1)
    if len(data) > _MAX_PEM:
        raise ValueError("too long for a certificate")
    return data


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(_PEM).decode()


def _key_pem(key: Key) -> str:
    return key.private_bytes(_PEM, _PKCS8, serialization.NoEncryption()).decode()
