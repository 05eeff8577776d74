"""The trunk fails while a line waits: it costs nobody anything, and the head is called on return.

FAULTS_TRUNK_S is how long the trunk is gone. Here calls stop and pauses grow within it; it is a minute in
`make faults-night`.
"""

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import pairwise

import httpx
import pytest

from db.engine import reading
from db.states import Outcome, RegistrationState
from hotline.ledger.verify import verify
from hotline.line import busy_numbers
from hotline.trunk import circuit_breaker
from tests.faults.broken_round import figures
from tests.kit.callers import Callers
from tests.kit.crowd import Behaviour
from tests.kit.official import Script
from tests.kit.process import slowness, until
from tests.kit.simulated_round import Person, SimulatedRound, end, fast_system, played, settled
from tests.kit.system import System

DOWN_S = float(os.environ.get("FAULTS_TRUNK_S", "15"))
WAITING = 300
CHANNELS, CALLERS = 12, 10
BACK_S = 15.0
"""An official waits no longer than this for the next citizen once the trunk is back."""
_TALKS = 3
"""The number of conversations that show that calls flow."""
_ON_THE_WAY = 2
_MOST_TRIED = circuit_breaker.FAILURES + 1 + _ON_THE_WAY + 1 + DOWN_S / circuit_breaker.FIRST.total_seconds()
"""The calls that open the breaker (the head twice), and were on their way. Probes follow every 5 s."""

PERSON = Person([Behaviour(rings=0.5, presses=20)], Script(1.5))
"""A person who presses again if the key is not heard, on a machine that is busy."""

pytestmark = pytest.mark.timeout(150 + 2 * DOWN_S)


@pytest.fixture(scope="module")
def system() -> Iterator[System]:
    """A fast system with a trunk of 12 channels, whose phones ring longer than silence is waited for."""
    rings = {"HOTLINE_RING_SECONDS": "8", "HOTLINE_ANSWER_SECONDS": "5"}
    with fast_system(200, trunk={"channels": CHANNELS}, **rings) as system:
        yield system


@dataclass
class Outage:
    """The observations of an outage; moments as time.time() tells them."""

    game: SimulatedRound
    began: float = field(default_factory=time.time)
    seen_after_s: float = 0.0
    """When the pages and /healthz first said so."""
    tried: int = 0
    """Calls that the trunk refused, or did not answer."""
    back: float = 0.0

    def lasts(self) -> None:
        """Until its time is over."""
        time.sleep(max(0.0, self.began + DOWN_S - time.time()))

    def head(self) -> str:
        """Return the first of the line at the end, neither spoken with nor on the phone with us."""
        calls = [call for call in self.game.crowd.calls() if call.invited_at < self.back]
        engaged = {call.number for call in calls if call.ended_at is None or call.ended_at > self.back}
        spoken = {talk.number for talk in self.game.official.talks if talk.since < self.back}
        return next(number for number in self.game.numbers if number not in engaged | spoken)

    def first(self) -> str:
        """Return the number that rang first since: on a trunk that answers, a probe may skip the head."""
        rang = [a for a in self.game.facts().attempts if a.call and a.call.invited_at > self.back]
        return rang[0].number

    def calls_of(self, *numbers: str) -> str:
        """Return the results of each of their calls, in seconds since the return."""
        since = [
            (
                a.number,
                a.callback.outcome,
                [round(at - self.back, 2) for at in (a.call.invited_at, a.call.ended_at or 0)],
            )
            for a in self.game.facts().attempts
            if a.call and a.number in numbers
        ]
        return f"{numbers} are not the same: {since}"

    def idle_s(self) -> float:
        """The longest that the official had nobody to speak with since."""
        talks = list(self.game.official.talks)
        pauses = [(one.until, other.since) for one, other in pairwise(talks)]
        return max(since - max(before, self.back) for before, since in pauses if since > self.back)

    def __str__(self) -> str:
        calls, idle_s = len(self.game.crowd.calls()), self.idle_s()
        return (
            f"{DOWN_S:.0f} s, told after {self.seen_after_s:.1f} s: {self.tried} calls tried in vain, "
            f"{calls} came to their phones; the official idle for at most {idle_s:.1f} s after the return"
        )


@contextmanager
def _waiting_line(system: System) -> Iterator[SimulatedRound]:
    """A round with a whole line, whose first citizens have spoken with the official."""
    system.wait_healthy()
    with played(system, [PERSON] * WAITING) as game:
        game.crowd.answers_options = True
        until(lambda: _trunk_answers(system), "Asterisk sees the trunk", 60)
        _talk_on(game)
        yield game


def _trunk_answers(system: System) -> bool:
    with reading(system.engine) as session:
        return (
            circuit_breaker.is_answering_options(session) is True
            and circuit_breaker.find_outage(session) is None
        )


