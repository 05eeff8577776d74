"""Two carriers: the second carries what the first does not, in the same attempt, until the first is back."""

import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select

from db.engine import reading
from db.models import PlacedCall, TrunkState
from hotline.trunk import selection
from tests.kit.crowd import Behaviour, Crowd
from tests.kit.operator import Operator
from tests.kit.ports import free_port
from tests.kit.process import slowness, until
from tests.kit.system import System

DECLINES = Behaviour(rings=0.3, status="603 Decline")
"""A phone that rang: whose it is, said no."""
SILENT_S = 7.5
"""How long Asterisk waits for a silent trunk."""
FELL_SILENT = "trunk first: does not answer any more"
"""The dialer's log of a trunk that it tries last from then on."""

FILE = """
[first]
profile = "registration"
host = "127.0.0.1:{first}"
user = "137"
secret = "never-shown"
allowed = ["127.0.0.1"]
qualify_seconds = 1

[second]
profile = "e164"
host = "127.0.0.1:{second}"
caller_id = "03132137"
allowed = ["127.0.0.9"]
qualify_seconds = 1
"""


class Carriers:
    """Both, with every number behind each."""

    def __init__(self, first: int, second: int) -> None:
        self.behaves: dict[str, Behaviour] = {}
        self.first, self.second = (Crowd(port, self._behave) for port in (first, second))

    def _behave(self, number: str, _nth: int) -> Behaviour:
        return self.behaves.get(number, DECLINES)

    def first_was_asked(self, number: str) -> bool:
        """Whether the first was asked for this number's phone, whatever it said."""
        return bool(self.first.calls(number)) or number in self.first.turned_away()

    def rang(self, number: str) -> tuple[int, int]:
        """How often the number's phone was asked for by each."""
        return len(self.first.calls(number)), len(self.second.calls(f"+98{number[1:]}"))


@pytest.fixture(scope="module")
def ports() -> tuple[int, int]:
    return free_port(), free_port()


@pytest.fixture(scope="module")
def system(ports: tuple[int, int], tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    path: Path = tmp_path_factory.mktemp("trunks") / "trunks.toml"
    path.write_text(FILE.format(first=ports[0], second=ports[1]))
    with System(HOTLINE_TRUNKS=str(path)) as running:
        yield running


@pytest.fixture
def carriers(system: System, ports: tuple[int, int]) -> Iterator[Carriers]:
    both = Carriers(*ports)
    with both.first, both.second:
        both.first.answers_options = both.second.answers_options = True
        _until_well(system, "first")
        _until_well(system, "second")
        yield both


def _state(system: System, name: str) -> TrunkState | None:
    with reading(system.engine) as session:
        return selection.find_states(session, [name]).get(name)


def _is_well(system: System, name: str) -> bool:
    row = _state(system, name)
    return row is not None and row.answers is True and row.down_since is None


def _until_well(system: System, name: str) -> None:
    until(lambda: _is_well(system, name), f"trunk {name} is well", 30)


def _calls(system: System, desk: Operator, number: str) -> tuple[float, str]:
    """The number is called once: after how long that was over, and its outcome."""
    with system.only_round() as round_id:
        system.register(round_id, number)
        callback = desk.claim(round_id)
        began = time.time()
        desk.call(callback)
        said = desk.wait_for(callback, "closed", timeout=60)
        took = time.time() - began
    return took, said


def _calls_by_first(
    system: System, carriers: Carriers, desk: Operator, behaves: Behaviour | None = None
) -> tuple[str, str]:
    """Return a number called while the first trunk was well, and the outcome.

    On a busy machine its answer to OPTIONS may be late, and the call goes by the second. Then another number
    is called, but only where the dialer has said so.
    """
    for _ in range(3):
        silences = system.log().count(FELL_SILENT)
        _until_well(system, "first")
        number = system.number()
        if behaves:
            carriers.behaves[number] = behaves
        said = _calls(system, desk, number)[1]
        if carriers.first_was_asked(number) or system.log().count(FELL_SILENT) == silences:
            break
    return number, said


def test_failing_first_trunk_lets_the_second_ring_once(
    system: System, carriers: Carriers, desk: Operator
) -> None:
    number, said = _calls_by_first(system, carriers, desk)
    assert (said, carriers.rang(number)) == ("rejected", (1, 0)), "the first is preferred"

    carriers.first.trunk_says = "503 Service Unavailable"
    number, said = _calls_by_first(system, carriers, desk)
    assert (said, carriers.rang(number)) == ("rejected", (0, 1))
    assert number in carriers.first.turned_away()
    carriers.first.trunk_says = None

    busy = Behaviour(rings=0, status="486 Busy Here", hears="")
    number, said = _calls_by_first(system, carriers, desk, busy)
    assert (said, carriers.rang(number)) == ("busy", (1, 0)), "the citizen's own answer"
    fails_late = Behaviour(rings=0.5, status="503 Service Unavailable")
    late, said = _calls_by_first(system, carriers, desk, fails_late)
    assert (said, carriers.rang(late)) == ("failed", (1, 0)), "that phone has rung"
    mute = Behaviour(rings=None, hears="100 Trying")
    number, said = _calls_by_first(system, carriers, desk, mute)
    assert (said, carriers.rang(number)) == ("rejected", (1, 1))
    assert carriers.first.live() == [], "the first was told to let it be"

    carriers.first.trunk_says = ""  # killed, hung, or its cable cut
    until(lambda: not _is_well(system, "first"), "it is seen", 15)
    silent = system.number()
    took, said = _calls(system, desk, silent)
    assert (said, carriers.rang(silent)) == ("rejected", (0, 1))
    assert took < SILENT_S, "not even asked"
    assert silent not in carriers.first.turned_away()
    assert httpx.get(f"{system.url}/healthz").status_code == 200

    carriers.first.trunk_says = None
    number, said = _calls_by_first(system, carriers, desk)
    assert (said, carriers.rang(number)) == ("rejected", (1, 0)), "it is preferred again"
    with reading(system.engine) as session:
        calls = session.scalars(select(PlacedCall)).all()
        assert [call.number[3:] for call in calls if call.ours] == [late[1:]], (
            "nobody else paid, or was told so"
        )
    assert "never-shown" not in system.log()


def test_trunk_that_falls_silent_lets_the_second_ring(
    system: System, carriers: Carriers, desk: Operator
) -> None:
    carriers.first.trunk_says = ""
    number = system.number()
    took, said = _calls(system, desk, number)
    assert (said, carriers.rang(number)) == ("rejected", (0, 1))
    assert took < SILENT_S + 5 * slowness()
