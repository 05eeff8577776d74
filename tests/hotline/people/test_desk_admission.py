"""A desk with a person who is signed in there, and phones that dial into the desk's room."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from db.engine import now
from db.models import Desk, SignIn, TrustedTime, User
from db.states import CallbackState
from hotline.desks import desk_phones
from hotline.people import desk_admission, sign_ins, staff
from settings import Settings
from tests.factories import HOUR, a_callback, a_desk, a_user
from tests.kit.databases import on_both  # noqa: F401  (fixture)


@pytest.fixture
def key(session: Session, person: User, settings: Settings) -> str:
    """Return the number that the person's browser dials."""
    cookie = sign_ins.sign_in(session, person)
    session.flush()
    assert person.desk_id is not None
    return desk_admission.make_key(sign_ins.hash_cookie(cookie), person.desk_id, settings)


@pytest.fixture
def may(session: Session, desk: Desk, settings: Settings) -> Callable[..., bool]:
    """Whether a phone comes in by this key."""
    return lambda key, sip=False: desk_admission.admit(session, desk.id, key, settings, sip=sip)


def test_key_of_the_sign_in_opens_its_own_room_alone(
    session: Session, key: str, may: Callable[..., bool], settings: Settings
) -> None:
    other = a_desk(session)
    a_user(session, other)
    assert may(key)
    assert not any(may(wrong) for wrong in ("", "0" * 32, key[:-1], settings.secret_for("desk-1")))
    assert not desk_admission.admit(session, other.id, key, settings, sip=False)
    assert not desk_admission.admit(session, 137, key, settings, sip=False)


def test_ended_sign_in_opens_nothing_any_more(
    session: Session, person: User, key: str, may: Callable[..., bool]
) -> None:
    sign_ins.end_sessions(session, person.id)
    assert not may(key)


def test_sign_in_whose_time_is_over_opens_nothing_any_more(
    session: Session, person: User, key: str, may: Callable[..., bool]
) -> None:
    for kept in sign_ins.list_sessions(session, person.id):
        kept.expires_at = now(session)
    assert not may(key)


def test_disabled_person_opens_nothing_any_more(
    session: Session, person: User, key: str, may: Callable[..., bool], settings: Settings
) -> None:
    staff.disable(session, person, who="admin", settings=settings)
    assert not may(key)


def test_next_person_at_the_desk_leaves_the_last_one_outside(
    session: Session, desk: Desk, person: User, key: str, may: Callable[..., bool], settings: Settings
) -> None:
    person.desk_id = None
    session.flush()
    successor = a_user(session, desk)
    cookie = sign_ins.sign_in(session, successor)
    session.flush()
    assert not may(key)
    assert may(desk_admission.make_key(sign_ins.hash_cookie(cookie), desk.id, settings))


def test_browser_of_an_ended_sign_in_is_named_to_be_hung_up(
    session: Session, desk: Desk, person: User, key: str, may: Callable[..., bool], settings: Settings
) -> None:
    desk.channel = "PJSIP/desk-1-0000001f"
    assert may(key)
    session.flush()
    assert desk_admission.list_unwelcome_phones(session, settings) == []
    (kept,) = sign_ins.list_sessions(session, person.id)
    sign_ins.renew(session, kept)
    assert (
        desk_admission.list_unwelcome_phones(session, settings) == []
    )  # the same sign-in with another cookie
    sign_ins.end_sessions(session, person.id)
    assert desk_admission.list_unwelcome_phones(session, settings) == [(desk.id, desk.channel)]


def _expire(kept: SignIn, at: datetime, settings: Settings) -> None:
    kept.expires_at = at


def _leave_idle(kept: SignIn, at: datetime, settings: Settings) -> None:
    kept.last_seen_at = at - timedelta(minutes=settings.session_idle_minutes)


@pytest.mark.parametrize("end", [_expire, _leave_idle])
def test_browser_whose_sign_in_ran_out_is_hung_up_after_the_talk(
    session: Session,
    desk: Desk,
    person: User,
    key: str,
    may: Callable[..., bool],
    settings: Settings,
    end: Callable[[SignIn, datetime, Settings], None],
) -> None:
    desk.channel = "PJSIP/desk-1-0000001f"
    assert may(key)
    talk = a_callback(session, CallbackState.TALKING, person)
    (kept,) = sign_ins.list_sessions(session, person.id)
    end(kept, now(session), settings)
    session.flush()
    assert desk_admission.list_unwelcome_phones(session, settings) == []
    assert not desk_admission.is_signed_out(session, desk.id, settings), "its keys work in the conversation"
    talk.state = CallbackState.ENDED
    session.flush()
    assert desk_admission.list_unwelcome_phones(session, settings) == [(desk.id, desk.channel)]
    assert desk_admission.is_signed_out(session, desk.id, settings)


