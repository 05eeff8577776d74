"""A caller heard that all lines are full, and is gone: there is nothing to say, the call is only counted."""

from sqlalchemy import Engine

from ivr.call import Call
from settings import Settings


def run(call: Call, engine: Engine, settings: Settings) -> None:
    """Nothing."""
