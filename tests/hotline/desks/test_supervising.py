"""Hearing another desk: who may be heard when, that each begin and end is on record, and what ends it."""

from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from api.app import create
from api.cookies import COOKIE
from db.engine import now, writing
from db.models import AuditEntry, Callback, Desk, Hearing, Role, User
from db.states import CallbackState, Outcome
from hotline.callbacks import assignment, closing, screening, transitions
from hotline.desks import supervising
from hotline.people import sign_ins
from settings import Settings
from tests import factories as make
from tests.kit.databases import on_one  # noqa: F401  (fixture)
from tests.kit.refusal import refusal

C, H = CallbackState, Hearing


@pytest.fixture
def supervisor(session: Session) -> User:
    user = make.a_user(session, make.a_desk(session), "the-supervisor")
    user.role = Role.SUPERVISOR
    return user


@pytest.fixture
def mine(session: Session, supervisor: User) -> Desk:
    return session.get_one(Desk, supervisor.desk_id)


@pytest.fixture
def talking(session: Session) -> Callback:
    """A desk in a conversation."""
    return make.a_callback(session, C.TALKING)


def listens(session: Session, desk: Desk, callback: Callback, how: Hearing = H.LISTEN) -> None:
    assert callback.desk_id is not None
    supervising.hear(session, desk, callback.desk_id, how, who="the-supervisor")


def log(session: Session) -> list[tuple[str, str, str, str]]:
    found = session.scalars(
        select(AuditEntry).where(AuditEntry.action.startswith("supervision")).order_by(AuditEntry.id)
    )
    return [(e.who, e.action, e.subject, e.reason) for e in found]


def test_each_supervision_is_audited_with_begin_and_end(
    session: Session, mine: Desk, talking: Callback
) -> None:
    listens(session, mine, talking)
    listens(session, mine, talking)  # pressed twice
    assert (mine.hears_desk_id, mine.hears_how) == (talking.desk_id, H.LISTEN)
    listens(session, mine, talking, H.JOIN)
    supervising.stop_by(session, mine, who="the-supervisor")
    supervising.stop_by(session, mine, who="the-supervisor")

    assert (mine.hears_desk_id, mine.hears_how, mine.hears_callback_id) == (None, None, None)
    of, who = f"callback {talking.id}", "the-supervisor"
    assert log(session) == [
        (who, "supervision-began", of, f"listen, desk {talking.desk_id}"),
        (who, "supervision-ended", of, ""),
        (who, "supervision-began", of, f"join, desk {talking.desk_id}"),
        (who, "supervision-ended", of, ""),
    ]


@pytest.mark.parametrize("state", [state for state in C if state is not C.TALKING])
def test_supervision_of_a_silent_desk_is_refused(session: Session, mine: Desk, state: CallbackState) -> None:
    callback = make.a_callback(session, state)
    assert refusal(lambda: listens(session, mine, callback)) == "nobody-speaks"
    assert log(session) == []


def test_supervisor_who_cannot_listen_is_told_why(
    session: Session, supervisor: User, mine: Desk, talking: Callback
) -> None:
    assert refusal(lambda: supervising.hear(session, mine, mine.id, H.LISTEN, who="x")) == "own-desk"
    assert refusal(lambda: supervising.hear(session, mine, 404404, H.LISTEN, who="x")) == "not-found"
    mine.phone_connected = False
    session.flush()
    assert refusal(lambda: listens(session, mine, talking)) == "desk-phone-away"
    mine.phone_connected = True
    session.flush()
    mine.node, talking.node = "one", "two"
    session.flush()
    assert refusal(lambda: listens(session, mine, talking)) == "desk-elsewhere"
    make.a_callback(session, C.CLAIMED, supervisor)
    assert refusal(lambda: listens(session, mine, talking)) == "desk-busy"
    assert log(session) == []


def test_screening_supervisor_is_busy(session: Session, mine: Desk, talking: Callback) -> None:
    screening = make.a_callback(session, C.SCREENING)
    screening.desk_id, screening.screen_desk_id = None, mine.id
    session.flush()
    assert refusal(lambda: listens(session, mine, talking)) == "desk-busy"


# --- nobody is brought to a desk that hears ---


