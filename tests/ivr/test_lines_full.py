"""The prompt for callers above the limit: one file that is always whole and true."""

import itertools
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from db.engine import now
from db.states import Phase
from dialplan.variables import LINES_FULL, LINES_FULL_OFFER
from hotline.rounds import phases
from ivr.lines_full import LinesFull
from prompts.catalogue import list_clips
from settings import Settings
from tests import factories as make

BOTH = ("lines-full", "lines-full-offer")
AT = datetime(2026, 12, 2, 11, 30, tzinfo=UTC)

pytestmark = pytest.mark.parametrize("backend", ["sqlite"])


@pytest.fixture
def folder(settings: Settings) -> Path:
    """The rendered Persian prompts: each file holds its own name."""
    folder = settings.prompts_dir / "fa"
    folder.mkdir(parents=True)
    for hour in range(24):
        for minute in (0, 5, 30):
            at = AT.replace(hour=hour, minute=minute)
            until = (list_clips("fa", f"{name}-until", day=at, time=at) for name in BOTH)
            for clip in itertools.chain(*until, *(list_clips("fa", name) for name in BOTH)):
                (folder / f"{clip}.alaw").write_bytes(f"[{clip}]".encode())
    return folder


def said(folder: Path, name: str = LINES_FULL) -> list[str]:
    """The clips that the file says."""
    return (folder / f"{name}.alaw").read_text().strip("[]").split("][")


def test_while_a_round_is_open_it_says_until_when(settings: Settings, folder: Path):
    LinesFull(settings).say_until(AT)

    assert said(folder) == list_clips("fa", "lines-full-until", day=AT, time=AT)


def test_when_none_is_open_it_only_says_that_the_lines_are_full(settings: Settings, folder: Path):
    full = LinesFull(settings)
    full.say_until(AT)
    full.say_until(None)

    assert said(folder) == list_clips("fa", "lines-full")


@pytest.mark.parametrize("until", [AT, None])
def test_second_file_offers_the_callback_only_while_it_is_on(
    settings: Settings, folder: Path, until: datetime | None
):
    full = LinesFull(settings)
    full.say_until(until, offer=True)
    id_, slots = ("lines-full-offer-until", {"day": until, "time": until}) if until else (BOTH[1], {})
    assert said(folder, LINES_FULL_OFFER) == list_clips("fa", id_, **slots)
    assert "lines-full-offer" not in said(folder)[0]

    full.say_until(until, offer=False)
    assert not (folder / f"{LINES_FULL_OFFER}.alaw").exists()


def test_at_first_it_is_written_whatever_lay_there(settings: Settings, folder: Path):
    (folder / f"{LINES_FULL}.alaw").write_text("[old]")

    LinesFull(settings).say_until(None)

    assert said(folder) == list_clips("fa", "lines-full")


def test_it_is_written_only_when_it_changes(settings: Settings, folder: Path):
    full = LinesFull(settings)
    full.say_until(AT)
    (folder / f"{LINES_FULL}.alaw").write_text("[untouched]")

    full.say_until(AT)
    assert said(folder) == ["untouched"]

    full.say_until(AT + timedelta(hours=1))
    assert said(folder) != ["untouched"]


def test_what_could_not_be_written_is_written_the_next_time(settings: Settings, folder: Path):
    full = LinesFull(settings)
    clip = folder / f"{list_clips('fa', 'lines-full')[0]}.alaw"
    sound = clip.read_bytes()
    clip.unlink()
    with pytest.raises(FileNotFoundError):
        full.say_until(None)
    clip.write_bytes(sound)

    full.say_until(None)

    assert said(folder) == list_clips("fa", "lines-full")


def test_a_caller_hears_the_old_file_or_the_new_one_whole(settings: Settings, folder: Path):
    full = LinesFull(settings)
    full.say_until(None)
    times = [AT.replace(hour=hour, minute=minute) for hour in range(24) for minute in (0, 30)]
    whole = [
        list_clips("fa", "lines-full"),
        *(list_clips("fa", "lines-full-until", day=at, time=at) for at in times),
    ]
    heard: list[list[str]] = []
    done = threading.Event()

    def listen() -> None:
        while not done.is_set():
            heard.append(said(folder))

    listener = threading.Thread(target=listen)
    listener.start()
    for at in times:
        full.say_until(at)
    done.set()
    listener.join()

    assert heard
    assert all(clips_ in whole for clips_ in heard)


def test_it_is_open_until_the_last_of_the_open_rounds_closes(session: Session):
    assert session.scalar(phases.OPEN_UNTIL) is None
    phases.get_operators_line(session)
    make.a_round(session, Phase.PLANNED)
    make.a_round(session, Phase.CLOSED)
    assert session.scalar(phases.OPEN_UNTIL) is None, "neither the operators' line nor a round to come counts"

    first, last = make.a_round(session, Phase.OPEN), make.a_round(session, Phase.OPEN)
    last.registration_until += timedelta(minutes=10)
    session.flush()
    assert session.scalar(phases.OPEN_UNTIL) == last.registration_until

    phases.end_round(session, last)
    assert session.scalar(phases.OPEN_UNTIL) == first.registration_until
    assert first.registration_until > now(session)
