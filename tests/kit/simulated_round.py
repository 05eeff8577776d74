"""A round that is played: a system that runs faster, its citizens with their scripts, an official."""

import hashlib
import shutil
import threading
from collections import ChainMap
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import soundfile

from db.engine import writing
from db.states import HOLDS_PLACE, Outcome, RegistrationState
from hotline.rounds import phases
from tests.kit import accelerated, round_checks
from tests.kit.crowd import Behaviour, Crowd
from tests.kit.official import Official, Script
from tests.kit.process import slowness, until
from tests.kit.system import SHARED, System, linked, locked

_CLIP_SAMPLES = 1600
"""0.2 s."""
_LOOK_S = 0.1
_SETTLES_S = 15.0

WAITS = {*HOLDS_PLACE} - {RegistrationState.UNREACHED}
"""A registration in one of these still has its call before it."""


@dataclass(frozen=True)
class Person:
    """A citizen's behaviour call by call (the last one's is that of all later ones), and their words."""

    calls: Sequence[Behaviour] = (Behaviour(),)
    script: Script = Script(1.5)  # noqa: RUF009 - it is frozen
    outcomes: Sequence[Outcome] = (Outcome.REACHED,)
    """The outcome of each call, if nothing breaks."""

    def behaves(self, call: int) -> Behaviour:
        """The behaviour in the nth call."""
        return self.calls[min(call, len(self.calls) - 1)]


@dataclass
class SimulatedRound:
    """A round that is on."""

    system: System
    round_id: int
    people: Mapping[str, Person]
    crowd: Crowd
    official: Official
    numbers: Sequence[str] = field(default_factory=list)

    def done(self) -> bool:
        """Whether nobody of the line is still to be called."""
        return all(r.state not in WAITS for r in self.system.registrations(self.round_id))

    def left(self) -> list[str]:
        """Return the citizens still to be called, with their states."""
        return [
            f"{r.number}: {r.state}, {r.last_outcome}, {r.attempts} attempts, not before {r.not_before}"
            for r in self.system.registrations(self.round_id)
            if r.state in WAITS
        ]

    def facts(self) -> round_checks.Facts:
        """Return the facts of the round so far."""
        return round_checks.facts(self.system, self.round_id, self.crowd, [self.official])

    def wrongs(self) -> list[str]:
        """Return the violations after any faults of the round; the last step may take a while."""
        return settled(self._wrongs)

    def _wrongs(self) -> list[str]:
        facts = self.facts()
        return [
            *round_checks.double_calls(facts),
            *round_checks.redialled(facts),
            *round_checks.out_of_order(self.system, facts),
            *round_checks.untrue(facts),
            *round_checks.without_outcome(facts),
            *round_checks.left_on_the_line(self.system, self.crowd),
        ]


def settled(wrongs: Callable[[], list[str]]) -> list[str]:
    """Return the faults that remain after a while."""
    with suppress(TimeoutError):
        until(lambda: not wrongs(), "all is right", _SETTLES_S, every=0.1)
    return wrongs()


@contextmanager
def fast_system(
    speed: float,
    *,
    inherited: Mapping[str, str] | None = None,
    folder: Path | None = None,
    trunk: Mapping[str, object] | None = None,
    **environment: str,
) -> Iterator[System]:
    """A system whose dialer believes that time runs `speed` times faster, and whose prompts are short."""
    uncapped = {"HOTLINE_CALLS_PER_NUMBER": "100", "HOTLINE_CALLS_PER_HOUR": "100000"}
    uncapped["HOTLINE_CALLS_PER_DAY"] = "1000000"
    environment = {
        "HOTLINE_RETRY_SECONDS": "4",
        "HOTLINE_RING_SECONDS": "5",
        "HOTLINE_ANSWER_SECONDS": "1",
        "HOTLINE_CALL_AHEAD_MOST": "4",  # as in life
        **uncapped,
        **environment,
    }
    also = {"ACCELERATED": str(speed), **(inherited or {})}
    asked = {"qualify_seconds": 5, **(trunk or {})}
    with System(entry=accelerated.NAME, inherited=also, folder=folder, trunk=asked, **environment) as system:
        _short_prompts(system.settings.prompts_dir / "fa")
        yield system


