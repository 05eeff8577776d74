"""A dialer that tells Asterisk the passwords of desks' phones: at once, again, or not at all."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from db.engine import reading, writing
from db.models import Desk
from dialer import desk_passwords
from dialer.ami import Ami
from hotline.nodes import phones
from hotline.people import desk_admission, sign_ins
from settings import Settings
from tests.dialer.office import Office, on_sqlite
from tests.kit.fake_manager import FakeManager

pytestmark = on_sqlite  # a matter of Asterisk's


@pytest.fixture(autouse=True)
def looks_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("_LOOK_S", "_LOOK_AT_NEWS_S", "_RETRY_S"):
        monkeypatch.setattr(desk_passwords, name, 0.01)


@pytest.fixture(autouse=True)
def able(manager: FakeManager) -> Iterator[None]:
    manager.passwords = {}
    yield


def _take(office: Office, settings: Settings) -> str:
    """The browser of a new sign-in takes the first desk's account; its password."""
    with writing(office.engine) as session:
        sign_in = sign_ins.hash_cookie(sign_ins.sign_in(session, office.user))
        session.flush()
        return desk_admission.take_account(session, 1, sign_in, settings)


def _told(manager: FakeManager) -> list[str]:
    tells = [action for action in manager.named("Originate") if "@desk-password/" in action["Channel"]]
    return [action["Channel"].partition("/")[2].partition("@")[0] for action in tells]


def _knows(manager: FakeManager, account: str) -> str | None:
    assert manager.passwords is not None
    return manager.passwords.get(account)


def _has(engine: Engine, settings: Settings) -> bool:
    with reading(engine) as session:
        return phones.has_desk_passwords(session, settings.node)


def test_each_account_is_told_once_the_open_ones_first(
    office: Office, manager: FakeManager, settings: Settings
) -> None:
    password = _take(office, settings)
    office.until(lambda: len(_told(manager)) == 2 * settings.desks)
    assert _told(manager)[0] == "desk-1"
    assert _knows(manager, "desk-1") == password
    assert _has(office.engine, settings)
    office.until_at_rest()
    assert len(_told(manager)) == 2 * settings.desks, "nothing is told twice"


def test_closed_account_has_a_password_that_nobody_knows(
    office: Office, manager: FakeManager, settings: Settings
) -> None:
    office.until(lambda: len(_told(manager)) == 2 * settings.desks)
    assert manager.passwords is not None
    assert len(set(manager.passwords.values())) == 2 * settings.desks
    assert not {settings.secret_for(account) for account in manager.passwords} & {*manager.passwords.values()}


def test_ended_sign_in_closes_the_browsers_account(
    office: Office, manager: FakeManager, settings: Settings
) -> None:
    password = _take(office, settings)
    office.until(lambda: len(_told(manager)) == 2 * settings.desks)
    with writing(office.engine) as session:
        sign_ins.end_sessions(session, office.user.id)
    office.until(lambda: _knows(manager, "desk-1") != password)
    assert _told(manager)[2 * settings.desks :] == ["desk-1"]


def test_renewed_key_gives_the_sip_phone_a_new_password(
    office: Office, manager: FakeManager, settings: Settings
) -> None:
    office.until(lambda: len(_told(manager)) == 2 * settings.desks)
    with writing(office.engine) as session:
        desk_admission.renew_sip_key(session, session.get_one(Desk, 2), who="admin")
    with reading(office.engine) as session:
        password = desk_admission.list_passwords(session, settings)[2, True]
    office.until(lambda: _knows(manager, "desk-2-sip") == password)


def test_asterisk_that_was_away_is_told_everything_again(
    office: Office, manager: FakeManager, settings: Settings
) -> None:
    office.until(lambda: len(_told(manager)) == 2 * settings.desks)
    manager.passwords = {}
    manager.event("FullyBooted", Status="Fully Booted")
    office.until(lambda: len(manager.passwords or {}) == 2 * settings.desks)


def test_asterisk_of_before_is_told_nothing_until_it_restarts(
    office: Office, manager: FakeManager, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    manager.passwords = None
    office.until_at_rest()
    assert not _told(manager)
    assert not _has(office.engine, settings)
    assert "until Asterisk, which an upgrade left running, is restarted" in caplog.text
    manager.passwords = {}
    manager.event("FullyBooted", Status="Fully Booted")
    office.until(lambda: _has(office.engine, settings) and len(_told(manager)) == 2 * settings.desks)


def test_booting_asterisk_is_not_taken_for_the_one_of_before(
    office: Office, manager: FakeManager, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    office.until(lambda: len(_told(manager)) == 2 * settings.desks)
    manager.is_booted, manager.passwords = False, None
    pings = len(manager.named("Ping"))
    manager.cut()
    office.until(lambda: len(manager.named("Ping")) >= pings + 2)  # it is logged in, and waits

    assert _has(office.engine, settings)
    assert "until Asterisk, which an upgrade left running, is restarted" not in caplog.text

    manager.passwords = {}
    manager.event("FullyBooted", Status="Fully Booted")
    office.until(lambda: len(manager.passwords or {}) == 2 * settings.desks)


def test_refused_password_is_told_again(
    office: Office, manager: FakeManager, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    manager.refused["Originate"] = "Originate failed"
    office.until(lambda: "takes no password" in caplog.text)
    del manager.refused["Originate"]
    office.until(lambda: len(manager.passwords or {}) == 2 * settings.desks)
    assert _has(office.engine, settings), "it is no Asterisk of before"


def test_node_without_its_lease_tells_nothing(
    office: Office, manager: FakeManager, settings: Settings, ami_lease: list[float]
) -> None:
    office.until_at_rest()
    assert not _told(manager)
    ami_lease[0] = 60.0
    office.until(lambda: len(_told(manager)) == 2 * settings.desks)


@pytest.fixture
def ami_lease(office: Office) -> list[float]:
    """For how long the node may begin calls."""
    left = [0.0]
    ami: Ami = office.ami
    ami.may_place_for = lambda: left[0]
    return left
