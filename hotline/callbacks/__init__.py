"""Calling citizens back: whom next, when again, and with which desk."""
