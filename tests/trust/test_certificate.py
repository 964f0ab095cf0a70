"""Facts about what signs: made once and kept, or the operator's own; its secrets stay secret."""

import logging
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from studio.environment import C2PA_ALGS
from studio.settings import Settings, SettingsError
from studio.trust import certificate as certificates
from studio.trust.certificate import CertificateError, certificate_for, known_certificates, known_of
from studio.trust.credentials import read
from studio.words import LANGUAGES, say
from tests.trust.sealing_kit import House, issue, key_of


def _home(tmp_path: Path, **env: str) -> Settings:
    return Settings.from_env({"STUDIO_HOME": str(tmp_path / "home"), **env})


def test_a_certificate_is_made_once_and_kept(tmp_path: Path) -> None:
    settings = _home(tmp_path)
    first = certificate_for(settings)
    assert certificate_for(settings) == first
    files = list((settings.studio_home / certificates.FOLDER).iterdir())
    assert [file.name for file in files] == ["made-001.pem"]
    assert files[0].stat().st_mode & 0o777 == 0o600
    assert files[0].parent.stat().st_mode & 0o777 == 0o700
    assert not first.trusted
    assert first.ends - datetime.now(UTC) > timedelta(days=3640)
    notice = first.notice()
    assert notice is not None
    assert notice.code == "certificate_self_made"


def test_the_authority_of_a_self_made_certificate_can_issue_nothing_more(tmp_path: Path) -> None:
    certificate = certificate_for(_home(tmp_path))
    leaf, root = x509.load_pem_x509_certificates(certificate.chain_pem.encode())
    leaf.verify_directly_issued_by(root)
    kept = (tmp_path / "home" / certificates.FOLDER / "made-001.pem").read_bytes()
    key = serialization.load_pem_private_key(kept, None)
    assert key.public_key() == leaf.public_key() != root.public_key()
    assert kept.count(b"PRIVATE KEY") == 2, "one key, between its two lines"


def test_of_many_at_once_one_certificate_is_kept(tmp_path: Path) -> None:
    settings, found = _home(tmp_path), []
    start = threading.Barrier(8)

    def ask() -> None:
        start.wait()
        found.append(certificate_for(settings).serial)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1


def test_it_is_renewed_long_before_it_ends_and_the_old_one_stays_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = House(tmp_path / "home")
    path = house.sealed_clip(tmp_path / "a.mp4", "clip-1")
    first = house.certificate
    today = datetime.now(UTC)
    later = type("Later", (datetime,), {"now": classmethod(lambda _, zone: today + timedelta(days=731))})
    monkeypatch.setattr(certificates, "datetime", later)
    second = house.certificate
    assert second.serial != first.serial
    assert house.certificate == second
    assert house.known.serials == {first.serial, second.serial}
    monkeypatch.undo()
    assert first.ends - today > timedelta(days=8 * 365), "files of its last day verify for years"
    assert house.read(path).ours


def test_a_damaged_certificate_gives_way_to_a_new_one(tmp_path: Path) -> None:
    settings = _home(tmp_path)
    first = certificate_for(settings)
    file = settings.studio_home / certificates.FOLDER / "made-001.pem"
    for damage in (b"", b"-----BEGIN CERTIFICATE-----\nx", first.chain_pem.encode(), b"\xff" * 300):
        file.write_bytes(damage)
        assert certificate_for(settings).serial != first.serial
    assert known_certificates(settings).serials


def test_a_home_that_takes_no_certificate_is_named(tmp_path: Path) -> None:
    settings = _home(tmp_path)
    settings.studio_home.mkdir()
    (settings.studio_home / certificates.FOLDER).write_text("a file in its place")
    with pytest.raises(CertificateError) as caught:
        certificate_for(settings)
    assert caught.value.code == "certificate_home"


@pytest.mark.parametrize("alg", ["es256", "es384", "ps256", "ed25519"])
def test_a_configured_certificate_signs_and_is_known_as_ours(tmp_path: Path, alg: str) -> None:
    house = House(tmp_path / "home", issue(tmp_path / "pki", alg).env)
    assert house.certificate.trusted
    assert house.certificate.alg == alg
    assert house.certificate.notice() is None
    path = house.sealed_clip(tmp_path / "a.mp4", "clip-1", frames=2)
    found = house.read(path)
    assert (found.state, found.ours, found.issuer) == ("valid", True, "Example Studio Ltd")


def test_what_an_earlier_certificate_signed_stays_ours(tmp_path: Path) -> None:
    first = House(tmp_path / "home", issue(tmp_path / "one").env)
    path = first.sealed_clip(tmp_path / "a.mp4", "clip-1")
    for later in (House(tmp_path / "home", issue(tmp_path / "two").env), House(tmp_path / "home")):
        assert later.certificate.serial != first.certificate.serial
        assert (later.read(path).state, later.read(path).ours) == ("valid", True)