def _short_prompts(whole: Path) -> None:
    """A system's prompts are short ones, made once for all tests of this checkout."""
    shared = SHARED / f"short-{_prints()}"
    with locked():
        if not shared.exists():
            for older in SHARED.glob("short*"):
                shutil.rmtree(older)
            making = SHARED / "short.new"
            shutil.copytree(whole, making)
            shorten(making)
            making.rename(shared)
        for clip in shared.iterdir():
            own = whole / clip.name
            own.unlink()
            linked(clip, own)


def _prints() -> str:
    """Return a fingerprint of this making of the clips."""
    return hashlib.sha256((SHARED / "prompts" / "manifest.json").read_bytes()).hexdigest()[:12]


def shorten(folder: Path, most: int = _CLIP_SAMPLES) -> None:
    """Every prompt has so many samples at most. Other systems have the same files: these become its own."""
    for clip in list(folder.iterdir()):
        if clip.suffix in (".alaw", ".ulaw"):
            opening = clip.read_bytes()[:most]
            clip.unlink()
            clip.write_bytes(opening)
        elif clip.suffix == ".wav":
            samples, rate = soundfile.read(clip, frames=most, dtype="int16")
            clip.unlink()
            soundfile.write(clip, samples, rate)


@contextmanager
def played(system: System, people: Sequence[Person]) -> Iterator[SimulatedRound]:
    """Register the people in this order, and let an official begin."""
    with played_at_once(system, [people]) as (game,):
        yield game


@contextmanager
def played_at_once(
    system: System, lines: Sequence[Sequence[Person]], others: Mapping[str, Person] | None = None
) -> Iterator[Sequence[SimulatedRound]]:
    """A round for each of the lines, with an official of its own; all phones are one crowd.

    `others` have phones, too, but are not registered.
    """
    by_number = [{system.number(): person for person in people} for people in lines]
    everybody = ChainMap(*by_number, dict(others or {}))
    with ExitStack() as stack:
        crowd = stack.enter_context(Crowd(system.trunk_port, lambda n, call: everybody[n].behaves(call)))
        stack.enter_context(_noticing(system, crowd))
        games = []
        for number, people in enumerate(by_number):
            round_id = stack.enter_context(system.another_round() if number else system.only_round())
            system.register(round_id, *people)
            official = stack.enter_context(Official(system, crowd, lambda n: everybody[n].script))
            games.append(SimulatedRound(system, round_id, people, crowd, official, list(people)))
        for game in games:
            game.official.serve(game.round_id)
        yield games


@contextmanager
def _noticing(system: System, crowd: Crowd) -> Iterator[None]:
    """Should Asterisk die, also by itself (asterisk#1946), its phones notice: nobody says goodbye to them."""
    stopped = threading.Event()

    def watch() -> None:
        here = 0
        while not stopped.wait(_LOOK_S):
            if here and not psutil.pid_exists(here):
                crowd.cut_off()
                here = 0
            elif not here:
                with suppress(LookupError, psutil.Error):
                    here = system.pid("asterisk")

    watching = threading.Thread(target=watch, daemon=True)
    watching.start()
    try:
        yield
    finally:
        stopped.set()
        watching.join()


def wait_until_done(*games: SimulatedRound, timeout: float) -> None:
    """Wait until everybody of the lines has their outcome; then the officials leave and all is quiet."""
    for game in games:
        try:
            until(game.done, "everybody has been called", timeout, every=0.05)
        except TimeoutError as error:
            raise TimeoutError(f"{error}: {game.left()}") from None
        game.official.leave()
    _quiet(games[0])


def _quiet(game: SimulatedRound) -> None:
    """Wait until nobody is on the line any more: half a minute, and longer on a machine that is slower."""

    def quiet() -> bool:
        return not game.crowd.live()

    with suppress(TimeoutError):
        until(quiet, "nobody is on the line any more")
    if quiet():
        return
    try:
        until(quiet, f"nobody is on the line any more, but {game.crowd.live()}", 30 * (slowness() - 1))
    except TimeoutError as error:
        raise TimeoutError(f"{error}\n{game.system.last_words()}") from None


def end(game: SimulatedRound) -> None:
    """End the round before its line is empty: who speaks does so to the end, who waits is let go."""
    game.official.finish(30)
    game.official.leave()
    with writing(game.system.engine) as session:
        phases.end_round(session, phases.get(session, game.round_id))
    until(lambda: not game.crowd.live(), "nobody is on the line any more")
