"""`make scale`: many machines' parts in containers; citizens call, a desk serves, part after part dies."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial

import pytest

from db.states import Outcome
from tests.kit import round_checks
from tests.kit.crowd import Behaviour, Crowd
from tests.kit.docker_engine import Engine
from tests.kit.official import Script
from tests.kit.process import slowness, until
from tests.kit.registrant import Registrant
from tests.kit.scale import NODES, FarOfficial, Scale

pytestmark = pytest.mark.timeout(3000)

ROUND_S, HEARS_S = 30.0, 5.0
"""From the fault until the desk speaks with the next citizen; from dialling until a new caller hears us."""
_AT_FIRST, _AT_ONCE, _AFTER_EACH = 48, 8, 4
_TOLD_S, _WHOLE_S = 120.0, 180.0


@pytest.fixture(scope="module")
def scale(docker: Engine) -> Iterator[Scale]:
    """All of it, gone without a trace afterwards."""
    with Scale(docker) as scale:
        yield scale


@dataclass
class Fault:
    """A fault and its costs; times in seconds."""

    what: str
    hears: float
    """The longest that somebody who dialled just then waited for the first sound."""
    told: float
    """Until all of them had heard their tickets."""
    round: float
    """Until the desk spoke with the next citizen."""
    lost: int
    double: int


@dataclass
class Evening:
    """The round that is on."""

    scale: Scale
    round_id: int
    crowd: Crowd
    official: FarOfficial
    callers: list[Registrant]
    stack: ExitStack

    def call(self, many: int, *, after_s: float = 0.0, every_s: float = 0.3) -> list[Registrant]:
        """Let citizens dial 137, one after the other."""
        new = [Registrant(self.scale, self.scale.number(), after_s + n * every_s) for n in range(many)]
        for each in new:
            self.stack.enter_context(each)
        self.callers += new
        return new

    def lost(self) -> list[str]:
        """Return the citizens whose ticket was spoken and who have no place."""
        there = {"0" + r.number.removeprefix("+98") for r in self.scale.registrations(self.round_id)}
        return [each.number for each in self.callers if each.spoken_at and each.number not in there]

    def double(self) -> list[str]:
        """Return the citizens who were called twice: for one callback, during a call, or after a
        conversation.
        """
        facts = round_checks.facts(self.scale, self.round_id, self.crowd, [self.official])
        again, spoken = [], set[int]()
        for each in facts.attempts:
            if each.callback.registration_id in spoken:
                again.append(f"{each.number} was called after a conversation that was one")
            if each.callback.outcome is Outcome.REACHED:
                spoken.add(each.callback.registration_id)
        return [*round_checks.double_calls(facts), *again]

    def during(self, what: str, breaks: Callable[[], object]) -> Fault:
        """Something dies, in the middle of a conversation; what that costs."""
        before = self.official.next_talk(time.time(), 2 * ROUND_S)
        self.official.next_talk(before + 0.01, 2 * ROUND_S)
        breaks()
        since = time.time()
        new = self.call(_AFTER_EACH, every_s=1.0)
        goes_on = self.official.next_talk(since, 4 * ROUND_S) - since
        _all_told(new)
        hears = max((each.heard_at or 0) - (each.dialled_at or 0) for each in new)
        told = max(each.spoken_at or 0 for each in new) - since
        fault = Fault(what, hears, told, goes_on, len(self.lost()), len(self.double()))
        print(_row(fault), flush=True)  # noqa: T201
        return fault


def _all_told(callers: Sequence[Registrant]) -> None:
    ends = time.monotonic() + _TOLD_S
    left = [each.number for each in callers if not each.wait(max(0.0, ends - time.monotonic()))]
    assert not left, f"nobody told them a ticket: {left}"


_HEAD = f"{'fault':<34}{'hears':>8}{'ticket':>8}{'round':>8}{'lost':>6}{'double':>8}"


def _row(fault: Fault) -> str:
    times = "".join(f"{each:8.1f}" for each in (fault.hears, fault.told, fault.round))
    return f"{fault.what:<34}{times}{fault.lost:6}{fault.double:8}"


@pytest.fixture(scope="module")
def evening(scale: Scale) -> Iterator[Evening]:
    """A round for which citizens have registered by phone, and a desk that speaks with one after another."""
    with ExitStack() as stack:
        crowd = Crowd(scale.trunk_port, lambda _number, _call: Behaviour(rings=0.3), host=scale.phones_at)
        crowd.answers_options = True
        stack.enter_context(crowd)
        round_id = stack.enter_context(scale.only_round())
        official = stack.enter_context(FarOfficial(scale, crowd, lambda _number: Script(2.0)))
        evening = Evening(scale, round_id, crowd, official, [], stack)
        for _ in range(0, _AT_FIRST, _AT_ONCE):
            _all_told(evening.call(_AT_ONCE))
        official.serve(round_id)
        yield evening


def test_kamailio_spreads_callers_over_each_node(
    evening: Evening,
) -> None:
    taken = {name: evening.scale.taken(name) for name in NODES}

    assert min(taken.values()) >= _AT_FIRST // 4, taken
    assert evening.lost() == []


def test_round_with_dying_parts_loses_and_doubles_nobody(
    evening: Evening,
) -> None:
    scale, project = evening.scale, evening.scale.project
    faults: list[Fault] = []
    print(f"\n{_HEAD}", flush=True)  # noqa: T201

    for service, what in (("etcd1", "an etcd member is killed"), ("api", "one api is killed")):
        faults.append(evening.during(what, partial(project.kill, service)))
        project.start(service)
    faults.append(evening.during("Kamailio is killed", lambda: project.crash("kamailio")))

    until(project.is_whole, "both PostgreSQL are there", _WHOLE_S)
    primary = next(name for name, role in project.roles().items() if role == "Leader")
    faults.append(evening.during("the PostgreSQL primary is killed", lambda: project.kill(primary)))
    project.start(primary)
    until(project.is_whole, "both PostgreSQL are there again", _WHOLE_S)

    home = scale.round(evening.round_id).node or "one"
    faults.append(
        evening.during("the round's node is killed", lambda: evening.crowd.cut_off(scale.kill_node(home)))
    )
    project.start(*NODES[home])
    until(lambda: set(scale.states().values()) == {"live"}, "both nodes are there again", _WHOLE_S)

    evening.official.finish(60)
    facts = round_checks.facts(scale, evening.round_id, evening.crowd, [evening.official])
    assert evening.lost() == []
    assert evening.double() == []
    assert list(round_checks.out_of_order(scale, facts)) == []
    slow = slowness()
    assert max(each.round for each in faults) <= ROUND_S * slow, faults
    assert max(each.hears for each in faults) <= HEARS_S * slow, faults
