"""The call before one's turn: due once a round, placed once, and what 1 and 2 change."""

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from db.engine import reading, writing
from db.models import LedgerEntry, OutboundCall, Registration
from db.states import Fact, HeadsUpAnswer, Outcome, Phase, RegistrationState
from dialer.polling import PollIntervals
from hotline.ledger import verify
from hotline.line import caller_context, fairness, registration
from hotline.outbound import heads_up, queue
from hotline.rounds import phases
from hotline.trunk import call_caps
from scheduler import jobs
from settings import Settings
from tests import factories as make
from tests.kit.databases import in_both, on_one  # noqa: F401  (fixture)
from tests.kit.story import Story

R = RegistrationState
NEXT = HeadsUpAnswer.NEXT_ROUND


@pytest.fixture
def story(engine: Engine, settings: Settings) -> Story:
    """A live round without anybody."""
    return Story(engine, settings.model_copy(update={"max_attempts": 1, "retry_seconds": 0}))


def told(story: Story, places: int = 5) -> list[int]:
    """The scheduler looks; whose heads-up calls are due afterwards."""
    with writing(story.engine) as session:
        round_ = phases.get(session, story.round)
        round_.opened_at = round_.opened_at or round_.starts_at
        heads_up.tell(session, places, call_beyond=0)
    with reading(story.engine) as session:
        return make.due_heads_up(session)


def rings(story: Story, id_: int) -> str:
    """The heads-up call to this registration is on its way; its token."""
    with writing(story.engine) as session:
        token = make.claim_heads_up(session, id_)
        assert token
        return token


def says(story: Story, token: str, answer: HeadsUpAnswer) -> bool:
    with writing(story.engine) as session:
        return heads_up.answer(session, token, answer)


def hangs_up(story: Story, token: str) -> None:
    with writing(story.engine) as session:
        queue.finish(session, token)


def defers(story: Story, id_: int) -> None:
    token = rings(story, id_)
    assert says(story, token, NEXT)
    hangs_up(story, token)


def kept(story: Story, id_: int) -> Registration:
    with reading(story.engine) as session:
        return session.get_one(Registration, id_)


def proven(story: Story) -> None:
    assert verify.verify(story.engine).problems == []


# When a call is due


def test_each_near_place_is_due_once(story: Story) -> None:
    ids = [story.registers() for _ in range(4)]
    assert told(story, 2) == ids[:2]
    assert told(story, 2) == ids[:2]
    assert story.called(None) == ids[0]
    assert told(story, 2) == ids[1:3], "who is called is told nothing any more"


@in_both
def test_disabled_setting_makes_no_call_due(story: Story, settings: Settings) -> None:
    with writing(story.engine) as session:
        phases.open_round(session, phases.get(session, story.round))
    head = [story.registers() for _ in range(settings.call_ahead_most)]
    id_ = story.registers()
    jobs.tell_turn_near(story.engine, settings)
    with reading(story.engine) as session:
        assert make.due_heads_up(session) == []
    jobs.tell_turn_near(story.engine, settings.model_copy(update={"turn_near_call": True}))
    with reading(story.engine) as session:
        due = make.due_heads_up(session)
    assert due == [id_], f"not {head}, who are called back at once"


def test_opening_round_calls_its_head_back_and_passes_nobody(
    story: Story,
) -> None:
    ids = [story.registers() for _ in range(6)]
    with writing(story.engine) as session:
        for _ in range(2):
            make.a_desk(session).round_id = story.round
        make.a_desk(session, connected=False).round_id = story.round
        phases.open_round(session, phases.get(session, story.round))
        heads_up.tell(session, 5, call_beyond=2)
        due = make.due_heads_up(session)
    assert due == ids[4:], "two desks may have four on the way"
    for id_ in due:
        rings(story, id_)
    assert [story.called(Outcome.REACHED) for _ in range(4)] == ids[:4]
    with reading(story.engine) as session:
        called = session.scalars(select(LedgerEntry).where(LedgerEntry.fact == Fact.CALLED))
        assert all('"passed":[]' in entry.details for entry in called)


def test_citizen_called_in_this_round_gets_no_heads_up(story: Story) -> None:
    story.conf = story.conf.model_copy(update={"max_attempts": 3})
    id_ = story.registers()
    assert story.called(Outcome.NO_ANSWER) == id_
    assert told(story) == []


@pytest.mark.parametrize("phase", [Phase.OPEN, Phase.CLOSED, Phase.OVER, Phase.CANCELLED])
def test_round_that_is_not_live_makes_no_call_due(session: Session, phase: Phase) -> None:
    make.a_registration(session, make.a_round(session, phase))
    make.a_registration(session, phases.get_operators_line(session))
    heads_up.tell(session, 5, call_beyond=0)
    assert make.due_heads_up(session) == []


