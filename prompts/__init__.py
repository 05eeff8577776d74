"""What a caller hears: a catalogue of prompts for each language, spoken numbers, and the voices."""

from pathlib import Path

MESSAGES = Path(__file__).parent / "messages"
"""What is read instead, the text messages: a book of `hotline.words`."""
