"""Requests that a body outside the city handles."""
