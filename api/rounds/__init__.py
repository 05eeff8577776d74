"""HTTP routes of rounds, the timetable and officials."""
