"""What a caller hears: a catalogue of prompts for each language, spoken numbers, and the voices."""