def test_clock_that_leapt_ahead_hangs_no_browser_up(
    session: Session, desk: Desk, person: User, key: str, may: Callable[..., bool], settings: Settings
) -> None:
    desk.channel = "PJSIP/desk-1-0000001f"
    assert may(key)
    session.add(TrustedTime(id=1, at=now(session) - 4 * HOUR, boot="", ticks=0))
    (kept,) = sign_ins.list_sessions(session, person.id)
    kept.expires_at = now(session) - HOUR
    session.flush()
    assert not may(key)
    assert desk_admission.list_unwelcome_phones(session, settings) == []


@pytest.fixture
def sip_key(session: Session, desk: Desk) -> str:
    """Return the number that the desk's SIP phone dials."""
    desk.phone = "sip"
    return desk_admission.find_sip_key(session, desk, who="admin")


def test_sip_phone_of_a_desk_without_a_key_is_refused(
    session: Session, desk: Desk, may: Callable[..., bool]
) -> None:
    desk_phones.choose(session, desk, "sip", None, who="admin")
    assert not may("", sip=True)
    desk.sip_key = ""
    assert not may("", sip=True)


def test_sip_key_opens_the_room_of_a_sip_phone_alone(
    desk: Desk, sip_key: str, key: str, may: Callable[..., bool]
) -> None:
    assert may(sip_key, sip=True)
    assert not any(may(wrong, sip=True) for wrong in ("", sip_key[:-1], sip_key + "0", key))
    assert not may(key) and not may(sip_key)
    desk.number = "+989131234567"
    assert not may(sip_key, sip=True)
    desk.number, desk.phone = None, "browser"
    assert not may(sip_key, sip=True)


def test_renewed_sip_key_ends_the_one_before(
    session: Session, desk: Desk, sip_key: str, may: Callable[..., bool]
) -> None:
    while desk.sip_key == sip_key:
        desk_admission.renew_sip_key(session, desk, who="admin")
    assert desk.sip_key
    assert not may(sip_key, sip=True)
    assert may(desk.sip_key, sip=True)


def _disable(session: Session, person: User, settings: Settings) -> None:
    staff.disable(session, person, who="admin", settings=settings)


def _leave(session: Session, person: User, settings: Settings) -> None:
    staff.change(session, person, who="admin", settings=settings, desk_id=None)


def _sign_out(session: Session, person: User, settings: Settings) -> None:
    staff.end_sessions(session, person, who="admin")


def _reset_password(session: Session, person: User, settings: Settings) -> None:
    staff.set_new_password(session, person, who="admin")


@pytest.mark.parametrize("happens", [_disable, _leave, _sign_out, _reset_password])
def test_sip_key_ends_with_its_person(
    session: Session,
    desk: Desk,
    person: User,
    sip_key: str,
    may: Callable[..., bool],
    settings: Settings,
    happens: Callable[[Session, User, Settings], None],
) -> None:
    desk.channel = "PJSIP/desk-1-sip-0000001f"
    assert may(sip_key, sip=True)
    session.flush()
    assert desk_admission.list_unwelcome_phones(session, settings) == []
    happens(session, person, settings)
    assert desk.sip_key != sip_key and not may(sip_key, sip=True)
    session.flush()
    assert desk_admission.list_unwelcome_phones(session, settings) == [(desk.id, desk.channel)]


def test_next_person_at_the_desk_has_another_sip_key(
    session: Session, desk: Desk, sip_key: str, settings: Settings
) -> None:
    successor = a_user(session, None)
    staff.change(session, successor, who="admin", settings=settings, desk_id=desk.id)
    assert desk.sip_key and desk.sip_key != sip_key


def test_changed_name_leaves_the_sip_key(
    session: Session, desk: Desk, person: User, sip_key: str, settings: Settings
) -> None:
    staff.change(session, person, who="admin", settings=settings, name="another")
    assert desk.sip_key == sip_key


def test_guessed_sip_keys_are_limited(desk: Desk, sip_key: str, may: Callable[..., bool]) -> None:
    for _ in range(50):
        may("", sip=True)  # a phone that still dials 1 alone guesses nothing
    assert may(sip_key, sip=True)
    wrong = (f"{(int(sip_key) + each) % 10**8:08}" for each in range(1, 12))
    assert not any(may(each, sip=True) for each in wrong)
    assert not may(sip_key, sip=True)