def test_hosts_of_one_studio_can_know_each_others_certificates(tmp_path: Path) -> None:
    one, two = House(tmp_path / "one"), House(tmp_path / "two", issue(tmp_path / "pki").env)
    known = known_of([(one.certificate.chain_pem, False), (two.certificate.chain_pem, True), ("junk", True)])
    for house, state in ((one, "valid_untrusted"), (two, "valid")):
        path = house.sealed_clip(tmp_path / f"{state}.mp4", "clip-1")
        assert (read(path, known=known).state, read(path, known=known).ours) == (state, True)


def test_another_certificate_of_the_same_name_is_not_ours(tmp_path: Path) -> None:
    house = House(tmp_path / "home", issue(tmp_path / "one").env)
    forger = House(tmp_path / "forger", issue(tmp_path / "two").env)
    path = forger.sealed_clip(tmp_path / "a.mp4", "clip-1")
    assert house.certificate.trusted
    assert (house.read(path).state, house.read(path).ours) == ("valid_untrusted", False)


def test_a_certificate_near_its_end_is_warned_of(tmp_path: Path) -> None:
    notice = House(tmp_path / "home", issue(tmp_path / "pki", days=5).env).certificate.notice()
    assert notice is not None
    assert notice.code == "certificate_ends"


def _refused(settings: Settings, caplog: pytest.LogCaptureFixture, secret: str = "PRIVATE") -> str:
    with caplog.at_level(logging.DEBUG), pytest.raises(CertificateError) as caught:
        certificate_for(settings)
    told = repr(caught.value) + str(caught.value.__context__) + caplog.text
    for language in LANGUAGES:
        told += say(caught.value.notice, language)
        assert say(caught.value.notice, language) != say("generic", language)
    assert secret not in told
    return caught.value.code


def test_a_certificate_that_can_not_sign_is_refused_with_its_reason(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    good, other = issue(tmp_path / "good"), issue(tmp_path / "other")
    over = issue(tmp_path / "over", days=-1)
    bad = tmp_path / "bad.pem"
    bad.write_text("-----BEGIN PRIVATE KEY-----\nhush-hush\n-----END PRIVATE KEY-----\n")
    locked = tmp_path / "locked.pem"
    lock = serialization.BestAvailableEncryption(b"word")
    form = serialization.PrivateFormat.PKCS8
    locked.write_bytes(key_of("es256").private_bytes(serialization.Encoding.PEM, form, lock))
    alone = tmp_path / "alone.pem"
    alone.write_text(
        good.cert.read_text().split("-----END CERTIFICATE-----")[0] + "-----END CERTIFICATE-----\n"
    )
    gone = tmp_path / "gone.pem"
    cases: list[tuple[Any, Any, str]] = [
        (good.cert, gone, "certificate_missing"),
        (gone, good.key, "certificate_missing"),
        (good.cert, bad, "certificate_bad"),
        (good.cert, locked, "certificate_bad"),
        (good.cert, tmp_path, "certificate_missing"),
        (bad, good.key, "certificate_bad"),
        (good.key, good.key, "certificate_bad"),
        (good.cert, other.key, "certificate_key_other"),
        (over.cert, over.key, "certificate_expired"),
        (alone, good.key, "certificate_chain"),
    ]
    for cert, key, code in cases:
        settings = _home(tmp_path, C2PA_CERT=str(cert), C2PA_KEY=str(key))
        assert _refused(settings, caplog, "hush") == code, (cert, key)


def test_an_algorithm_that_the_key_does_not_have_is_refused(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    issued = issue(tmp_path / "pki")
    settings = _home(tmp_path, **dict(issued.env), C2PA_ALG="ps256")
    assert _refused(settings, caplog) == "certificate_alg"


def test_a_key_is_in_no_repr_and_no_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        house = House(tmp_path / "home", issue(tmp_path / "pki").env)
        house.sealed_clip(tmp_path / "a.mp4", "clip-1")
    secret = house.certificate.key_pem.splitlines()[1]
    assert secret not in repr(house.certificate) + str(house.certificate) + caplog.text + repr(house.settings)


def test_certificate_and_key_are_set_together() -> None:
    for name in ("C2PA_CERT", "C2PA_KEY"):
        with pytest.raises(SettingsError) as caught:
            Settings.from_env({name: "/x.pem"})
        assert caught.value.notice.code == "setting_pair"
    for bad in ({"C2PA_ALG": "md5"}, {"C2PA_TSA_URL": "ftp://x"}, {"AIGC_PRODUCER": "工作室"}):
        with pytest.raises(SettingsError):
            Settings.from_env(bad)
    assert [Settings.from_env({"C2PA_ALG": alg.upper()}).c2pa_alg for alg in C2PA_ALGS] == list(C2PA_ALGS)


def test_a_worker_signs_as_the_page_does(tmp_path: Path) -> None:
    issued = issue(tmp_path / "pki")
    settings = _home(tmp_path, **dict(issued.env), AIGC_PRODUCER="0011", C2PA_TSA_URL="https://t.example/s")
    again = Settings.from_env(settings.worker_environment())
    for name in ("c2pa_cert", "c2pa_key", "c2pa_alg", "c2pa_tsa_url", "aigc_producer"):
        assert getattr(again, name) == getattr(settings, name)
