"""The caller who knows each clip by its first packets."""

from pathlib import Path

import pytest

from tests.kit.listener import Heard, openings
from tests.kit.rtp_sender import SILENCE

WORD, QUIET = bytes(range(256)) * 8, SILENCE * 2000


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    clips = {"digit-7": WORD, "live-call": QUIET + WORD, "lines-full-now": QUIET, "pause": QUIET}
    for name, sound in clips.items():
        (tmp_path / f"{name}.alaw").write_bytes(sound)
    return tmp_path


def test_silent_opening_matches_no_clip(
    folder: Path,
) -> None:
    assert list(openings(folder).values()) == ["digit-7"]


def test_end_of_digits_is_that_of_the_ticket() -> None:
    number = [(at / 2, "number-9") for at in range(11)]
    ticket = [(10 + at / 2, f"number-{at}") for at in range(8)]
    clips = [(0.0, "confirm-number.1"), *number, (9.0, "registered.1"), *ticket, (15.0, "ticket-again.1")]

    assert Heard(clips=clips).digits_end(8.9) == 13.5 + 0.5
    assert Heard(clips=clips[:-3]).digits_end(14.0) is None
