"""The breaker: when calls stop, how they are tried again, and that they flow at once when all is well."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from db.engine import now
from db.models import Breaker, Callback, Heartbeat, PlacedCall
from db.states import CallbackState, Outcome, RegistrationState
from hotline.callbacks import breaker, closing, toll
from hotline.callbacks.breaker import SCRIPTS, TRUNK
from hotline.callbacks.toll import CallPermit, Cap
from hotline.errors import Refused
from settings import Settings
from tests import factories as make

SECOND = timedelta(seconds=1)
NUMBER = "+989131234567"


def fails(session: Session, times: int = 3, name: str = TRUNK) -> None:
    for time in range(times):
        breaker.failed(session, name, f"callback-{time}")


def later(session: Session, by: timedelta) -> None:
    """As if so much time had gone by."""
    for row in session.query(Breaker):
        row.next_probe_at = row.next_probe_at and row.next_probe_at - by
        row.opened_at = row.opened_at and row.opened_at - by
    session.flush()


def pause(session: Session, name: str = TRUNK) -> int:
    """Seconds until the next probe."""
    at = session.get_one(Breaker, name).next_probe_at
    assert at is not None
    return round((at - now(session)).total_seconds())


def probe(session: Session) -> None:
    """The next probe is made, and fails."""
    later(session, timedelta(minutes=2))
    assert breaker.take(session, "callback-probe")
    breaker.failed(session, TRUNK, "callback-probe")


def test_given_a_fault_now_and_then_when_calls_are_asked_for_then_they_flow(session: Session) -> None:
    for _ in range(5):
        fails(session, 2)
        breaker.worked(session, TRUNK, "callback-other")
    fails(session, 2)
    assert (breaker.calls(session), breaker.down(session)) == (None, None)


def test_given_three_faults_in_a_row_when_calls_are_asked_for_then_one_probe_after_another_is_allowed(
    session: Session,
) -> None:
    fails(session)
    down = breaker.down(session)
    assert down is not None
    assert (down.why, breaker.calls(session)) == (TRUNK, 0)
    assert not breaker.take(session, "callback-early")
    later(session, 6 * SECOND)
    assert breaker.calls(session) == 1
    assert breaker.take(session, "callback-probe")
    assert breaker.calls(session) == 0, "one at a time"
    assert not breaker.take(session, "callback-other")
    breaker.worked(session, TRUNK, "callback-probe")
    assert (breaker.calls(session), breaker.down(session)) == (None, None)


def test_given_a_trunk_that_answers_and_takes_no_calls_when_probed_then_pauses_stay_short(
    session: Session,
) -> None:
    breaker.answers(session, yes=True)
    fails(session)
    pauses = [pause(session)]
    for _ in range(4):
        probe(session)
        pauses.append(pause(session))
    assert pauses == [5, 10, 10, 10, 10], "nobody tells us of its return but a probe"


def test_given_a_trunk_that_does_not_answer_when_it_does_again_then_the_next_probe_goes_at_once(
    session: Session,
) -> None:
    breaker.answers(session, yes=True)
    fails(session)
    breaker.answers(session, yes=False)
    pauses = []
    for _ in range(6):
        probe(session)
        pauses.append(pause(session))
    assert pauses == [10, 20, 40, 60, 60, 60]
    breaker.answers(session, yes=True)
    assert breaker.calls(session) == 1
    breaker.take(session, "callback-probe")
    breaker.failed(session, TRUNK, "callback-probe")
    assert pause(session) == 10


def test_given_one_number_that_fails_again_and_again_when_others_are_due_then_it_alone_stops_nothing(
    session: Session, settings: Settings
) -> None:
    round_ = make.a_round(session)
    places = [make.a_registration(session, round_, state=RegistrationState.CALLING) for _ in range(3)]
    make.a_registration(session, round_)

    def fails_once(which: int) -> None:
        place, token, at = places[which], f"callback-{make.a_ticket()}", now(session)
        session.add(PlacedCall(token=token, number=place.number, at=at))
        dialed = {"state": CallbackState.DIALING, "round_id": round_.id, "claimed_at": at}
        session.add(Callback(registration=place, token=token, **dialed))
        session.flush()
        breaker.failed(session, TRUNK, token)
        closing.close(session, token, Outcome.FAILED, settings)

    for which in (0, 0, 0, 1, 1):
        fails_once(which)
        assert breaker.down(session) is None
    fails_once(2)
    assert breaker.down(session)


@pytest.mark.parametrize(
    "ends",
    [lambda session, token: breaker.failed(session, TRUNK, token), breaker.ended],
    ids=["seen", "unseen"],
)
def test_given_a_probe_on_its_way_when_the_trunk_answers_again_then_the_next_waits_only_for_its_end(
    session: Session, ends: Callable[[Session, str], None]
) -> None:
    breaker.answers(session, yes=True)
    fails(session)
    breaker.answers(session, yes=False)
    later(session, 6 * SECOND)
    breaker.take(session, "callback-probe")
    breaker.answers(session, yes=True)
    assert breaker.calls(session) == 0
    ends(session, "callback-probe")
    assert breaker.calls(session) == 1


def test_given_a_trunk_that_is_silent_once_more_when_probed_then_the_pauses_grow_anew(
    session: Session,
) -> None:
    breaker.answers(session, yes=True)
    fails(session)
    breaker.answers(session, yes=False)
    for _ in range(6):
        probe(session)
    breaker.answers(session, yes=True)
    breaker.answers(session, yes=False)
    probe(session)
    assert pause(session) == 10


def test_given_a_trunk_that_takes_calls_without_answering_when_it_fails_again_then_pauses_stay_short(
    session: Session,
) -> None:
    breaker.answers(session, yes=True)
    fails(session)
    breaker.answers(session, yes=False)
    later(session, 6 * SECOND)
    breaker.take(session, "callback-probe")
    breaker.worked(session, TRUNK, "callback-probe")
    assert breaker.knows(session) is None
    fails(session)
    for _ in range(4):
        probe(session)
    assert pause(session) == 10


def test_given_a_trunk_that_answered_when_it_falls_silent_then_calls_stop_and_flow_with_its_next_answer(
    session: Session,
) -> None:
    breaker.answers(session, yes=True)
    breaker.answers(session, yes=False)
    assert breaker.calls(session) == 0
    breaker.answers(session, yes=True)
    assert breaker.calls(session) is None


def test_given_a_trunk_that_never_answers_when_asked_how_it_is_then_it_is_called_all_the_same(
    session: Session,
) -> None:
    breaker.answers(session, yes=False)
    assert breaker.calls(session) is None
    fails(session)
    later(session, 6 * SECOND)
    breaker.take(session, "callback-probe")
    breaker.worked(session, TRUNK, "callback-probe")
    breaker.answers(session, yes=False)
    assert breaker.calls(session) is None


def test_given_a_trunk_that_never_answers_when_probed_then_pauses_stay_short_as_it_tells_of_no_return(
    session: Session,
) -> None:
    breaker.answers(session, yes=False)  # as Asterisk says of it at its start
    fails(session)
    pauses = []
    for _ in range(4):
        probe(session)
        pauses.append(pause(session))
    assert pauses == [10, 10, 10, 10]


def test_given_a_call_placed_before_the_trunk_failed_when_it_rings_or_ends_then_only_a_probe_is_a_proof(
    session: Session,
) -> None:
    fails(session)
    breaker.worked(session, TRUNK, "callback-older")
    assert breaker.calls(session) == 0
    later(session, 6 * SECOND)
    breaker.take(session, "callback-probe")
    breaker.worked(session, TRUNK, "callback-older")
    assert breaker.down(session)
    breaker.worked(session, TRUNK, "callback-probe")
    assert breaker.down(session) is None


def test_given_a_probe_of_which_nobody_knows_the_end_when_it_is_over_then_another_one_is_made(
    session: Session,
) -> None:
    fails(session)
    later(session, 6 * SECOND)
    breaker.take(session, "callback-probe")
    breaker.ended(session, "callback-probe")
    assert 0 < pause(session) <= 5
    assert breaker.down(session)


def test_given_a_late_failure_of_an_older_call_when_it_ends_then_the_probe_is_not_put_off(
    session: Session,
) -> None:
    fails(session)
    before = pause(session)
    fails(session, 2)
    assert pause(session) == pytest.approx(before, abs=1)


def test_given_nobody_of_a_line_to_call_when_a_probe_is_due_for_a_minute_then_any_other_call_may_be_it(
    session: Session, settings: Settings
) -> None:
    fails(session)
    later(session, 60 * SECOND)
    assert toll.take(session, "confirm-1", NUMBER, settings, 0.5) is Cap.LINE_DOWN
    later(session, 10 * SECOND)
    assert breaker.down(session), "nothing has shown that it is over"
    assert toll.take(session, "confirm-1", NUMBER, settings, 0.5) == CallPermit("confirm-1", NUMBER)
    assert toll.take(session, "confirm-2", "+989131234568", settings, 0.5) is Cap.LINE_DOWN, "one at a time"
    breaker.worked(session, TRUNK, "confirm-1")
    assert breaker.down(session) is None


@pytest.mark.parametrize(("answers", "rests"), [(None, True), (True, True), (False, False)])
def test_given_nobody_left_to_call_when_a_probe_is_due_for_long_then_only_a_silent_trunk_stays_down(
    session: Session, answers: bool | None, rests: bool
) -> None:
    if answers is not None:
        breaker.answers(session, yes=True)
    fails(session)
    if answers is False:
        breaker.answers(session, yes=False)
    later(session, timedelta(seconds=pause(session) + 10))
    breaker.rest(session)
    assert breaker.down(session), "somebody may come"
    later(session, timedelta(seconds=6))
    assert breaker.may_rest(session) is rests
    breaker.rest(session)
    assert (breaker.down(session) is None) is rests
    fails(session)
    assert breaker.down(session), "new failures open it again"


def test_given_a_probe_on_its_way_when_long_over_due_then_the_trunk_does_not_rest(session: Session) -> None:
    fails(session)
    later(session, timedelta(minutes=1))
    assert breaker.take(session, "callback-probe")
    assert not breaker.may_rest(session)


def test_one_citizen_with_whom_no_script_speaks_stops_nobody(session: Session) -> None:
    for _ in range(5):
        fails(session, 1, SCRIPTS)
    assert breaker.calls(session) is None


def test_two_citizens_with_whom_no_script_speaks_stop_all_calls(session: Session) -> None:
    fails(session, 2, SCRIPTS)
    assert (breaker.calls(session), pause(session, SCRIPTS)) == (0, 8)
    breaker.worked(session, TRUNK, "callback-next")  # whose phone rings
    assert breaker.calls(session) == 0
    breaker.worked(session, SCRIPTS, "callback-next")
    assert breaker.calls(session) is None


def test_given_trunk_and_scripts_both_fail_when_calls_are_asked_for_then_a_probe_waits_for_both(
    session: Session,
) -> None:
    fails(session)
    later(session, 2 * SECOND)
    fails(session, 2, SCRIPTS)
    down = breaker.down(session)
    assert down and down.why == TRUNK, "what failed first"
    later(session, 4 * SECOND)
    assert breaker.calls(session) == 0
    later(session, 5 * SECOND)
    assert breaker.calls(session) == 1


def test_given_ivr_is_dead_when_calls_are_asked_for_then_there_is_not_even_a_probe(session: Session) -> None:
    beat = Heartbeat(process="ivr", at=now(session) - timedelta(minutes=1), fresh_s=6)
    session.add(beat)
    fails(session)
    later(session, 6 * SECOND)
    assert breaker.calls(session) == 0
    down = breaker.down(session)
    assert down and down.why == "ivr"
    beat.at = now(session)
    session.flush()
    assert breaker.calls(session) == 1


def test_given_an_open_breaker_when_calls_are_taken_up_then_a_callback_is_the_probe_and_no_side_call(
    session: Session, settings: Settings
) -> None:
    fails(session)
    assert toll.take(session, "callback-1", NUMBER, settings) is Cap.LINE_DOWN
    with pytest.raises(Refused, match="line-down"):
        toll.check_room(session, settings)
    later(session, 6 * SECOND)
    assert toll.take(session, "confirm-1", NUMBER, settings, 0.5) is Cap.LINE_DOWN
    toll.check_room(session, settings)
    assert toll.take(session, "callback-1", NUMBER, settings) == CallPermit("callback-1", NUMBER)
    assert toll.room(session, settings) == (0, Cap.LINE_DOWN)


def test_given_calls_that_failed_by_our_own_fault_when_counted_then_no_cap_knows_them(
    session: Session, settings: Settings
) -> None:
    capped = settings.model_copy(update={"calls_per_hour": 2, "calls_per_day": 2, "calls_per_number": 2})
    for which in range(5):
        assert toll.take(session, f"callback-{which}", NUMBER, capped) == CallPermit(
            f"callback-{which}", NUMBER
        )
        toll.ended(session, f"callback-{which}", ours=True)
    assert toll.room(session, capped).calls == 2
    assert toll.free_again(session, NUMBER, capped) is None
    assert session.query(PlacedCall).count() == 5, "they are written down"
