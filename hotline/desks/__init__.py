"""Desks, their phones, and those who listen in."""
