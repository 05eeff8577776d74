"""Desks, their phones, and supervisors who listen in."""
