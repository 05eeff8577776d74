"""A citizen left in a desk's hands goes back, or a supervisor is told: nobody is «being called» for ever."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from db.engine import now, reading, writing
from db.models import AuditEntry, Callback, Event, Registration
from db.states import CallbackState, Outcome, RegistrationState
from hotline.callbacks import closing, forgotten_claims, schedule, transitions
from hotline.ledger.verify import verify
from hotline.rounds import phases, planning
from scheduler.jobs import carry_over, return_left
from settings import QuietHours, Settings
from tests import factories as make
from tests.kit.databases import in_both, on_one  # noqa: F401  (fixture)
from tests.kit.story import Story, a_live_round

C, O, R = CallbackState, Outcome, RegistrationState  # noqa: E741
MINUTE = timedelta(minutes=1)


@pytest.fixture
def story(engine: Engine, settings: Settings) -> Story:
    return Story(engine, settings.model_copy(update={"max_attempts": 3, "retry_seconds": 600}))


def in_hand(story: Story, **ago: float) -> Callback:
    """The first of the line is in the hands of a desk; what happened, so many minutes ago."""
    story.called(None)
    with writing(story.engine) as session:
        callback = session.scalars(select(Callback).order_by(Callback.id.desc())).first()
        assert callback
        for name, minutes in ago.items():
            setattr(callback, f"{name}_at", now(session) - minutes * MINUTE)
        callback.state = C.ENDED if "ended" in ago else C.CLAIMED
    return callback


def scheduler(story: Story) -> None:
    return_left(story.engine, story.conf)


def kept(story: Story, callback: Callback) -> tuple[C, Outcome | None, R]:
    with reading(story.engine) as session:
        found = transitions.get(session, callback.id)
        return found.state, found.outcome, found.registration.state


def actions(engine: Engine) -> list[str]:
    with reading(engine) as session:
        return list(session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)))


def test_unused_claim_returns_after_two_minutes(
    story: Story,
) -> None:
    id_ = story.registers()
    callback = in_hand(story, claimed=1.9)
    scheduler(story)
    assert kept(story, callback) == (C.CLAIMED, None, R.CALLING)
    with writing(story.engine) as session:
        transitions.get(session, callback.id).claimed_at = now(session) - 2 * MINUTE
    scheduler(story)
    assert kept(story, callback) == (C.CLOSED, O.RETURNED, R.WAITING)
    assert actions(story.engine) == ["left-in-hand"]
    assert story.called(O.REACHED) == id_
    assert verify(story.engine).problems == []


@pytest.mark.parametrize("minutes", [4.9, 5])
def test_ended_call_without_a_talk_is_due_after_five_minutes(story: Story, minutes: float) -> None:
    id_ = story.registers()
    callback = in_hand(story, claimed=9, ended=minutes)
    scheduler(story)
    if minutes < 5:
        assert kept(story, callback) == (C.ENDED, None, R.CALLING)
        return
    assert kept(story, callback) == (C.CLOSED, O.CALL_AGAIN, R.WAITING)
    with reading(story.engine) as session:
        assert session.get_one(Registration, id_).attempts == 0
    assert story.called(O.REACHED) == id_, "at once: they have waited"


def test_missing_outcome_alerts_the_supervisor_once(
    story: Story,
) -> None:
    story.registers()
    callback = in_hand(story, claimed=30, talking=28, ended=14.9)
    scheduler(story)
    assert actions(story.engine) == []
    with writing(story.engine) as session:
        transitions.get(session, callback.id).ended_at = now(session) - 15 * MINUTE
    for _ in range(2):
        scheduler(story)
    assert kept(story, callback) == (C.ENDED, None, R.CALLING), "a person says it"
    assert actions(story.engine) == ["outcome-owed"]
    with reading(story.engine) as session:
        told = session.scalars(select(Event).where(Event.what == "owes-outcome")).all()
        assert [event.desk_id for event in told] == [callback.desk_id]
        assert forgotten_claims.is_owed(transitions.get(session, callback.id), now(session))


def test_missing_outcome_without_a_talk_alerts_nobody(
    story: Story,
) -> None:
    story.registers()
    callback = in_hand(story, claimed=30, ended=20)
    with writing(story.engine) as session:
        assert forgotten_claims.tell(session) == 0, "it goes back by itself"
        assert not forgotten_claims.is_owed(transitions.get(session, callback.id), now(session))


@pytest.mark.parametrize(("talked", "outcome"), [(20, O.REACHED), (19, O.CALL_AGAIN)])
def test_missing_outcome_becomes_what_next_says(story: Story, talked: int, outcome: Outcome) -> None:
    story.registers()
    callback = in_hand(story, claimed=70, talking=60 + talked / 60, ended=60)
    scheduler(story)
    assert kept(story, callback)[:2] == (C.CLOSED, outcome)
    assert verify(story.engine).problems == []


def test_claimed_citizens_of_an_ended_round_are_carried(
    story: Story,
) -> None:
    ids = [story.registers() for _ in range(2)]
    claimed = in_hand(story)
    with writing(story.engine) as session:
        round_ = phases.get(session, story.round)
        session.flush()
        planning.end(session, round_, who="u")
        later = a_live_round(session, round_.official_id).id
        own = session.get_one(Registration, ids[0]).number
        other = make.a_registration(session, make.a_round(session), number=own)
    scheduler(story)
    assert kept(story, claimed) == (C.CLOSED, O.RETURNED, R.WAITING), "at once: the round is over"
    carry_over(story.engine, story.conf)
    with reading(story.engine) as session:
        assert [session.get_one(Registration, id_).round_id for id_ in ids] == [later, later]
        assert session.get_one(Registration, other.id).state is R.WAITING


def test_desk_that_acts_in_time_is_left_alone(story: Story, settings: Settings) -> None:
    with writing(story.engine) as session:
        live = [make.a_callback(session, state) for state in (C.DIALING, C.TALKING, C.WAITING)]
        for callback in live:
            callback.claimed_at -= 60 * MINUTE
        said = make.a_callback(session, C.ENDED)
        said.talking_at, said.ended_at = None, now(session) - 6 * MINUTE
        session.flush()
        tokens = forgotten_claims.list_due(session)
        assert tokens == [said.token]
        closing.record_outcome(session, said, O.REFUSED, settings)
        assert forgotten_claims.settle(session, said.token, settings) is None
        assert said.outcome is O.REFUSED
        assert [callback.state for callback in live] == [C.DIALING, C.TALKING, C.WAITING]


@in_both
def test_two_schedulers_settle_a_callback_once(story: Story) -> None:
    story.registers()
    callback = in_hand(story, claimed=3)

    def settle(_: int) -> Outcome | None:
        with writing(story.engine) as session:
            return forgotten_claims.settle(session, callback.token, story.conf)

    assert sorted(map(str, make.at_once(4, settle))) == ["None", "None", "None", "returned"]


def test_wish_for_now_in_overtime_is_kept_in_the_round(session: Session, settings: Settings) -> None:
    round_ = make.a_round(session)
    at = round_.ends_at + 5 * MINUTE
    awake = settings.model_copy(update={"quiet_hours": QuietHours(at.time(), at.time())})
    assert schedule.find_promised_time(at, at, round_, awake).due == at
    assert schedule.find_promised_time(at + MINUTE, at, round_, awake).due == round_.ends_at + phases.OVERTIME
