"""Phones that know a desk's password dial into its room on the real Asterisk; the database says which may."""

import pytest

from db.engine import reading, writing
from db.models import Desk
from hotline.people import desk_admission
from tests.kit.operator import ROOM, Operator
from tests.kit.process import until
from tests.kit.sip_digest import SilentPhone
from tests.kit.system import System

ELSEWHERE = "127.0.0.2"


@pytest.fixture
def operator(system: System) -> Operator:
    return system.operator()


def _phone(system: System, account: str, password: str) -> SilentPhone:
    return SilentPhone(str(system.settings.sip), account, password, ELSEWHERE)


def _sip_phone(system: System, operator: Operator) -> SilentPhone:
    account, password, _ = operator.phone_account
    return _phone(system, account, password)


def _browser(system: System, operator: Operator) -> tuple[SilentPhone, str]:
    """The browser's phone, once Asterisk knows its password, and what opens the room."""
    account = operator.http.get("/desk/phone").json()
    phone = _phone(system, account["username"], account["password"])
    until(phone.is_known, "Asterisk knows the browser's password")
    return phone, account["extension"]


def _in_room(system: System, operator: Operator) -> bool:
    with reading(system.engine) as session:
        return session.get_one(Desk, operator.desk).phone_connected


def test_password_of_a_desk_alone_opens_no_room(system: System, operator: Operator) -> None:
    for phone in (_browser(system, operator)[0], _sip_phone(system, operator)):
        assert phone.dial("1") == 403
        assert phone.dial("1" + "0" * 32) == 403
    assert not _in_room(system, operator)


def test_browsers_password_ends_as_it_signs_out(system: System, operator: Operator) -> None:
    phone, extension = _browser(system, operator)
    assert phone.dial(extension) == 200
    assert operator.http.delete("/session").status_code == 204
    assert phone.dial(extension) in (401, 403)
    until(lambda: phone.dial(extension) == 401, "the account is closed", 10)


def test_account_goes_to_the_sign_in_that_asks_last(system: System, operator: Operator) -> None:
    first, _ = _browser(system, operator)
    second, extension = _browser(system, Operator(system, operator.username, operator.desk))
    assert first.dial(extension) == 401
    assert second.dial(extension) == 200


def test_password_of_the_version_before_is_refused(system: System, operator: Operator) -> None:
    _, extension = _browser(system, operator)
    _sip_phone(system, operator)
    for account in (f"desk-{operator.desk}", f"desk-{operator.desk}-sip"):
        assert _phone(system, account, system.settings.secret_for(account)).dial(extension) == 401


def test_new_password_leaves_a_phone_in_its_room(system: System, desk: Operator) -> None:
    before = _browser(system, desk)[0]
    after = _browser(system, Operator(system, desk.username, desk.desk))[0]
    assert (before.dial("1"), after.dial("1")) == (401, 403)
    assert _in_room(system, desk)


def test_sip_phone_with_an_old_key_is_refused(system: System, operator: Operator) -> None:
    phone = _sip_phone(system, operator)
    assert phone.dial(ROOM) == 200
    with writing(system.engine) as session:
        desk = session.get_one(Desk, operator.desk)
        desk_admission.renew_sip_key(session, desk, who="admin")
        password, key = desk_admission.find_sip_account(session, desk, system.settings, who="admin")
    assert phone.dial(ROOM) in (401, 403)
    until(lambda: not phone.is_known(), "the old password is refused")  # dialling would use up the guesses
    assert phone.dial(ROOM) == 401
    renewed = _phone(system, f"desk-{operator.desk}-sip", password)
    assert renewed.dial(ROOM) == renewed.dial("1") == 403
    assert renewed.dial(f"1{key}") == 200


def test_desks_phone_waits_until_the_call_scripts_are_back(system: System, operator: Operator) -> None:
    phone = _sip_phone(system, operator)
    system.kill("ivr")
    assert phone.dial(ROOM) == 200
    until(system.healthy, "the call scripts are back", 30)
