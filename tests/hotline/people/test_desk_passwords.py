"""A desk with a person who is signed in there: with which password its phones may register."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from db.engine import now
from db.models import Desk, Node, SignIn, User
from db.states import CallbackState
from hotline.people import desk_admission, sign_ins, staff
from settings import Settings
from tests.factories import a_callback, a_desk, a_user
from tests.kit.databases import on_both  # noqa: F401  (fixture)


@pytest.fixture
def in_force(session: Session, desk: Desk, settings: Settings) -> Callable[..., str | None]:
    """The password that Asterisk takes now; None: none."""

    def password(*, sip: bool = False) -> str | None:
        session.flush()
        return desk_admission.list_passwords(session, settings)[desk.id, sip]

    return password


@pytest.fixture
def take(session: Session, desk: Desk, person: User, settings: Settings) -> Callable[[], str]:
    """A new sign-in of the person takes the browser's account; the password that it is given."""

    def taken() -> str:
        sign_in = sign_ins.hash_cookie(sign_ins.sign_in(session, person))
        session.flush()
        return desk_admission.take_account(session, desk.id, sign_in, settings)

    return taken


def test_each_sign_in_has_a_password_of_its_own(
    take: Callable[[], str], in_force: Callable[..., str | None]
) -> None:
    first = take()
    assert in_force() == first
    second = take()
    assert in_force() == second != first


def _disable(session: Session, person: User, settings: Settings) -> None:
    staff.disable(session, person, who="admin", settings=settings)


def _leave(session: Session, person: User, settings: Settings) -> None:
    staff.change(session, person, who="admin", settings=settings, desk_id=None)


def _end(session: Session, person: User, settings: Settings) -> None:
    staff.end_sessions(session, person, who="admin")


def _expire(session: Session, person: User, settings: Settings) -> None:
    session.execute(update(SignIn).values(expires_at=now(session)))


def _idle(session: Session, person: User, settings: Settings) -> None:
    idle = timedelta(minutes=settings.session_idle_minutes + 1)
    session.execute(update(SignIn).values(last_seen_at=now(session) - idle))


@pytest.mark.parametrize("happens", [_disable, _leave, _end, _expire, _idle])
def test_browsers_password_ends_with_its_sign_in(
    session: Session,
    person: User,
    settings: Settings,
    take: Callable[[], str],
    in_force: Callable[..., str | None],
    happens: Callable[[Session, User, Settings], None],
) -> None:
    before = take()
    happens(session, person, settings)
    assert in_force() is None
    if person.desk_id and not person.disabled_at:
        after = take()
        assert in_force() == after != before


def test_account_that_nobody_took_is_closed(desk: Desk, in_force: Callable[..., str | None]) -> None:
    assert in_force() is None
    assert in_force(sip=True) is None


def test_sign_in_of_another_desk_leaves_no_password(
    session: Session,
    desk: Desk,
    settings: Settings,
    take: Callable[[], str],
    in_force: Callable[..., str | None],
) -> None:
    take()
    stranger = a_user(session, a_desk(session))
    sign_in = sign_ins.hash_cookie(sign_ins.sign_in(session, stranger))
    desk_admission.take_account(session, desk.id, sign_in, settings)
    assert in_force() is None


def test_password_outlasts_a_sign_in_that_expires_in_a_talk(
    session: Session,
    person: User,
    settings: Settings,
    take: Callable[[], str],
    in_force: Callable[..., str | None],
) -> None:
    password = take()
    a_callback(session, CallbackState.TALKING, person)
    _expire(session, person, settings)
    assert in_force() == password


def test_renewed_cookie_takes_the_account_along(
    session: Session, desk: Desk, person: User, take: Callable[[], str], in_force: Callable[..., str | None]
) -> None:
    before = take()
    (kept,) = sign_ins.list_sessions(session, person.id)
    sign_ins.renew(session, kept)
    session.refresh(desk)
    assert in_force() not in (None, before)


@pytest.mark.parametrize("happens", [_disable, _leave, _end])
def test_sip_password_is_new_as_soon_as_its_key_is(
    session: Session,
    desk: Desk,
    person: User,
    settings: Settings,
    in_force: Callable[..., str | None],
    happens: Callable[[Session, User, Settings], None],
) -> None:
    desk.phone = "sip"
    desk_admission.find_sip_key(session, desk, who="admin")
    before = in_force(sip=True)
    happens(session, person, settings)
    assert in_force(sip=True) not in (None, before)


@pytest.mark.parametrize("has", [True, False])
def test_sip_account_is_what_the_nodes_asterisk_knows(
    session: Session, desk: Desk, settings: Settings, in_force: Callable[..., str | None], has: bool
) -> None:
    node = Node(name=settings.node, sip="", host="", websocket_url="", capacity=1, epoch=1)
    node.lease_until = node.started_at = now(session)
    node.has_desk_passwords = has
    session.merge(node)
    account = desk_admission.find_sip_account(session, desk, settings, who="admin")
    assert account.key == desk.sip_key
    assert account.password == (in_force(sip=True) if has else settings.secret_for(f"desk-{desk.id}-sip"))
