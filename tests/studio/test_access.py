"""Who somebody is: cookies that nobody can forge, and the rules that follow."""

from pathlib import Path

import pytest

from studio import access
from studio.access import Visitor, visitor_of
from studio.settings import Settings


def shared(home: Path, **more: object) -> Settings:
    return Settings(studio_home=home, host="0.0.0.0", **more)


def test_an_owner_is_known_again(tmp_path: Path) -> None:
    settings = shared(tmp_path)
    cookie = access.new_owner(settings)
    visitor = visitor_of({access.OWNER_COOKIE: cookie}, settings)
    assert len(visitor.owner) >= 16
    assert not visitor.admin
    assert visitor_of({access.OWNER_COOKIE: cookie}, shared(tmp_path)) == visitor
    assert access.new_owner(settings) != access.new_owner(settings)
    assert len(access.short(visitor.owner)) == 6
    assert access.short("command-line") == "command-line"


def test_forged_cookies_are_nobodys(tmp_path: Path) -> None:
    settings = shared(tmp_path, admin_token="t", access_password="p")
    real = access.new_owner(settings)
    name, _, signature = real.rpartition(".")
    for forged in (
        "",
        "anna",
        "anna.sig",
        f"other.{signature}",
        name,
        real + "x",
        "é.ü",
        "x" * 10_000,
        "\udcff.a",
    ):
        assert visitor_of({access.OWNER_COOKIE: forged}, settings).owner == ""
    # One cookie's signature is worth nothing in another, nor is another studio's.
    assert not visitor_of({access.ADMIN_COOKIE: real}, settings).admin
    assert not access.may_enter({access.PASS_COOKIE: real}, settings)
    elsewhere = shared(tmp_path / "other", admin_token="t")
    assert not visitor_of({access.ADMIN_COOKIE: str(access.admin_cookie("t", elsewhere))}, settings).admin


def test_who_has_no_cookie_owns_nothing(tmp_path: Path) -> None:
    nobody = visitor_of({}, shared(tmp_path))
    assert nobody == Visitor(owner="", admin=False)
    assert not access.may_change(nobody, "")
    assert not access.may_change(nobody, "anna")


def test_only_the_owner_and_the_admin_change_something() -> None:
    assert access.may_change(Visitor("anna", False), "anna")
    assert not access.may_change(Visitor("anna", False), "ben")
    assert access.may_change(Visitor("", True), "ben")


def test_the_token_makes_an_admin_until_it_is_changed(tmp_path: Path) -> None:
    settings = shared(tmp_path, admin_token="s3cret")
    assert access.admin_cookie("S3cret", settings) is None
    assert access.admin_cookie("", settings) is None
    cookie = str(access.admin_cookie("s3cret", settings))
    assert "s3cret" not in cookie
    assert visitor_of({access.ADMIN_COOKIE: cookie}, settings).admin
    assert not visitor_of({access.ADMIN_COOKIE: cookie}, shared(tmp_path, admin_token="new")).admin
    assert not visitor_of({access.ADMIN_COOKIE: cookie}, shared(tmp_path)).admin


def test_without_a_token_or_password_nothing_fits(tmp_path: Path) -> None:
    assert access.admin_cookie("", shared(tmp_path)) is None
    assert access.pass_cookie("", shared(tmp_path)) is None


def test_the_password_opens_the_door_until_it_is_changed(tmp_path: Path) -> None:
    settings = shared(tmp_path, access_password="开门 please")
    assert not access.may_enter({}, settings)
    assert access.pass_cookie("wrong", settings) is None
    opened = {access.PASS_COOKIE: str(access.pass_cookie("开门 please", settings))}
    assert access.may_enter(opened, settings)
    assert not access.may_enter(opened, shared(tmp_path, access_password="other"))
    assert access.may_enter({}, shared(tmp_path, open_demo=True))


@pytest.mark.parametrize(
    ("more", "admin"),
    [
        ({}, True),
        ({"host": "localhost"}, True),
        ({"host": "0.0.0.0"}, False),
        ({"share": True}, False),
        ({"open_demo": True}, False),
        ({"admin_token": "t"}, False),
        ({"access_password": "p"}, False),
    ],
)
def test_everyone_is_the_admin_only_where_nothing_is_shared(
    more: dict[str, object], admin: bool, tmp_path: Path
) -> None:
    assert visitor_of({}, Settings(studio_home=tmp_path, **more)).admin == admin


def test_lists_are_ones_own_in_an_open_demo_only(tmp_path: Path) -> None:
    visitor, admin = Visitor("anna", False), Visitor("root", True)
    assert not access.sees_all(visitor, shared(tmp_path, open_demo=True))
    assert not access.sees_all(visitor, shared(tmp_path, open_demo=True, access_password="p"))
    assert access.sees_all(admin, shared(tmp_path, open_demo=True))
    assert access.sees_all(visitor, shared(tmp_path, access_password="p"))
