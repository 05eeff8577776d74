"""What the end of a callback's channel means, for every state it may have come to."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.states import ON_THE_PHONE, RETRIED, CallbackState, Outcome
from dialer.outcomes import of_hangup

C, O = CallbackState, Outcome  # noqa: E741

NONE_GIVEN, NO_SUCH_NUMBER, NO_ROUTE, NORMAL, BUSY = 0, 1, 3, 16, 17
NO_RESPONSE, NO_ANSWER, REJECTED, OUT_OF_ORDER, CONGESTION, INTERWORKING = 18, 19, 21, 27, 34, 127


@pytest.mark.parametrize(
    ("state", "cause", "outcome"),
    [
        # a phone that never rang
        (C.DIALING, BUSY, O.BUSY),
        (C.DIALING, REJECTED, O.REJECTED),
        (C.DIALING, NO_SUCH_NUMBER, O.UNREACHABLE),
        (C.DIALING, NO_ROUTE, O.UNREACHABLE),
        (C.DIALING, NO_RESPONSE, O.UNREACHABLE),
        (C.DIALING, NO_ANSWER, O.UNREACHABLE),  # switched off: SIP 480
        (C.DIALING, OUT_OF_ORDER, O.UNREACHABLE),
        (C.DIALING, CONGESTION, O.UNREACHABLE),
        (C.DIALING, NONE_GIVEN, O.UNREACHABLE),
        # a phone that rang
        (C.RINGING, BUSY, O.BUSY),
        (C.RINGING, REJECTED, O.REJECTED),
        (C.RINGING, NO_ANSWER, O.NO_ANSWER),
        (C.RINGING, NORMAL, O.NO_ANSWER),  # our ringing time was over
        (C.RINGING, NONE_GIVEN, O.NO_ANSWER),
        (C.RINGING, INTERWORKING, O.NO_ANSWER),
        (C.RINGING, NO_SUCH_NUMBER, O.UNREACHABLE),
        (C.RINGING, OUT_OF_ORDER, O.UNREACHABLE),
        (C.RINGING, CONGESTION, O.UNREACHABLE),
        # somebody picked up
        (C.ANSWERED, NORMAL, O.HUNG_UP),
        (C.ANSWERED, BUSY, O.HUNG_UP),
        (C.ANSWERED, NONE_GIVEN, O.HUNG_UP),
        (C.WAITING, NORMAL, O.HUNG_UP),
        (C.WAITING, OUT_OF_ORDER, O.HUNG_UP),
        # they spoke: the desk says how it went
        (C.TALKING, NORMAL, None),
        (C.TALKING, OUT_OF_ORDER, None),
    ],
)
def test_an_end_that_the_desk_did_not_ask_for(state: C, cause: int, outcome: O | None):
    assert of_hangup(state, cause, by_us=False) is outcome


@pytest.mark.parametrize(
    ("state", "outcome"),
    [
        (C.DIALING, O.RETURNED),  # nobody noticed
        (C.RINGING, O.NO_ANSWER),  # it rang, and nobody came in time
        (C.ANSWERED, O.CALL_AGAIN),  # a person answered, and we took it back
        (C.WAITING, O.CALL_AGAIN),
        (C.TALKING, None),
    ],
)
def test_an_end_that_the_desk_asked_for(state: C, outcome: O | None):
    assert of_hangup(state, NORMAL, by_us=True) is outcome


@given(state=st.sampled_from(ON_THE_PHONE), cause=st.integers(0, 255), by_us=st.booleans())
def test_no_end_of_a_call_decides_for_the_citizen(state: C, cause: int, by_us: bool):
    outcome = of_hangup(state, cause, by_us=by_us)

    assert outcome is None if state is C.TALKING else outcome in RETRIED