def _talk_on(game: SimulatedRound) -> None:
    before = len(game.official.talks)
    until(lambda: len(game.official.talks) >= before + _TALKS, "calls flow", 60)


def _say_so(game: SimulatedRound) -> list[bool]:
    """Whether /healthz, the wall, and the official's page say that calls are down, and the line is kept."""
    desk = game.official.desk.http
    answer = httpx.get(f"{game.system.url}/healthz", timeout=30)
    health = answer.json()
    if {health[name] for name in health.keys() - {"trunk", "calls", "disk"}} == {"up"}:  # none is only slow
        assert answer.status_code == 200, "no restart would mend it"
    told = [health["trunk"], desk.get("/wallboard").json()["health"]["calls"]]
    words = [each.startswith("down since") and each.endswith("the line is kept") for each in told]
    return [*words, desk.get("/me").json()["calls_down_since"] is not None]


@pytest.mark.parametrize(
    ("says", "least_tried"),
    [("503 Service Unavailable", circuit_breaker.FAILURES + 1), ("", 1)],
    ids=["503", "silence"],
)
def test_trunk_outage_costs_nothing_and_calls_the_head_next(
    system: System, says: str, least_tried: int
) -> None:
    with _waiting_line(system) as game:
        outage, crowd = Outage(game), game.crowd
        crowd.trunk_says = says
        until(lambda: all(_say_so(game)), "all say that calls are down", 4 * BACK_S, every=0.1)
        outage.seen_after_s = time.time() - outage.began
        assert outage.seen_after_s <= BACK_S * slowness()
        outage.lasts()
        until(lambda: len(crowd.turned_away()) >= least_tried, "it is tried", BACK_S)
        assert all(_say_so(game))
        outage.tried, outage.back, crowd.trunk_says = len(crowd.turned_away()), time.time(), None
        _is_over(outage, probe_behind=True)
        assert least_tried <= outage.tried <= _MOST_TRIED
        until(lambda: not any(_say_so(game)), "nobody says so any more")
        _is_right(game)


def test_incoming_calls_leave_channels_for_callbacks(
    system: System,
) -> None:
    callers = [system.number() for _ in range(CALLERS)]
    with _waiting_line(system) as game, ExitStack() as stack:
        outage, crowd = Outage(game), game.crowd
        calling = stack.enter_context(Callers(system, crowd, callers, channels=CHANNELS))
        until(lambda: len(calling) == _callers(system) == CALLERS, "all callers are on the line", 60)
        full = "capped trunk-channels"
        until(lambda: full in system.health(), "/healthz says that the trunk is full", 4 * BACK_S)
        outage.seen_after_s = time.time() - outage.began
        outage.lasts()
        assert len(game.official.talks) > _TALKS + 1, "somebody is spoken with"
        assert not any(_say_so(game))
        outage.tried, outage.back = len(crowd.turned_away()), time.time()
        stack.close()
        _is_over(outage)
        assert outage.tried <= circuit_breaker.FAILURES, (
            "we count them: only who dials in the same moment is missed"
        )
        _is_right(game)


def _callers(system: System) -> int:
    with reading(system.engine) as session:
        return busy_numbers.count_callers(session)


def _is_over(outage: Outage, *, probe_behind: bool = False) -> None:
    """The first who is called is the head of the line, in time; and calls flow.

    Where a probe may be that of one behind the head, all who stand before are next.
    """
    _talk_on(outage.game)
    head, first, numbers = outage.head(), outage.first(), outage.game.numbers
    if probe_behind and first != head:
        before = set(numbers[: numbers.index(first)])
        assert len(before) <= numbers.index(head) + _MOST_TRIED
        until(lambda: before <= {call.number for call in outage.game.crowd.calls()}, "those before are next")
        head = first
    print(outage)  # noqa: T201
    assert first == head, outage.calls_of(first, head)
    assert outage.idle_s() <= BACK_S * slowness()


def _is_right(game: SimulatedRound) -> None:
    """No attempt is used up, and the line is as it was; then the round ends."""
    end(game)
    places = game.system.registrations(game.round_id)
    assert {place.attempts for place in places if place.state is not RegistrationState.REACHED} == {0}
    outcomes = {a.callback.outcome for a in game.facts().attempts} - {None}  # the last one's is still owed
    assert outcomes <= {Outcome.REACHED, Outcome.FAILED, Outcome.RETURNED}
    called = {call.number for call in game.crowd.calls()}
    assert called == set(game.numbers[: len(called)])
    wrongs = settled(lambda: [wrong for wrongs in figures(game).values() for wrong in wrongs])
    assert wrongs + game.official.troubles + verify(game.system.engine).problems == []
