"""Commands to Asterisk for a prompt of many clips, and the effect of a key within it."""

from io import BytesIO
from pathlib import Path

import pytest

from ivr.call import AGIHangup, Call
from prompts.catalogue import list_clips
from tests.kit.fake_channel import read_from, said

PLAYED, NOT_HELD = said("EXEC", "played out"), said("GET FULL VARIABLE", "not held")
ONE_PLAYED = said("STREAM FILE", "played out")
TICKET = "12345674"
WORDS = list_clips("fa", "ticket-again", ticket=TICKET)
SAMPLES = 6_000


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of clips, three of which last two seconds."""
    (tmp_path / "fa").mkdir()
    for clip in {*WORDS, *list_clips("fa", "registered", ticket=TICKET)}:
        (tmp_path / "fa" / f"{clip}.alaw").write_bytes(bytes(SAMPLES))
    return tmp_path


class Asked:
    """A call in which Asterisk answers so, and what it was asked."""

    def __init__(self, folder: Path, *answers: bytes) -> None:
        self._written = BytesIO()
        self._folder = folder
        self.call = Call(read_from(b"\n", *answers), self._written, folder, 1.0, clock=lambda: 100.0)

    @property
    def played(self) -> list[str]:
        """The names of the clips that each command asked for."""
        lines = self._written.getvalue().decode().replace(f"{self._folder}/fa/", "").splitlines()
        return [line.split('"')[1] for line in lines if "STREAM FILE" in line or "Background" in line]


def test_clips_of_two_seconds_are_one_command(
    folder: Path,
) -> None:
    asked = Asked(folder, *[PLAYED, NOT_HELD] * 3, *[ONE_PLAYED, NOT_HELD])
    asked.call.say("ticket-again", ticket=TICKET)

    assert asked.played == ["&".join(WORDS[at : at + 3]) for at in range(0, len(WORDS), 3)]


def test_missing_clip_is_requested_alone(
    folder: Path,
) -> None:
    missing = WORDS[1]
    (folder / "fa" / f"{missing}.alaw").unlink()
    asked = Asked(folder, ONE_PLAYED, NOT_HELD, ONE_PLAYED, NOT_HELD, *[PLAYED, NOT_HELD] * 3)
    asked.call.say("ticket-again", ticket=TICKET)

    assert missing in asked.played
    assert not [command for command in asked.played if missing in command.split("&")[:-1]]


@pytest.mark.parametrize("name", ["n" * 200, "ن" * 120])
def test_commands_stay_below_asterisks_line_limit(tmp_path: Path, name: str) -> None:
    folder = tmp_path.joinpath(*[name] * 3)
    (folder / "fa").mkdir(parents=True)
    for clip in WORDS:
        (folder / "fa" / f"{clip}.alaw").write_bytes(b"short")
    asked = Asked(folder, *[PLAYED, NOT_HELD] * len(WORDS))
    asked.call.say("ticket-again", ticket=TICKET)

    commands = asked._written.getvalue().splitlines()
    assert max(map(len, commands)) < 2_000
    assert sum(command.count(b"/fa/") for command in commands) == len(WORDS)


def test_key_that_ends_nothing_restarts_the_joined_clips(
    folder: Path,
) -> None:
    stray = said("EXEC", "a key", ord("5"))
    one_by_one = [ONE_PLAYED] * 3
    asked = Asked(folder, stray, *one_by_one, NOT_HELD, *[PLAYED, NOT_HELD] * 3)
    asked.call.drop_keys()
    asked.call._keys.at_announcement("5")  # of the same burst, as the clock stands still
    asked.call._keys.drop()
    asked.call.say("ticket-again", ticket=TICKET)

    assert asked.played[:4] == ["&".join(WORDS[:3]), *WORDS[:3]]


def test_key_in_a_mandatory_prompt_repeats_no_word(folder: Path) -> None:
    words = list_clips("fa", "registered", ticket=TICKET)
    stray = said("STREAM FILE", "a key", ord("5"), 6_400)
    asked = Asked(folder, stray, *[ONE_PLAYED, ONE_PLAYED, ONE_PLAYED, NOT_HELD] * 4)
    asked.call.tell("registered", ticket=TICKET)

    assert asked.played == [words[0], *words]  # the first one from where it was
    assert b'registered.1" "0123456789*#" 6400' in asked._written.getvalue()


def test_dead_channel_ends_the_call(folder: Path) -> None:
    asked = Asked(folder, said("EXEC", "hang-up").splitlines(keepends=True)[1] + said("EXEC", "dead channel"))

    with pytest.raises(AGIHangup, match="gone"):
        asked.call.say("ticket-again", ticket=TICKET)