def test_supervising_desk_gets_no_citizen(session: Session, mine: Desk, talking: Callback) -> None:
    waiting = make.a_callback(session, C.WAITING)
    waiting.desk_id = None
    mine.round_id, mine.next_asked_at = waiting.round_id, now(session)
    session.flush()
    listens(session, mine, talking)
    assert mine.next_asked_at is None, "who hears another is not free"
    mine.next_asked_at = now(session)  # asks all the same
    assert not assignment.is_any_to_meet(session)
    assert assignment.match(session) == 0

    supervising.stop_by(session, mine, who="x")
    assert assignment.match(session) == 1
    session.refresh(waiting)
    assert waiting.desk_id == mine.id


def test_supervising_desk_may_not_call_or_screen(
    session: Session, supervisor: User, mine: Desk, talking: Callback, settings: Settings
) -> None:
    listens(session, mine, talking)
    waiting = make.a_callback(session, C.WAITING)
    waiting.desk_id = None
    assert refusal(lambda: screening.screen(session, waiting, mine)) == "desk-hears"
    own = make.a_callback(session, C.CLAIMED, supervisor)
    assert refusal(lambda: transitions.ask_call(session, own, settings)) == "desk-hears"


# --- what ends it ---


def _hangs_up(session: Session, _mine: Desk, talking: Callback, _settings: Settings) -> None:
    transitions.move(session, talking.token, C.ENDED)


def _next(session: Session, _mine: Desk, talking: Callback, settings: Settings) -> None:
    """The heard desk presses «next», and speaks with another citizen already."""
    transitions.move(session, talking.token, C.ENDED)
    closing.close(session, talking.token, Outcome.REACHED, settings)
    user = session.scalars(select(User).where(User.desk_id == talking.desk_id)).one()
    make.a_callback(session, C.TALKING, user)


def _desk_leaves(session: Session, _mine: Desk, talking: Callback, _settings: Settings) -> None:
    session.get_one(Desk, talking.desk_id).phone_connected = False


def _i_leave(_session: Session, mine: Desk, _talking: Callback, _settings: Settings) -> None:
    mine.phone_connected = False


def _own_citizen(session: Session, mine: Desk, _talking: Callback, _settings: Settings) -> None:
    """Given in the very moment in which the supervisor began to hear."""
    make.a_callback(session, C.WAITING).desk_id = mine.id


@pytest.mark.parametrize(
    ("happens", "why"),
    [
        (_hangs_up, "the conversation is over"),
        (_next, "the conversation is over"),
        (_desk_leaves, "the phone left"),
        (_i_leave, "the phone left"),
        (_own_citizen, "a citizen of the desk's own"),
    ],
)
def test_end_of_a_supervision_is_audited_with_its_cause(
    session: Session,
    settings: Settings,
    mine: Desk,
    talking: Callback,
    happens: Callable[..., None],
    why: str,
) -> None:
    listens(session, mine, talking)
    session.flush()
    assert not supervising.has_over(session)
    happens(session, mine, talking, settings)
    session.flush()
    assert supervising.has_over(session)
    supervising.end_over(session)
    assert mine.hears_desk_id is None
    assert log(session)[-1] == ("the-supervisor", "supervision-ended", f"callback {talking.id}", why)


# --- the API ---


def test_supervision_by_the_api_needs_a_desk(engine: Engine, settings: Settings) -> None:
    with writing(engine) as session:
        heard_desk = make.a_callback(session, C.TALKING).desk_id
        people = [make.a_user(session, make.a_desk(session)), make.a_user(session)]
        for person in people:
            person.role = Role.ADMINISTRATOR
        at_desk, nowhere = (sign_ins.sign_in(session, person) for person in people)
    page = TestClient(create(settings), base_url="http://test/api/v1", cookies={COOKIE: at_desk})
    answer = page.put("/desk/hears", json={"desk_id": heard_desk, "how": "whisper"})
    assert answer.status_code == 200, answer.text
    desk = answer.json()["desk"]
    assert (desk["hears_desk_id"], desk["hears_how"]) == (heard_desk, "whisper")
    assert page.put("/desk/hears", json={"desk_id": heard_desk, "how": "spy"}).status_code == 422
    assert page.put("/desk/hears", json={"desk_id": None}).json()["desk"]["hears_desk_id"] is None
    page.cookies.set(COOKIE, nowhere)
    assert page.put("/desk/hears", json={"desk_id": heard_desk}).json()["code"] == "no-desk"
