"""Sounds that the tests of the kit play: Persian words and pure tones."""

import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr

from tests.kit.process import need

DIGITS = ["صفر", "یک", "دو", "سه", "چَهار", "پنج", "شش", "هفت", "هشت", "نُه"]
WORDS = {str(digit): word for digit, word in enumerate(DIGITS)} | {
    "twenty": "بیست",
    "twenty-and": "بیستُ",
    "your-number": "شمارهٔ شما",
    "goodbye": "از تماسِ شما سپاسگزاریم. خدا نگهدار",
    "menu": "برای ثبت نام عددِ یک، برای پیگیری عددِ دو را فشار دهید",
}


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    """Persian clips of 8 kHz, as the telephone system plays them."""
    folder = tmp_path_factory.mktemp("clips")
    for name, words in WORDS.items():
        wide = folder / "wide.wav"
        speak = [need("espeak-ng", "espeak-ng"), "-v", "fa", "-s", "140", "-p", "65", "-w", wide]
        subprocess.run([*speak, words], check=True)
        samples, rate = soundfile.read(wide)
        soundfile.write(folder / f"{name}.wav", soxr.resample(samples, rate, 8000) * 0.7, 8000)
    return {name: folder / f"{name}.wav" for name in WORDS}


@pytest.fixture(scope="module")
def tone(tmp_path_factory):
    """Makes a wav with a tone."""
    folder = tmp_path_factory.mktemp("tones")

    def make(hz: int) -> Path:
        path = folder / f"{hz}.wav"
        soundfile.write(path, 0.3 * np.sin(2 * np.pi * hz * np.arange(8000) / 8000), 8000)
        return path

    return make
