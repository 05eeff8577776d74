"""A desk with a person who is signed in there, and phones that dial into the desk's room."""

from collections.abc import Callable

import pytest
from sqlalchemy.orm import Session

from db.engine import now
from db.models import Desk, User
from hotline.desks import desk_phones
from hotline.people import desk_admission, sign_ins, staff
from settings import Settings
from tests.factories import a_desk, a_user
from tests.kit.databases import on_both  # noqa: F401  (fixture)


@pytest.fixture
def desk(session: Session) -> Desk:
    return a_desk(session)


@pytest.fixture
def person(session: Session, desk: Desk) -> User:
    return a_user(session, desk)


@pytest.fixture
def key(session: Session, person: User, settings: Settings) -> str:
    """What the person's browser dials."""
    cookie = sign_ins.sign_in(session, person)
    session.flush()
    assert person.desk_id is not None
    return desk_admission.key_of(sign_ins.cookie_hash(cookie), person.desk_id, settings)


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
    for kept in sign_ins.sessions_of(session, person.id):
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
    assert may(desk_admission.key_of(sign_ins.cookie_hash(cookie), desk.id, settings))


def test_browser_of_an_ended_sign_in_is_named_to_be_hung_up(
    session: Session, desk: Desk, person: User, key: str, may: Callable[..., bool]
) -> None:
    desk.channel = "PJSIP/desk-1-0000001f"
    assert may(key)
    session.flush()
    assert desk_phones.left_behind(session) == []
    (kept,) = sign_ins.sessions_of(session, person.id)
    sign_ins.renew(session, kept)
    assert desk_phones.left_behind(session) == []  # the same sign-in with another cookie
    sign_ins.end_sessions(session, person.id)
    assert desk_phones.left_behind(session) == [(desk.id, desk.channel)]


def test_sip_phone_comes_in_only_where_the_desk_has_one(
    session: Session, desk: Desk, key: str, may: Callable[..., bool]
) -> None:
    assert not may("", sip=True)
    desk.phone = "sip"
    assert may("", sip=True)
    assert not may(key)
    desk.number = "+989131234567"
    assert not may("", sip=True)


def test_renewed_key_of_a_sip_phone_ends_the_one_before(
    session: Session, desk: Desk, may: Callable[..., bool]
) -> None:
    desk.phone = "sip"
    desk_admission.renew_sip_key(session, desk, who="admin")
    first = desk.sip_key
    assert first and not may("", sip=True) and may(first, sip=True)
    while desk.sip_key == first:
        desk_admission.renew_sip_key(session, desk, who="admin")
    assert not may(first, sip=True)
    assert may(desk.sip_key, sip=True)
