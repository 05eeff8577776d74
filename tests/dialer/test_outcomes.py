"""The outcome of each end of a callback's channel, for every state that it may have reached."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.states import FREE_OF_CHARGE, IN_TALK, ON_THE_PHONE, RETRIED, CallbackState, Outcome
from dialer.outcomes import NEVER_BEGAN, Ending, is_own_fault, is_trunk_failure, map_hangup
from dialplan.variables import CAPPED_CAUSE

C, O = CallbackState, Outcome  # noqa: E741

NORMAL, BUSY, OUT_OF_ORDER, NO_CIRCUIT, NO_SOUND = 16, 17, 27, 34, 44
NO_ANSWER_TO_SIP, INTERWORKING = 102, 127
OURS = (0, 100, 400, 401, 402, 403, 405, 407, 420, 482, 483, 488, 500, 501, 502, 503, 504, 580, 606)


@pytest.mark.parametrize(
    ("state", "sip", "outcome"),
    [
        # a phone that never rang
        (C.DIALING, 486, O.BUSY),
        (C.DIALING, 600, O.BUSY),
        (C.DIALING, 603, O.REJECTED),
        (C.DIALING, 404, O.UNREACHABLE),
        (C.DIALING, 410, O.UNREACHABLE),
        (C.DIALING, 484, O.UNREACHABLE),
        (C.DIALING, 480, O.UNREACHABLE),  # switched off
        (C.DIALING, 302, O.UNREACHABLE),
        (C.DIALING, 183, O.NO_ANSWER),  # the network played its own ringing tone
        (C.DIALING, 408, O.FAILED),
        (C.DIALING, 487, O.FAILED),
        *((C.DIALING, sip, O.FAILED) for sip in OURS),
        # a phone that rang
        (C.RINGING, 486, O.BUSY),
        (C.RINGING, 603, O.REJECTED),
        (C.RINGING, 180, O.NO_ANSWER),  # our ringing time was over
        (C.RINGING, 480, O.NO_ANSWER),
        (C.RINGING, 408, O.NO_ANSWER),
        (C.RINGING, 487, O.NO_ANSWER),
        (C.RINGING, 404, O.UNREACHABLE),
        *((C.RINGING, sip, O.FAILED) for sip in OURS),
        # nobody told: lost on the way, or our own channels were full
        (C.DIALING, None, O.FAILED),
        (C.RINGING, None, O.FAILED),
    ],
)
def test_a_call_that_nobody_picked_up(state: C, sip: int | None, outcome: O):
    assert map_hangup(state, Ending(BUSY, sip), by_us=False) is outcome


@pytest.mark.parametrize(
    ("state", "cause", "outcome"),
    [
        (C.ANSWERED, NORMAL, O.HUNG_UP),
        (C.ANSWERED, BUSY, O.HUNG_UP),
        (C.ANSWERED, 0, O.HUNG_UP),
        (C.WAITING, NORMAL, O.HUNG_UP),
        (C.WAITING, OUT_OF_ORDER, O.FAILED),
        (C.ANSWERED, NO_CIRCUIT, O.FAILED),
        (C.WAITING, NO_SOUND, O.FAILED),
        (C.SCREENING, NO_SOUND, O.FAILED),
        (C.ANSWERED, INTERWORKING, O.HUNG_UP),
        (C.WAITING, NO_ANSWER_TO_SIP, O.FAILED),
        # they spoke: the desk says how it went
        (C.TALKING, NORMAL, None),
        (C.TALKING, NO_SOUND, None),
    ],
)
def test_a_call_that_somebody_picked_up(state: C, cause: int, outcome: O | None):
    assert map_hangup(state, Ending(cause), by_us=False) is outcome


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
    assert map_hangup(state, Ending(NORMAL), by_us=True) is outcome


@pytest.mark.parametrize(
    ("ending", "of_the_trunk", "of_ours"),
    [
        *((Ending(BUSY, sip), True, True) for sip in (*OURS, 408)),
        *((Ending(BUSY, sip), False, False) for sip in (180, 183, 200, 302, 404, 480, 486, 603)),
        (NEVER_BEGAN, True, True),
        (Ending(CAPPED_CAUSE), False, True),  # the trunk is well, it only has no channel for us
        (Ending(NORMAL), False, False),
    ],
)
def test_whose_fault_it_was_that_a_call_never_came_to_a_phone(
    ending: Ending, of_the_trunk: bool, of_ours: bool
):
    assert (is_trunk_failure(ending), is_own_fault(ending)) == (of_the_trunk, of_ours)


@given(
    state=st.sampled_from(ON_THE_PHONE),
    cause=st.integers(0, 255),
    sip=st.none() | st.integers(0, 699),
    by_us=st.booleans(),
)
def test_no_end_of_a_call_decides_for_the_citizen(state: C, cause: int, sip: int | None, by_us: bool):
    outcome = map_hangup(state, Ending(cause, sip), by_us=by_us)

    assert outcome is None if state in (*IN_TALK, C.PARTING) else outcome in RETRIED


@given(sip=st.integers(500, 599), rang=st.booleans())
def test_no_fault_of_a_server_is_paid_by_a_citizen(sip: int, rang: bool):
    outcome = map_hangup(C.RINGING if rang else C.DIALING, Ending(BUSY, sip), by_us=False)

    assert outcome in FREE_OF_CHARGE
