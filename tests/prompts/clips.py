"""Rendered clips: a few of them to change, recordings of them, and how one is read back."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from prompts import catalogue, sound
from settings import Settings

CEILING = 10 ** (sound.CEILING / 20)
FEW = ("greeting", "goodbye", "apology", "lines-full", "ticket-again.1", "digit-0", "digit-1")


def only_few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave a few clips of the Persian catalogue and no other language."""
    whole = catalogue.load("fa")
    monkeypatch.setattr(catalogue, "list_languages", lambda: ["fa"])
    monkeypatch.setattr(whole, "texts", {clip: whole.texts[clip] for clip in FEW})
    monkeypatch.setattr(whole, "prompts", {prompt: whole.prompts[prompt] for prompt in FEW[:4]})


def with_text(monkeypatch: pytest.MonkeyPatch, clip: str, text: str) -> None:
    monkeypatch.setitem(catalogue.load("fa").texts, clip, text)


def record(recordings: Path, clip: str, *, rate: int = 44_100, level: float = 0.5) -> None:
    """Put a stereo recording there: one second of 500 Hz with half a second of silence around."""
    time = np.arange(rate) / rate
    mono = np.pad(level * np.sin(2 * np.pi * 500 * time), rate // 2)
    (recordings / "fa").mkdir(parents=True, exist_ok=True)
    soundfile.write(recordings / "fa" / f"{clip}.wav", np.stack([mono, mono], axis=1), rate)


def wav(settings: Settings, name: str) -> sound.Samples:
    samples, rate = sound.read((settings.prompts_dir / f"{name}.wav").read_bytes())
    assert rate == 8000
    return samples
