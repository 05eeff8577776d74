"""Speaking first with a citizen who waits for a desk."""

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from db.engine import reading, writing
from db.models import Desk, Round
from db.states import CallbackState
from hotline.callbacks import assignment, claims, screening, serving, transitions
from hotline.errors import Refused
from settings import Settings
from tests.factories import a_desk, a_round, a_user, some_registrations
from tests.hotline.callbacks.served_round import called_ahead, some_desks, talks
from tests.kit.databases import on_one  # noqa: F401  (fixture)
from tests.kit.refusal import refusal

C = CallbackState


def test_screening_operators_keep_their_citizens(
    session: Session, settings: Settings, round_: Round, desk: Desk
) -> None:
    first, second = called_ahead(session, round_, 2)
    operator, away = a_desk(session), a_desk(session, connected=False)
    assert refusal(screening.screen, session, first, away) == "desk-phone-away"
    assert screening.screen(session, first, operator).state is C.SCREENING
    assert refusal(screening.screen, session, second, operator) == "desk-busy"
    assert refusal(screening.screen, session, first, a_desk(session)) == "wrong-state"
    assert serving.ask_next(session, desk, None, settings) is second, "the first is spoken with"
    assert refusal(screening.screen, session, second, a_desk(session)) == "wrong-state"
    assert screening.hand_over(session, first).desk_id is None
    assert refusal(screening.hand_over, session, first) == "wrong-state"
    assert [c.id for c in assignment.list_ready(session, round_.id)] == [first.id]


def test_busy_desk_may_not_screen(session: Session, settings: Settings, round_: Round, desk: Desk) -> None:
    first, second = called_ahead(session, round_, 2)
    serving.ask_next(session, desk, None, settings)
    assert refusal(screening.screen, session, second, desk) == "desk-busy"
    talks(session, first)
    assert refusal(screening.screen, session, second, desk) == "desk-busy"


def test_screening_desk_gets_no_second_citizen(
    session: Session, settings: Settings, round_: Round, desk: Desk
) -> None:
    first, second = called_ahead(session, round_, 2)
    screening.screen(session, first, desk)
    assert serving.ask_next(session, desk, None, settings) is None
    assert second.desk_id is None
    claim = {"round_id": round_.id, "desk_id": desk.id, "user_id": a_user(session).id}
    assert refusal(lambda: claims.claim(session, **claim)) == "desk-busy"
    screening.hand_over(session, first)
    assert first.desk_id == desk.id, "it asked, and the first is first"


# --- many at once ---


def test_citizen_just_assigned_cannot_be_screened(engine: Engine, settings: Settings) -> None:
    with writing(engine) as session:
        round_ = a_round(session)
        some_registrations(session, round_, 1)
        (desk,) = some_desks(session, round_, settings, 1)
        operator = a_desk(session)
        (waits,) = called_ahead(session, round_, 1)
    with writing(engine) as session:
        assert serving.ask_next(session, session.get_one(Desk, desk.id), None, settings)
    with pytest.raises(Refused, match="wrong-state"), writing(engine) as session:
        screening.screen(session, waits, session.get_one(Desk, operator.id))
    with reading(engine) as session:
        kept = transitions.get(session, waits.id)
        assert (kept.desk_id, kept.state) == (desk.id, C.WAITING)
