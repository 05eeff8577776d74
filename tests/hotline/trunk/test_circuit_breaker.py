"""The breaker: when calls stop, how they are tried again, and that they flow at once when all is well."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from db.engine import now
from db.models import Breaker, Callback, Heartbeat, PlacedCall
from db.states import CallbackState, Outcome, RegistrationState
from hotline.callbacks import closing
from hotline.errors import Refused
from hotline.trunk import call_caps, circuit_breaker
from hotline.trunk.call_caps import CallPermit, Cap
from hotline.trunk.circuit_breaker import SCRIPTS, TRUNK
from settings import Settings
from tests import factories as make

SECOND = timedelta(seconds=1)
NUMBER = "+989131234567"


def fails(session: Session, times: int = 3, name: str = TRUNK) -> None:
    for time in range(times):
        circuit_breaker.record_failure(session, name, f"callback-{time}")


def later(session: Session, by: timedelta) -> None:
    """Let time pass."""
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
    assert circuit_breaker.claim_probe(session, "callback-probe")
    circuit_breaker.record_failure(session, TRUNK, "callback-probe")


def test_scattered_faults_keep_calls_flowing(session: Session) -> None:
    for _ in range(5):
        fails(session, 2)
        circuit_breaker.record_success(session, TRUNK, "callback-other")
    fails(session, 2)
    assert (circuit_breaker.count_allowed(session), circuit_breaker.find_outage(session)) == (None, None)


def test_three_faults_in_a_row_allow_one_probe_at_a_time(
    session: Session,
) -> None:
    fails(session)
    down = circuit_breaker.find_outage(session)
    assert down is not None
    assert (down.why, circuit_breaker.count_allowed(session)) == (TRUNK, 0)
    assert not circuit_breaker.claim_probe(session, "callback-early")
    later(session, 6 * SECOND)
    assert circuit_breaker.count_allowed(session) == 1
    assert circuit_breaker.claim_probe(session, "callback-probe")
    assert circuit_breaker.count_allowed(session) == 0, "one at a time"
    assert not circuit_breaker.claim_probe(session, "callback-other")
    circuit_breaker.record_success(session, TRUNK, "callback-probe")
    assert (circuit_breaker.count_allowed(session), circuit_breaker.find_outage(session)) == (None, None)


def test_trunk_that_answers_without_calls_is_probed_often(
    session: Session,
) -> None:
    circuit_breaker.record_options(session, yes=True)
    fails(session)
    pauses = [pause(session)]
    for _ in range(4):
        probe(session)
        pauses.append(pause(session))
    assert pauses == [5, 10, 10, 10, 10], "nobody tells us of its return but a probe"


def test_returning_trunk_is_probed_at_once(
    session: Session,
) -> None:
    circuit_breaker.record_options(session, yes=True)
    fails(session)
    circuit_breaker.record_options(session, yes=False)
    pauses = []
    for _ in range(6):
        probe(session)
        pauses.append(pause(session))
    assert pauses == [10, 20, 40, 60, 60, 60]
    circuit_breaker.record_options(session, yes=True)
    assert circuit_breaker.count_allowed(session) == 1
    circuit_breaker.claim_probe(session, "callback-probe")
    circuit_breaker.record_failure(session, TRUNK, "callback-probe")
    assert pause(session) == 10


def test_number_that_keeps_failing_stops_nobody(session: Session, settings: Settings) -> None:
    round_ = make.a_round(session)
    places = [make.a_registration(session, round_, state=RegistrationState.CALLING) for _ in range(3)]
    make.a_registration(session, round_)

    def fails_once(which: int) -> None:
        place, token, at = places[which], f"callback-{make.a_ticket()}", now(session)
        session.add(PlacedCall(token=token, number=place.number, at=at))
        dialed = {"state": CallbackState.DIALING, "round_id": round_.id, "claimed_at": at}
        session.add(Callback(registration=place, token=token, **dialed))
        session.flush()
        circuit_breaker.record_failure(session, TRUNK, token)
        closing.close(session, token, Outcome.FAILED, settings)

    for which in (0, 0, 0, 1, 1):
        fails_once(which)
        assert circuit_breaker.find_outage(session) is None
    fails_once(2)
    assert circuit_breaker.find_outage(session)


@pytest.mark.parametrize(
    "ends",
    [
        lambda session, token: circuit_breaker.record_failure(session, TRUNK, token),
        circuit_breaker.record_end,
    ],
    ids=["seen", "unseen"],
)
def test_probe_on_its_way_delays_the_next_to_its_end(
    session: Session, ends: Callable[[Session, str], None]
) -> None:
    circuit_breaker.record_options(session, yes=True)
    fails(session)
    circuit_breaker.record_options(session, yes=False)
    later(session, 6 * SECOND)
    circuit_breaker.claim_probe(session, "callback-probe")
    circuit_breaker.record_options(session, yes=True)
    assert circuit_breaker.count_allowed(session) == 0
    ends(session, "callback-probe")
    assert circuit_breaker.count_allowed(session) == 1


def test_trunk_silent_again_grows_its_pauses_anew(
    session: Session,
) -> None:
    circuit_breaker.record_options(session, yes=True)
    fails(session)
    circuit_breaker.record_options(session, yes=False)
    for _ in range(6):
        probe(session)
    circuit_breaker.record_options(session, yes=True)
    circuit_breaker.record_options(session, yes=False)
    probe(session)
    assert pause(session) == 10


def test_trunk_that_never_answers_keeps_short_pauses(
    session: Session,
) -> None:
    circuit_breaker.record_options(session, yes=True)
    fails(session)
    circuit_breaker.record_options(session, yes=False)
    later(session, 6 * SECOND)
    circuit_breaker.claim_probe(session, "callback-probe")
    circuit_breaker.record_success(session, TRUNK, "callback-probe")
    assert circuit_breaker.is_answering_options(session) is None
    fails(session)
    for _ in range(4):
        probe(session)
    assert pause(session) == 10


def test_silent_trunk_stops_calls_until_it_answers(
    session: Session,
) -> None:
    circuit_breaker.record_options(session, yes=True)
    circuit_breaker.record_options(session, yes=False)
    assert circuit_breaker.count_allowed(session) == 0
    circuit_breaker.record_options(session, yes=True)
    assert circuit_breaker.count_allowed(session) is None


def test_trunk_without_options_is_called_all_the_same(
    session: Session,
) -> None:
    circuit_breaker.record_options(session, yes=False)
    assert circuit_breaker.count_allowed(session) is None
    fails(session)
    later(session, 6 * SECOND)
    circuit_breaker.claim_probe(session, "callback-probe")
    circuit_breaker.record_success(session, TRUNK, "callback-probe")
    circuit_breaker.record_options(session, yes=False)
    assert circuit_breaker.count_allowed(session) is None


def test_probes_of_a_trunk_without_options_stay_frequent(
    session: Session,
) -> None:
    circuit_breaker.record_options(session, yes=False)  # as Asterisk says of it at its start
    fails(session)
    pauses = []
    for _ in range(4):
        probe(session)
        pauses.append(pause(session))
    assert pauses == [10, 10, 10, 10]


def test_call_placed_before_the_outage_is_no_proof(
    session: Session,
) -> None:
    fails(session)
    circuit_breaker.record_success(session, TRUNK, "callback-older")
    assert circuit_breaker.count_allowed(session) == 0
    later(session, 6 * SECOND)
    circuit_breaker.claim_probe(session, "callback-probe")
    circuit_breaker.record_success(session, TRUNK, "callback-older")
    assert circuit_breaker.find_outage(session)
    circuit_breaker.record_success(session, TRUNK, "callback-probe")
    assert circuit_breaker.find_outage(session) is None


def test_probe_with_an_unknown_end_is_repeated(
    session: Session,
) -> None:
    fails(session)
    later(session, 6 * SECOND)
    circuit_breaker.claim_probe(session, "callback-probe")
    circuit_breaker.record_end(session, "callback-probe")
    assert 0 < pause(session) <= 5
    assert circuit_breaker.find_outage(session)


def test_late_failure_of_an_older_call_delays_no_probe(
    session: Session,
) -> None:
    fails(session)
    before = pause(session)
    fails(session, 2)
    assert pause(session) == pytest.approx(before, abs=1)


def test_overdue_probe_may_be_any_call(session: Session, settings: Settings) -> None:
    fails(session)
    later(session, 60 * SECOND)
    assert call_caps.claim_call(session, "confirm-1", NUMBER, settings, 0.5) is Cap.LINE_DOWN
    later(session, 10 * SECOND)
    assert circuit_breaker.find_outage(session), "nothing has shown that it is over"
    assert call_caps.claim_call(session, "confirm-1", NUMBER, settings, 0.5) == CallPermit(
        "confirm-1", NUMBER
    )
    assert call_caps.claim_call(session, "confirm-2", "+989131234568", settings, 0.5) is Cap.LINE_DOWN, (
        "one at a time"
    )
    circuit_breaker.record_success(session, TRUNK, "confirm-1")
    assert circuit_breaker.find_outage(session) is None


@pytest.mark.parametrize(("answers", "rests"), [(None, True), (True, True), (False, False)])
def test_breaker_closes_when_idle_unless_the_trunk_is_silent(
    session: Session, answers: bool | None, rests: bool
) -> None:
    if answers is not None:
        circuit_breaker.record_options(session, yes=True)
    fails(session)
    if answers is False:
        circuit_breaker.record_options(session, yes=False)
    later(session, timedelta(seconds=pause(session) + 10))
    circuit_breaker.close_unproven(session)
    assert circuit_breaker.find_outage(session), "somebody may come"
    later(session, timedelta(seconds=6))
    assert circuit_breaker.may_close_unproven(session) is rests
    circuit_breaker.close_unproven(session)
    assert (circuit_breaker.find_outage(session) is None) is rests
    fails(session)
    assert circuit_breaker.find_outage(session), "new failures open it again"


def test_overdue_probe_keeps_the_breaker_open(session: Session) -> None:
    fails(session)
    later(session, timedelta(minutes=1))
    assert circuit_breaker.claim_probe(session, "callback-probe")
    assert not circuit_breaker.may_close_unproven(session)


def test_one_citizen_with_whom_no_script_speaks_stops_nobody(session: Session) -> None:
    for _ in range(5):
        fails(session, 1, SCRIPTS)
    assert circuit_breaker.count_allowed(session) is None


def test_two_citizens_with_whom_no_script_speaks_stop_all_calls(session: Session) -> None:
    fails(session, 2, SCRIPTS)
    assert (circuit_breaker.count_allowed(session), pause(session, SCRIPTS)) == (0, 8)
    circuit_breaker.record_success(session, TRUNK, "callback-next")  # whose phone rings
    assert circuit_breaker.count_allowed(session) == 0
    circuit_breaker.record_success(session, SCRIPTS, "callback-next")
    assert circuit_breaker.count_allowed(session) is None


def test_double_outage_waits_for_both_pauses(
    session: Session,
) -> None:
    fails(session)
    later(session, 2 * SECOND)
    fails(session, 2, SCRIPTS)
    down = circuit_breaker.find_outage(session)
    assert down and down.why == TRUNK, "what failed first"
    later(session, 4 * SECOND)
    assert circuit_breaker.count_allowed(session) == 0
    later(session, 5 * SECOND)
    assert circuit_breaker.count_allowed(session) == 1


def test_dead_ivr_allows_no_probe(session: Session) -> None:
    beat = Heartbeat(process="ivr", at=now(session) - timedelta(minutes=1), fresh_s=6)
    session.add(beat)
    fails(session)
    later(session, 6 * SECOND)
    assert circuit_breaker.count_allowed(session) == 0
    down = circuit_breaker.find_outage(session)
    assert down and down.why == "ivr"
    beat.at = now(session)
    session.flush()
    assert circuit_breaker.count_allowed(session) == 1


def test_open_breaker_probes_by_callback_only(session: Session, settings: Settings) -> None:
    fails(session)
    assert call_caps.claim_call(session, "callback-1", NUMBER, settings) is Cap.LINE_DOWN
    with pytest.raises(Refused, match="line-down"):
        call_caps.check_capacity(session, settings)
    later(session, 6 * SECOND)
    assert call_caps.claim_call(session, "confirm-1", NUMBER, settings, 0.5) is Cap.LINE_DOWN
    call_caps.check_capacity(session, settings)
    assert call_caps.claim_call(session, "callback-1", NUMBER, settings) == CallPermit("callback-1", NUMBER)
    assert call_caps.find_capacity(session, settings) == (0, Cap.LINE_DOWN)


def test_own_faults_count_towards_no_cap(session: Session, settings: Settings) -> None:
    capped = settings.model_copy(update={"calls_per_hour": 2, "calls_per_day": 2, "calls_per_number": 2})
    for which in range(5):
        assert call_caps.claim_call(session, f"callback-{which}", NUMBER, capped) == CallPermit(
            f"callback-{which}", NUMBER
        )
        call_caps.record_end(session, f"callback-{which}", ours=True)
    assert call_caps.find_capacity(session, capped).calls == 2
    assert call_caps.find_next_free_at(session, NUMBER, capped) is None
    assert session.query(PlacedCall).count() == 5, "they are written down"
