"""Recordings as Asterisk leaves them in its folder."""

import os
import time
import wave
from pathlib import Path


def a_file(folder: Path, name: str, seconds: float = 2.0, *, age_s: float = 60.0) -> Path:
    """A recording as Asterisk writes it, last written to so long ago."""
    path = folder / f"{name}.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(b"\x01\x02" * int(8000 * seconds))
    aged(path, age_s)
    return path


def aged(path: Path, age_s: float) -> None:
    os.utime(path, (time.time() - age_s,) * 2)
