"""Rounds, the timetable, officials, over HTTP."""
