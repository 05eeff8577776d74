"""Requests: problems that citizens report to the city, from filing until the citizen confirms an end."""
