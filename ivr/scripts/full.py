"""Script of a caller who heard that all lines are full and has gone: the call is only counted."""

from sqlalchemy import Engine

from ivr.call import Call
from settings import Settings


def run(call: Call, engine: Engine, settings: Settings) -> None:
    """Do nothing."""
