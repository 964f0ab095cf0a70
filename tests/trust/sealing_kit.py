"""A studio that seals, clips for it to seal, and certificates as an operator's authority would issue them."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from studio.media.clip import write_clip
from studio.media.export import SUFFIXES, Kind, export
from studio.media.label import LabelStyle
from studio.settings import Settings
from studio.trust.aigc import aigc_of, into_comment, tags_of
from studio.trust.certificate import Certificate, Known, certificate_for, known_certificates
from studio.trust.credentials import Credentials, Export, Ingredient, read
from studio.trust.seal import Sealed, seal

KEY = b"a studio's own secret, 32 bytes."
RECIPE = '{"studio":"wan-studio","version":1}'
WHEN = datetime(2026, 11, 21, 10, 30, tzinfo=UTC)
PROMPT_HASH = "ab" * 32


@dataclass(frozen=True)
class House:
    """A studio's home with what it signs with."""

    home: Path
    env: tuple[tuple[str, str], ...] = ()

    @cached_property
    def settings(self) -> Settings:
        return Settings.from_env({"STUDIO_HOME": str(self.home), **dict(self.env)})

    @property
    def certificate(self) -> Certificate:
        return certificate_for(self.settings)

    @property
    def known(self) -> Known:
        return known_certificates(self.settings)

    def clip(self, path: Path, export_id: str, *, frames: int = 5, labelled: bool = True) -> Path:
        """A clip as the encoder leaves it: with its metadata label, not yet sealed."""
        aigc = aigc_of(export_id, producer="wan-studio", key=KEY)
        pictures = [np.full((192, 320, 3), (40 + 9 * at) % 256, np.uint8) for at in range(frames)]
        write_clip(
            pictures,
            path=path,
            fps=16,
            comment=into_comment(RECIPE, aigc) if labelled else RECIPE,
            label=LabelStyle(),
            expected_frames=frames,
            tags=tags_of(aigc) if labelled else None,
        )
        return path

    def other_format(self, source: Path, kind: Kind, export_id: str) -> Path:
        """A film in another format, with its metadata label, not yet sealed."""
        aigc = aigc_of(export_id, producer="wan-studio", key=KEY)
        target = source.with_name(f"{source.stem}-{kind}{SUFFIXES[kind]}")
        export(source, target, kind, tags=tags_of(aigc), comment=into_comment(RECIPE, aigc))
        return target

    def seal(self, path: Path, export_id: str, kind: Any = "clip", **more: Any) -> Sealed:
        export = Export(
            id=export_id,
            kind=kind,
            title=path.name,
            model="wan2.2-t2v-a14b",
            revision="r1",
            prompt_hash=PROMPT_HASH,
            created=WHEN,
            codeword=0xC0DE,
            parents=tuple(more.pop("parents", ())),
        )
        given: dict[str, Any] = {"producer": "wan-studio", "key": KEY, **more}
        for name in ("certificate", "known"):
            given.setdefault(name, getattr(self, name))
        return seal(path, export=export, **given)

    def sealed_clip(self, path: Path, export_id: str, **more: Any) -> Path:
        self.seal(self.clip(path, export_id, **more), export_id)
        return path

    def read(self, path: Path, sidecar: Path | None = None) -> Credentials:
        return read(path, sidecar, known=self.known)


def parent(path: Path) -> tuple[Ingredient, ...]:
    return (Ingredient("the film", "parentOf", "studio", path),)


Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey


def key_of(alg: str) -> Key:
    if alg == "ed25519":
        return ed25519.Ed25519PrivateKey.generate()
    if alg.startswith("ps"):
        return rsa.generate_private_key(65537, 2048)
    return ec.generate_private_key(ec.SECP384R1() if alg == "es384" else ec.SECP256R1())


@dataclass(frozen=True)
class Issued:
    """An operator's files: the chain without its root, and the leaf's key."""

    cert: Path
    key: Path

    @property
    def env(self) -> tuple[tuple[str, str], ...]:
        return (("C2PA_CERT", str(self.cert)), ("C2PA_KEY", str(self.key)))


def issue(
    folder: Path,
    alg: str = "es256",
    *,
    days: float = 100,
    purpose: Any = ExtendedKeyUsageOID.EMAIL_PROTECTION,
) -> Issued:
    """Root, intermediate and leaf; what operators get is the leaf, the intermediate, and the leaf's key."""
    folder.mkdir(parents=True, exist_ok=True)
    root, middle, key = key_of("es256"), key_of("es256"), key_of(alg)
    middle_cert = _signed("Middle", "Root", middle, root, authority=True, days=1000, purpose=None)
    leaf = _signed("Example Studio", "Middle", key, middle, authority=False, days=days, purpose=purpose)
    issued = Issued(folder / "chain.pem", folder / "key.pem")
    pem = serialization.Encoding.PEM
    issued.cert.write_bytes(leaf.public_bytes(pem) + middle_cert.public_bytes(pem))
    plain = serialization.NoEncryption()
    issued.key.write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain))
    return issued


def _signed(
    name: str, issuer: str, key: Key, signer: Key, *, authority: bool, days: float, purpose: Any
) -> x509.Certificate:
    now = datetime.now(UTC)
    uses = dict.fromkeys(
        (
            "digital_signature", "content_commitment", "key_encipherment", "data_encipherment",
            "key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
        ),
        False,
    )  # fmt: skip
    uses["key_cert_sign" if authority else "digital_signature"] = True
    begun = (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .issuer_name(_name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=200))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.BasicConstraints(authority, 0 if authority else None), critical=True)
        .add_extension(x509.KeyUsage(**uses), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False
        )
    )
    if purpose is not None:
        begun = begun.add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
    return begun.sign(signer, hashes.SHA256())


def _name(common: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, f"{common} Ltd"),
            x509.NameAttribute(NameOID.COMMON_NAME, common),
        ]
    )
