"""The machine's clock jumps by minutes, hours or years, and back, while citizens are called and register.

Our own processes' clock jumps, not Asterisk's (`test_set_back_clock.py`).
"""

import random
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack

import pytest

from db.engine import reading
from db.models import Heartbeat
from db.states import RegistrationState
from hotline import heartbeats
from hotline.ledger.verify import verify
from tests.faults.breaking import Breakable, Faults
from tests.kit import round_checks
from tests.kit.clock import Clock
from tests.kit.official import Script
from tests.kit.process import slowness, until
from tests.kit.proxy import Proxy
from tests.kit.registrant import Registrant
from tests.kit.simulated_round import (
    Person,
    SimulatedRound,
    fast_system,
    played_at_once,
    settled,
    wait_until_done,
)
from tests.kit.system import System

REACHED = RegistrationState.REACHED
MINUTES_S, HOUR_S, YEARS_S = 600, 3600, 730 * 86400
CITIZENS, CALLERS = 9, 4
BACK_S = 15.0
"""From a jump until all work, and the next citizen is called, where nothing else is to do."""
_ROUND_S = 180.0

pytestmark = pytest.mark.timeout(360)


@pytest.fixture(scope="module")
def clock(tmp_path_factory: pytest.TempPathFactory) -> Clock:
    return Clock(tmp_path_factory.mktemp("clock"))


@pytest.fixture(scope="module")
def jumping(clock: Clock) -> Iterator[System]:
    """A fast system whose processes have this clock."""
    with fast_system(200, inherited={"ACCELERATED_CLOCK": str(clock.path)}) as system:
        yield system


def _clocks(system: System) -> list[float]:
    """How many seconds the clock of each process is ahead, as it wrote down."""
    with reading(system.engine) as session:
        beats = [
            session.get_one(Heartbeat, heartbeats.find_row(name)).at
            for name in ("ivr", "dialer", "scheduler")
        ]
    return [beat.timestamp() - time.time() for beat in beats]


def _jump(clock: Clock, game: SimulatedRound, seconds: int) -> None:
    """With somebody on the line the clock jumps; all works in time, and others are called."""
    until(lambda: any(call.answered_at for call in game.crowd.live()), "somebody is on the line", 30)
    called = len(game.crowd.calls())
    clock.is_off(seconds)
    since = time.monotonic()
    until(lambda: len(game.crowd.calls()) > called, "the next one is called", 4 * BACK_S)
    _await_beats(game.system, seconds)
    until(lambda: game.system.answers_calls() and game.system.healthy(), "all work", 4 * BACK_S)
    assert time.monotonic() - since <= BACK_S * slowness()


def _await_beats(system: System, seconds: int) -> None:
    """Await a beat of the new time from each: one from before a jump backwards still counts as fresh."""
    until(
        lambda: all(abs(off - seconds) < 60 for off in _clocks(system)), "all have beaten since", 4 * BACK_S
    )


@pytest.mark.parametrize(
    "first",
    [MINUTES_S, -MINUTES_S, HOUR_S, -HOUR_S],
    ids=["minutes forward", "minutes back", "forward", "back"],
)
def test_clock_jump_and_back_loses_and_doubles_nobody(jumping: System, clock: Clock, first: int) -> None:
    system = jumping
    system.wait_healthy()
    person = Person(script=Script(1.0))
    with ExitStack() as stack:
        callers = [Registrant(system, system.number(), 2.0 * number) for number in range(CALLERS)]
        others = {each.number: person for each in callers}
        (game,) = stack.enter_context(played_at_once(system, [[person] * CITIZENS], others))
        stack.enter_context(_asterisk_may_die(game))
        stack.callback(clock.is_off, 0)
        for each in callers:
            stack.enter_context(each)
        for off in (first, 0):
            _jump(clock, game, off)
        assert [each.number for each in callers if not each.wait(_ROUND_S)] == []
        wait_until_done(game, timeout=_ROUND_S)
        assert settled(lambda: list(_wrongs(game, [*game.numbers, *others]))) == []


@pytest.mark.parametrize("years", [YEARS_S, -YEARS_S], ids=["forward", "back"])
def test_jump_by_years_loses_and_doubles_nobody(jumping: System, clock: Clock, years: int) -> None:
    """Nobody is called meanwhile, for the round is over, or long to come. Whoever waits is spoken with."""
    system = jumping
    system.wait_healthy()
    with ExitStack() as stack:
        person = Person(script=Script(3.0))
        (game,) = stack.enter_context(played_at_once(system, [[person] * CITIZENS], {}))
        stack.enter_context(_asterisk_may_die(game))
        stack.callback(clock.is_off, 0)
        for off in (years, 0):
            until(lambda: any(not talk.until for talk in game.official.talks), "the official speaks", 30)
            talk = game.official.talks[-1]
            clock.is_off(off)
            _await_beats(system, off)
            until(lambda talk=talk: talk.until, "the official has asked for the next", 30)
        wait_until_done(game, timeout=_ROUND_S)
        assert settled(lambda: list(_wrongs(game, game.numbers))) == []


def _asterisk_may_die(game: SimulatedRound) -> Faults:
    """Kill Asterisk as asterisk#1946 does: its phones hear no goodbye, and would seem on the line."""
    target = Breakable(game.system, Proxy(str(game.system.settings.ami)))
    return Faults(target, game.crowd, [game.official], random.Random(), count=0)


def _wrongs(game: SimulatedRound, numbers: Sequence[str]) -> Iterator[str]:
    """Return what is wrong by what the phones saw: their clock is not the system's."""
    states = {round_checks.number_of(r): r.state for r in game.system.registrations(game.round_id)}
    yield from (f"{n} is lost: {states.get(n)}" for n in numbers if states.get(n) is not REACHED)
    for number in numbers:
        calls = game.crowd.calls(number)
        again = sum(call.ended_by == "cut" for call in calls)  # by the end of Asterisk itself
        if not 1 <= len(calls) <= 1 + again:
            yield f"{number} rang {len(calls)} times"
    spoke = Counter(talk.number for talk in game.official.talks)
    yield from (f"{n}: {spoke[n]} conversations" for n in numbers if spoke[n] != 1)
    yield from round_checks.left_on_the_line(game.system, game.crowd)
    yield from (f"the ledger: {problem}" for problem in verify(game.system.engine).problems)
    yield from game.official.troubles
