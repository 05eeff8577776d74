"""The city's timetable: rules from which rounds are made, and the days on which they differ."""