@pytest.mark.parametrize("state", sorted(set(R) - {R.WAITING}))
def test_due_call_of_a_place_out_of_the_line_is_not_placed(session: Session, state: R) -> None:
    place = make.a_registration(session, make.a_round(session))
    heads_up.tell(session, 5, call_beyond=0)
    place.state = state
    session.flush()
    assert make.due_heads_up(session) == []
    assert make.claim_heads_up(session, place.id) is None


def test_due_call_of_an_ended_round_is_not_placed(session: Session) -> None:
    round_ = make.a_round(session)
    place = make.a_registration(session, round_)
    heads_up.tell(session, 5, call_beyond=0)
    phases.end_round(session, round_)
    assert make.claim_heads_up(session, place.id) is None


@in_both
def test_moved_place_is_called_at_its_new_number(story: Story) -> None:
    id_ = story.registers()
    told(story)
    with writing(story.engine) as session:
        registration.change_number(session, id_, make.NUMBER)
    token = rings(story, id_)
    with reading(story.engine) as session:
        call = queue.find_by_token(session, token)
        assert call and call.number == make.NUMBER


# Placed once, and no second call meanwhile


@in_both
def test_due_call_taken_up_by_ten_is_placed_once(story: Story) -> None:
    id_ = story.registers()
    told(story)

    def take(_: int) -> bool:
        with writing(story.engine) as session:
            return make.claim_heads_up(session, id_) is not None

    assert sum(make.at_once(10, take)) == 1
    assert told(story) == []


def test_citizen_in_a_heads_up_call_is_passed_and_recorded(
    story: Story,
) -> None:
    first, second, third = (story.registers() for _ in range(3))
    told(story)
    token = rings(story, first)
    assert story.called(Outcome.REACHED) == second
    with reading(story.engine) as session:
        assert queue.list_in_progress(session).keys() == {token}
        standing = fairness.find_facts(session, session.get_one(Registration, first))
        assert [call.reason for call in standing.explained] == [fairness.Reason.ENGAGED]
    hangs_up(story, token)
    assert story.called(Outcome.REACHED) == first
    assert story.called(Outcome.REACHED) == third
    proven(story)


def test_next_beside_only_a_heads_up_call_is_empty(
    story: Story,
) -> None:
    id_ = story.registers()
    told(story)
    token = rings(story, id_)
    with pytest.raises(AssertionError):
        story.called(None)
    hangs_up(story, token)
    assert story.called(Outcome.REACHED) == id_
    proven(story)


@in_both
def test_heads_up_call_and_desk_reach_a_citizen_once(engine: Engine, story: Story) -> None:
    for _ in range(8):
        id_ = story.registers()
        told(story)

        def act(which: int, id_: int = id_) -> bool:
            if which:
                try:
                    return story.called(Outcome.REACHED) == id_
                except AssertionError:
                    return False
            with writing(engine) as session:
                return make.claim_heads_up(session, id_) is not None

        turn_near_call, callback = make.at_once(2, act)
        assert turn_near_call != callback
        if turn_near_call:
            with writing(engine) as session:
                (token,) = queue.list_in_progress(session)
                queue.finish(session, token)
            assert story.called(Outcome.REACHED) == id_
    proven(story)


# The answer


def test_key_1_keeps_the_place(story: Story) -> None:
    id_ = story.registers()
    told(story)
    token = rings(story, id_)
    assert says(story, token, HeadsUpAnswer.REACHABLE)
    assert not says(story, token, NEXT), "the first answer stands"
    hangs_up(story, token)
    with reading(story.engine) as session:
        call = make.heads_up_call(session, id_)
        assert (call.answer, call.ended_at is not None) == (HeadsUpAnswer.REACHABLE, True)
    assert story.called(Outcome.REACHED) == id_
    proven(story)


def test_silence_changes_nothing_and_is_not_repeated(
    story: Story,
) -> None:
    id_ = story.registers()
    told(story)
    token = rings(story, id_)
    hangs_up(story, token)
    assert not says(story, token, NEXT), "too late"
    assert told(story) == []
    assert kept(story, id_).state is R.WAITING
    proven(story)


@in_both
def test_key_2_defers_the_place_to_the_head_of_the_next_round(
    story: Story,
) -> None:
    first, second, third = (story.registers() for _ in range(3))
    told(story)
    defers(story, first)
    assert kept(story, first).state is R.UNREACHED
    assert story.called(Outcome.REACHED) == second
    with reading(story.engine) as session:
        place = caller_context.place(session, session.get_one(Registration, first))
        assert (place.deferred, place.given_up) == (True, False)
        last = session.scalars(select(LedgerEntry).where(LedgerEntry.registration_id == first)).all()[-1]
        assert last.fact is Fact.DEFERRED
        standing = fairness.find_facts(session, session.get_one(Registration, first))
        assert [call.reason for call in standing.explained] == [fairness.Reason.DEFERRED]
    proven(story)
    before = kept(story, first)
    story.goes_on()
    story.registers()
    after = kept(story, first)
    assert (after.state, after.round_id, after.ticket) == (R.WAITING, story.round, before.ticket)
    assert (after.rounds_missed, after.rounds_unanswered, after.attempts) == (1, 0, 0)
    assert story.called(Outcome.REACHED) == first
    assert story.called(Outcome.REACHED) == third
    proven(story)


