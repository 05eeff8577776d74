"""The control room: desks and lines at this moment, and their alarms."""
