"""The city's timetable, from which rounds are made."""
