"""The operators' line has no next round: a place that nobody answers ends; the next 0 makes a fresh one."""

from itertools import product

import pytest
from sqlalchemy import Engine, select, update
from sqlalchemy.orm import Session

from db.engine import reading, writing
from db.models import Callback, Desk, OutboxKind, OutboxMessage, Registration
from db.states import LIVE, ON_THE_PHONE, UNDER_WAY, CallbackState, Outcome, RegistrationState
from dialer.callback_writer import CallbackWriter
from dialer.outcomes import UNSEEN, Ending
from hotline.callbacks import claims, closing, forgotten_claims
from hotline.ledger.verify import verify
from hotline.line import carry_over, registration
from hotline.rounds import phases
from scheduler import wording
from settings import Settings
from tests import factories as make
from tests.kit.fake_asterisk import FakeAsterisk

C, S = CallbackState, RegistrationState
OWN = "+989131234567"
AGREES = ("main-menu", "0"), ("operator-choice", "#")


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"max_attempts": 2, "retry_seconds": 0})


def nobody_answers(engine: Engine, settings: Settings) -> bool:
    """Whether somebody was called."""
    with writing(engine) as session:
        callback = claims.call_ahead(session, phases.get_operators_line(session))
        if callback:
            closing.close(session, callback.token, Outcome.NO_ANSWER, settings)
        return callback is not None


def places(engine: Engine) -> list[tuple[str, S]]:
    with reading(engine) as session:
        rows = session.execute(select(Registration.number, Registration.state).order_by(Registration.id))
        return [(number, state) for number, state in rows]


def texts(session: Session) -> list[str]:
    found = session.scalars(select(OutboxMessage).where(OutboxMessage.kind == OutboxKind.CLOSED)).all()
    return [said.text for text_message in found if (said := wording.find_words(session, text_message))]


def test_unanswered_operators_place_ends_and_0_makes_a_new_one(
    asterisk: FakeAsterisk, engine: Engine, settings: Settings
) -> None:
    asterisk.dial(*AGREES)
    assert nobody_answers(engine, settings)
    assert places(engine) == [(OWN, S.WAITING)]
    assert nobody_answers(engine, settings)
    assert places(engine) == [(OWN, S.CLOSED)]
    with reading(engine) as session:
        (told,) = texts(session)
    assert "بسته شد" in told and "عدد ۰" in told and "دو دور" not in told

    heard = asterisk.dial(*AGREES)
    assert "operator-registered" in heard.prompts
    assert places(engine) == [(OWN, S.CLOSED), (OWN, S.WAITING)]
    assert nobody_answers(engine, settings)
    assert verify(engine).problems == []


def test_dead_place_of_an_older_version_is_closed_once(
    engine: Engine,
) -> None:
    with writing(engine) as session:
        operators_line = phases.get_operators_line(session)
        dead, waits = make.some_registrations(session, operators_line, 2)
        dead.state, dead.attempts = S.UNREACHED, 3
    for closed in (1, 0):
        with writing(engine) as session:
            assert carry_over.carry_over(session) == closed
    with reading(engine) as session:
        assert session.get_one(Registration, dead.id).state is S.CLOSED
        assert session.get_one(Registration, waits.id).state is S.WAITING
        assert len(texts(session)) == 1


MOMENTS = ("claimed_at", "ended_at", "held_until", "parting_at", "talking_at", "hangup_asked_at")
ENDS = {
    "hangs up": Ending(16),
    "is cut": Ending(44),
    "never came to a phone": Ending(34, sip=503),
    "does not answer": Ending(19, sip=180),
    "nobody can say": UNSEEN,
    "stays": None,
}
"""How a call ends; one that stays until we end it is held, or parting."""


def in_state(session: Session, state: C, *, called_ahead: bool) -> Callback:
    """Somebody of the operators' line, in the hands of a desk or called ahead."""
    callback = make.a_callback(session, state, round_id=phases.get_operators_line(session).id)
    if state is not C.CLAIMED:
        callback.called_at = callback.placed_at = callback.claimed_at
    callback.ended_at = callback.claimed_at if state is C.ENDED else None
    if called_ahead:
        callback.desk_id = callback.user_id = None
    return callback


def hours_pass(engine: Engine, settings: Settings) -> None:
    """Let the dialer and the scheduler work by themselves for that time, with the desk left alone."""
    moves = CallbackWriter(settings, engine)
    with writing(engine) as session:
        for row in session.scalars(select(Callback)):
            for name in MOMENTS:
                setattr(row, name, (at := getattr(row, name)) and at - 2 * make.HOUR)
        session.execute(update(Desk).values(phone_connected=False))
        session.execute(update(Registration).values(not_before=None))
    moves.end_overdue()
    with reading(engine) as session:
        asked = session.scalars(select(Callback.token).where(Callback.hangup_asked_at.is_not(None))).all()
    for token in asked:
        moves.ended(token, UNSEEN)
    with writing(engine) as session:
        for token in forgotten_claims.list_due(session):
            forgotten_claims.settle(session, token, settings)
        carry_over.carry_over(session)


@pytest.mark.parametrize(
    ("state", "called_ahead"), [*((s, False) for s in LIVE), *((s, True) for s in (*UNDER_WAY, C.WAITING))]
)
def test_operators_place_in_any_state_has_a_way_on(
    engine: Engine, settings: Settings, state: C, called_ahead: bool
) -> None:
    ends = {}
    with writing(engine) as session:
        for attempts, ending in product((0, 1), ENDS.values()):
            callback = in_state(session, state, called_ahead=called_ahead)
            callback.registration.attempts = attempts
            ends[callback.token] = ending or (None if state in (C.HELD, C.PARTING) else UNSEEN)
    for token, ending in ends.items():
        if ending and state in ON_THE_PHONE:
            CallbackWriter(settings, engine).ended(token, ending)
    hours_pass(engine, settings)
    with writing(engine) as session:
        operators_line = phases.get_operators_line(session)
        assert set(session.scalars(select(Callback.state))) == {C.CLOSED}
        due = set()
        for place in session.scalars(select(Registration)).all():
            assert place.state in (S.WAITING, S.REACHED, S.CLOSED)
            again = registration.register(session, round_id=operators_line.id, number=place.number)
            assert again.already == (place.state is S.WAITING), "the next 0 makes a fresh place"
            due.add(again.registration_id)
        called = iter(lambda: claims.call_ahead(session, operators_line), None)
        assert {callback.registration_id for callback in called if callback} == due
    assert len(due) == len(ends)
