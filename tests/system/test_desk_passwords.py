"""The real Asterisk, and nobody of ours beside it: how it is told the passwords of desks' phones."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import pytest
from sqlalchemy import create_engine

from dialer.ami import Ami, NotAccepted
from dialer.desk_passwords import DeskPasswords
from dialer.originate import say_aside
from dialplan.accounts import AMI_USER
from dialplan.variables import Context
from ops import console
from tests.kit.lone_asterisk import LoneAsterisk
from tests.kit.process import until
from tests.kit.sip_digest import SilentPhone

FIRST, SECOND = "a1" * 16, "b2" * 16


@pytest.fixture(scope="module")
def asterisk() -> Iterator[LoneAsterisk]:
    with LoneAsterisk() as asterisk:
        yield asterisk


@contextmanager
def _connected(asterisk: LoneAsterisk) -> Iterator[Ami]:
    ami = Ami(asterisk.settings.ami, AMI_USER, asterisk.settings.secret_for(AMI_USER))
    thread = threading.Thread(target=ami.run)
    thread.start()
    try:
        assert ami.connected.wait(10)
        yield ami
    finally:
        ami.stop()
        thread.join(10)


@pytest.fixture
def ami(asterisk: LoneAsterisk) -> Iterator[Ami]:
    with _connected(asterisk) as ami:
        yield ami


def _registers(asterisk: LoneAsterisk, account: str, password: str) -> bool:
    return SilentPhone(str(asterisk.settings.sip), account, password).is_known()


def _tell(asterisk: LoneAsterisk, ami: Ami, account: str, password: str) -> None:
    DeskPasswords(asterisk.settings, create_engine("sqlite://"), ami)._set(account, password)


def test_account_is_closed_until_asterisk_is_told(asterisk: LoneAsterisk, ami: Ami) -> None:
    assert ami.value("DB_EXISTS(desks/auth)") == "0"
    old = asterisk.settings.secret_for("desk-1")
    assert not any(_registers(asterisk, "desk-1", password) for password in (old, "", FIRST))
    _tell(asterisk, ami, "desk-1", FIRST)
    assert _registers(asterisk, "desk-1", FIRST)
    assert not _registers(asterisk, "desk-1", old)


def test_told_password_ends_the_one_before(asterisk: LoneAsterisk, ami: Ami) -> None:
    for account in ("desk-2", "desk-2-sip"):
        _tell(asterisk, ami, account, FIRST)
        _tell(asterisk, ami, account, SECOND)
        assert not _registers(asterisk, account, FIRST)
        assert _registers(asterisk, account, SECOND)


def test_passwords_outlast_a_restart_of_asterisk(asterisk: LoneAsterisk) -> None:
    with _connected(asterisk) as ami:
        _tell(asterisk, ami, "desk-3", FIRST)
    asterisk.restart()
    assert _registers(asterisk, "desk-3", FIRST)
    assert not _registers(asterisk, "desk-3", asterisk.settings.secret_for("desk-3"))


def test_telling_tells_no_event_of_a_call(asterisk: LoneAsterisk, ami: Ami) -> None:
    _tell(asterisk, ami, "desk-4", FIRST)
    say_aside(ami, "PJSIP/desk-1-00000000", "tone")  # whose channels have ended after ours
    heard = []
    while len(heard) < 2:
        event = ami.events.get(timeout=10)
        if event.name == "Hangup":
            heard.append(event.keys["Channel"])
    assert not [channel for channel in heard if "desk-4" in channel]


def test_asterisk_takes_no_other_account(asterisk: LoneAsterisk, ami: Ami) -> None:
    for account in ("trunk", "phone-1", "desk"):
        with pytest.raises(NotAccepted):
            _tell(asterisk, ami, account, FIRST)


@pytest.mark.parametrize(
    ("action", "keys"),
    [
        ("DBPut", {"Family": "desks/auth", "Key": "desk-5", "Val": "{}"}),
        ("DBDel", {"Family": "desks/auth", "Key": "desk-5"}),
        ("Setvar", {"Variable": "DB(desks/auth/desk-5)", "Value": "{}"}),
    ],
)
def test_manager_may_not_write_asterisks_database(ami: Ami, action: str, keys: dict[str, str]) -> None:
    with pytest.raises(NotAccepted):
        ami.request(action, **keys)


def test_asterisk_left_running_by_an_upgrade_is_not_able() -> None:
    """It takes the new dialplan in, but loads no module and reads no sorcery.conf until it is restarted."""
    with LoneAsterisk() as asterisk:
        etc = asterisk.settings.state_dir / "asterisk" / "etc"
        extensions = (etc / "extensions.conf").read_text()
        (etc / "extensions.conf").write_text(extensions.replace(f"[{Context.DESK_PASSWORD}]", "[nobody]"))
        (etc / "modules.conf").write_text((etc / "modules.conf").read_text().replace("load = func_db.so", ""))
        (etc / "sorcery.conf").unlink()
        asterisk.restart()
        asterisk.render()
        asked = partial(console._ask, etc.parent / "run" / "asterisk.ctl")
        asked(["core reload"])
        until(lambda: b"Set(DB" in asked([f"dialplan show {Context.DESK_PASSWORD}"]), "the dialplan is new")
        with _connected(asterisk) as ami:
            assert ami.value("DB_EXISTS(desks/auth)") == ""
        assert _registers(asterisk, "desk-1", asterisk.settings.secret_for("desk-1"))
