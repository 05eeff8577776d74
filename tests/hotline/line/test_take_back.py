"""A live round that a wrong clock emptied, whose carry-over is taken back."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select
from typer.testing import CliRunner

from db.engine import now, reading, writing
from db.models import AuditEntry, Carry, OutboxKind, OutboxMessage, Registration, Round
from db.states import HeadsUpAnswer, Outcome, RegistrationState
from hotline.callbacks import claims, transitions
from hotline.ledger.verify import verify
from hotline.line import carry_over, order, registration
from hotline.outbound import heads_up, queue
from hotline.rounds import phases
from ops.cli import app as command_line
from scheduler import jobs
from settings import Settings
from tests import factories as make
from tests.factories import HOUR, a_number
from tests.kit.refusal import refusal
from tests.kit.shifted_clock import ShiftedClock, clock
from tests.kit.story import REASON, Story, a_live_round

__all__ = ["clock"]

S = RegistrationState
WRONG = "ساعت سامانه غلط بود"
COLUMNS = [column.name for column in Registration.__table__.columns]


@pytest.fixture
def story(engine: Engine, settings: Settings) -> Story:
    """Make places in each state: two unreached (one waits for a retry), one deferred, three waiting (one
    moved up).

    One more is unconfirmed, and one is in both rounds.
    """
    story = Story(engine, settings.model_copy(update={"max_attempts": 2, "retry_seconds": 0}))
    story.registers()
    assert story.called(Outcome.NO_ANSWER) == story.called(Outcome.NO_ANSWER)
    story.conf = settings
    story.registers()
    assert story.called(Outcome.NO_ANSWER)
    defers(story, story.registers())
    ids = [story.registers() for _ in range(3)]
    story.moves_up(ids[2])
    story.keyed_in()
    number = a_number()
    story.registers(number)
    with writing(engine) as session:
        following = a_live_round(session, phases.get(session, story.round).official_id)
        following.starts_at = now(session) + HOUR
        session.flush()
        registration.register(session, round_id=following.id, number=number)
    return story


def defers(story: Story, id_: int) -> None:
    """The citizen presses 2 in the heads-up call."""
    with writing(story.engine) as session:
        heads_up.ask(session, session.get_one(Registration, id_), now(session))
        session.flush()
        token = make.claim_heads_up(session, id_)
        assert token
        assert heads_up.answer(session, token, HeadsUpAnswer.NEXT_ROUND)
        queue.finish(session, token)


def places(story: Story) -> list[tuple[Any, ...]]:
    with reading(story.engine) as session:
        columns = [getattr(Registration, name) for name in COLUMNS]
        return [tuple(row) for row in session.execute(select(*columns).order_by(Registration.id))]


def is_emptied(story: Story) -> None:
    """The round was over for a moment, and the scheduler worked."""
    with writing(story.engine) as session:
        phases.get(session, story.round).ended_at = now(session)
    jobs.carry_over(story.engine, story.conf)
    jobs.forget_calls(story.engine, story.conf)
    with writing(story.engine) as session:
        phases.get(session, story.round).ended_at = None
        assert not order.list_page(session, story.round, 99, None)


def takes_back(story: Story) -> carry_over.TakenBack:
    with writing(story.engine) as session:
        return carry_over.take_back(session, phases.get(session, story.round), who="u", reason=WRONG)


def test_emptied_round_is_as_it_was(story: Story) -> None:
    before = places(story)
    is_emptied(story)
    assert places(story) != before
    assert takes_back(story) == (9, 0)
    assert places(story) == before
    assert verify(story.engine).problems == []
    with reading(story.engine) as session:
        kept = select(OutboxMessage.kind).where(OutboxMessage.kind == OutboxKind.CARRIED)
        assert session.scalars(kept).all() == [] and session.scalars(select(Carry)).all() == []
        done = select(AuditEntry.reason).where(AuditEntry.action == "carry-over-taken-back")
        assert session.scalars(done).all() == [WRONG]
    assert takes_back(story) == (0, 0)
    is_emptied(story)
    assert verify(story.engine).problems == [], "and may be carried again"
    assert takes_back(story) == (9, 0)
    assert places(story) == before


def test_place_that_was_merged_into_keeps_the_last_subject(story: Story, engine: Engine) -> None:
    with writing(engine) as session:
        later = select(Registration).where(Registration.round_id != story.round)
        following = session.scalars(later).one()
        following.subject, following_id = 3, following.id
        here = select(Registration).where(
            Registration.number == following.number, Registration.round_id == story.round
        )
        own = session.scalars(here).one()
        own.subject, own_id = 5, own.id
    is_emptied(story)
    assert takes_back(story) == (9, 0)
    with reading(engine) as session:
        assert session.get_one(Registration, own_id).subject == 3
        assert session.get_one(Registration, following_id).merged_into_id is None


def test_whoever_was_called_since_stays(story: Story, engine: Engine) -> None:
    is_emptied(story)
    with writing(engine) as session:
        carried = session.scalars(select(Carry.to_round_id)).first()
        following = phases.get(session, carried or 0)
        following.starts_at = now(session) - timedelta(minutes=1)
        session.flush()
        callback = claims.call_ahead(session, following)
        assert callback
        token, called = callback.token, callback.registration_id
    assert takes_back(story).stay == 1
    with reading(engine) as session:
        place = session.get_one(Registration, called)
        assert (place.round_id, place.state) == (carried, S.CALLING)
        assert transitions.find_by_token(session, token)
    assert verify(engine).problems == []


def test_round_that_is_over_is_refused(story: Story) -> None:
    is_emptied(story)
    with writing(story.engine) as session:
        round_ = phases.get(session, story.round)
        phases.end_round(session, round_)
        code = refusal(lambda: carry_over.take_back(session, round_, who="u", reason=REASON))
    assert code == "round-over"


@pytest.mark.parametrize("leap", [3.5 * HOUR, timedelta(days=730)], ids=["hours", "years"])
def test_technician_takes_back_what_a_leap_emptied(
    story: Story, clock: ShiftedClock, monkeypatch: pytest.MonkeyPatch, leap: timedelta
) -> None:
    monkeypatch.setenv("HOTLINE_STATE_DIR", str(story.conf.state_dir))
    monkeypatch.setenv("HOTLINE_DATABASE_URL", story.conf.database)
    run = lambda *words: CliRunner().invoke(command_line, words)  # noqa: E731
    with writing(story.engine) as session:
        announced = select(Round).where(Round.is_operators_line.is_(False))
        both = session.scalars(announced.order_by(Round.id)).all()
        assert both[0].id == story.round
        both[0].ends_at = both[0].registration_until = now(session) + HOUR
        both[1].starts_at = now(session) + leap + HOUR
        both[1].ends_at = both[1].registration_until = both[1].starts_at + HOUR
    before = places(story)
    clock.shift = leap
    jobs.carry_over(story.engine, story.conf)
    story.seals()
    early = run("round", "take-back", str(story.round), "--reason", WRONG)
    assert early.exit_code == 1 and "over" in early.output, "the clock is still wrong"
    clock.shift = timedelta()
    assert places(story) != before
    done = run("round", "take-back", str(story.round), "--reason", WRONG)
    assert done.exit_code == 0 and f"are back in round {story.round}; 0 stay" in done.output, done.output
    assert places(story) == before
    again = run("round", "take-back", str(story.round), "--reason", WRONG)
    assert again.output.startswith("0 are back"), again.output
    proven = run("ledger", "verify")
    assert proven.exit_code == 0 and "dates lie ahead" in proven.output, proven.output
    assert story.called(Outcome.REACHED)
    assert verify(story.engine).problems == []
