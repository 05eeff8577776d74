"""Requests that programs bring and look up (Open311)."""
