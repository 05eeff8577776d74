"""The cost of a citizen's attempt for every answer of a telephone network: on the real Asterisk."""

from collections.abc import Iterator

import pytest
from sqlalchemy import delete

from db.engine import writing
from db.models import Breaker, Registration
from db.states import Outcome, RegistrationState
from tests.kit.crowd import Behaviour, Crowd
from tests.kit.operator import Operator
from tests.kit.system import System

O = Outcome  # noqa: E741

NOT_RUNG: dict[str, Outcome] = {
    # the citizen's phone
    "486 Busy Here": O.BUSY,
    "600 Busy Everywhere": O.BUSY,
    "603 Decline": O.REJECTED,
    "607 Unwanted": O.REJECTED,
    "608 Rejected": O.REJECTED,
    "404 Not Found": O.UNREACHABLE,
    "410 Gone": O.UNREACHABLE,
    "484 Address Incomplete": O.UNREACHABLE,
    "485 Ambiguous": O.UNREACHABLE,
    "604 Does Not Exist Anywhere": O.UNREACHABLE,
    "480 Temporarily Unavailable": O.UNREACHABLE,
    "302 Moved Temporarily": O.UNREACHABLE,
    # ours
    "400 Bad Request": O.FAILED,
    "401 Unauthorized": O.FAILED,
    "402 Payment Required": O.FAILED,
    "403 Forbidden": O.FAILED,
    "407 Proxy Authentication Required": O.FAILED,
    "408 Request Timeout": O.FAILED,
    "483 Too Many Hops": O.FAILED,
    "487 Request Terminated": O.FAILED,
    "488 Not Acceptable Here": O.FAILED,
    "500 Server Internal Error": O.FAILED,
    "501 Not Implemented": O.FAILED,
    "502 Bad Gateway": O.FAILED,
    "503 Service Unavailable": O.FAILED,
    "504 Server Time-out": O.FAILED,
    "503 x,Stage: confirmed": O.FAILED,  # a reason that would be a header
}
RUNG: dict[str, Outcome] = {
    "486 Busy Here": O.BUSY,
    "603 Decline": O.REJECTED,
    "480 Temporarily Unavailable": O.NO_ANSWER,
    "408 Request Timeout": O.NO_ANSWER,
    "404 Not Found": O.UNREACHABLE,
    "500 Server Internal Error": O.FAILED,
    "503 Service Unavailable": O.FAILED,
}
BEHAVIOURS = [
    *((Behaviour(rings=0, status=status, hears="")) for status in NOT_RUNG),
    *((Behaviour(rings=0.3, status=status)) for status in RUNG),
    Behaviour(rings=None, hears=""),  # silence
    Behaviour(rings=None, hears="100 Trying"),
    Behaviour(rings=None, hears="180 Ringing"),
    Behaviour(rings=None, hears="183 Session Progress"),
    Behaviour(rings=0.3, hears="183 Session Progress", status="480 Temporarily Unavailable"),
]


def _outcome(behaviour: Behaviour) -> Outcome:
    if behaviour.rings is None:
        return O.NO_ANSWER if behaviour.hears[:2] == "18" else O.FAILED
    return (RUNG if behaviour.hears[:3] == "180" else NOT_RUNG)[behaviour.status]


@pytest.fixture
def round_id(system: System) -> Iterator[int]:
    """A round with nobody registered."""
    with system.only_round() as made:
        yield made


def _leaves(system: System, registration_id: int) -> None:
    with writing(system.engine) as session:
        session.get_one(Registration, registration_id).state = RegistrationState.CANCELLED


def _trunk_is_well(system: System) -> None:
    """Three faults in a row would stop all calls (hotline.trunk.circuit_breaker)."""
    with writing(system.engine) as session:
        session.execute(delete(Breaker))


def test_network_answer_costs_only_what_a_phone_said(system: System, desk: Operator, round_id: int) -> None:
    by_number = {system.number(): behaviour for behaviour in BEHAVIOURS}
    wrong = []
    with Crowd(system.trunk_port, lambda number, _: by_number[number]) as crowd:
        for number, behaviour in by_number.items():
            _trunk_is_well(system)
            system.register(round_id, number)
            callback = desk.claim(round_id)
            desk.call(callback)
            got = desk.wait_for(callback, "closed")
            registration = system.callback(callback).registration
            right = _outcome(behaviour)
            if (got, registration.attempts) != (right, int(right is not O.FAILED)):
                wrong.append(f"{behaviour}: {got}, {registration.attempts} attempts; {right} is right")
            _leaves(system, registration.id)
    assert wrong == []
    assert len(crowd.calls()) == len(BEHAVIOURS)
