"""Prompts for callers: a catalogue for each language, spoken numbers, and voices."""

from pathlib import Path

MESSAGES = Path(__file__).parent / "messages"
"""Text messages, a book of `hotline.words`."""