def test_deferral_after_an_unanswered_round_loses_nothing(
    story: Story,
) -> None:
    id_ = story.registers()
    assert story.called(Outcome.NO_ANSWER) == id_
    story.goes_on()
    assert kept(story, id_).rounds_unanswered == 1
    told(story)
    defers(story, id_)
    with reading(story.engine) as session:
        assert not caller_context.place(session, session.get_one(Registration, id_)).given_up
    story.goes_on()
    after = kept(story, id_)
    assert (after.state, after.rounds_missed, after.rounds_unanswered) == (R.WAITING, 2, 1)
    assert told(story) == [id_], "asked once in each round"
    assert story.called(Outcome.NO_ANSWER) == id_
    story.goes_on()
    assert kept(story, id_).state is R.CLOSED, "two rounds without an answer"
    proven(story)


@pytest.mark.parametrize("said", HeadsUpAnswer)
@pytest.mark.parametrize("state", sorted(set(R) - {R.WAITING}))
def test_answer_of_a_place_moved_on_promises_nothing(session: Session, state: R, said: HeadsUpAnswer) -> None:
    place = make.a_registration(session, make.a_round(session))
    heads_up.tell(session, 5, call_beyond=0)
    taken = make.claim_heads_up(session, place.id)
    assert taken
    place.state = state
    session.flush()
    assert not heads_up.answer(session, taken, said)
    session.refresh(place)
    assert place.state is state


@pytest.mark.parametrize("said", HeadsUpAnswer)
def test_answer_after_the_round_promises_nothing(
    story: Story, settings: Settings, said: HeadsUpAnswer
) -> None:
    id_ = story.registers()
    told(story)
    token = rings(story, id_)
    with writing(story.engine) as session:
        call_caps.claim_call(session, token, kept(story, id_).number, settings)
        assert heads_up.list_left_behind(session) == []
        phases.end_round(session, phases.get(session, story.round))
        assert heads_up.list_left_behind(session) == [token]
    assert not says(story, token, said)
    hangs_up(story, token)
    with reading(story.engine) as session:
        assert heads_up.list_left_behind(session) == []
    assert kept(story, id_).state is R.WAITING
    proven(story)


@in_both
def test_deferred_place_that_is_cancelled_allows_registering(story: Story) -> None:
    id_ = story.registers()
    told(story)
    defers(story, id_)
    number = kept(story, id_).number
    story.cancels(id_)
    with writing(story.engine) as session:
        assert not registration.register(session, round_id=story.round, number=number).already
    proven(story)


@in_both
def test_unknown_token_changes_nothing(session: Session) -> None:
    assert not heads_up.answer(session, "near-nobody", NEXT)
    queue.finish(session, "near-nobody")
    assert queue.find_by_token(session, "near-nobody") is None


def rows(story: Story) -> list[int]:
    with reading(story.engine) as session:
        return list(session.scalars(select(OutboundCall.registration_id)))


@pytest.mark.parametrize("how", ["reached", "round over"])
def test_call_never_placed_is_deleted_and_the_dialer_rests(
    story: Story, settings: Settings, how: str
) -> None:
    id_ = story.registers()
    assert told(story) == [id_]
    pace = PollIntervals(story.engine)
    jobs.forget_calls(story.engine, settings)
    assert rows(story) == [id_] and pace.is_anybody_to_call()
    if how == "reached":
        assert story.called(Outcome.REACHED) == id_
    else:
        with writing(story.engine) as session:
            phases.end_round(session, phases.get(session, story.round))
    jobs.forget_calls(story.engine, settings)
    assert rows(story) == [] and not pace.is_anybody_to_call()


def test_wish_for_the_next_round_outlives_its_round(story: Story, settings: Settings) -> None:
    id_ = story.registers()
    told(story)
    defers(story, id_)
    with writing(story.engine) as session:
        phases.end_round(session, phases.get(session, story.round))
    jobs.forget_calls(story.engine, settings)
    assert rows(story) == [id_]


def test_call_on_its_way_is_not_deleted(story: Story, settings: Settings) -> None:
    id_ = story.registers()
    told(story)
    rings(story, id_)
    with writing(story.engine) as session:
        phases.end_round(session, phases.get(session, story.round))
    jobs.forget_calls(story.engine, settings)
    assert rows(story) == [id_]
