"""The main menu: what a citizen hears who dials 137."""

from sqlalchemy import Engine

from ivr.call import Call
from ivr.scripts import follow_up, register
from settings import Settings


def run(call: Call, engine: Engine, settings: Settings) -> None:
    """Greet, offer the choices, go where the caller wants."""
    call.say("greeting")
    choice = call.ask("main-menu", keys="12")
    if choice == "1":
        register.run(call, engine, settings)
    else:
        follow_up.run(call, engine, settings)
    call.say("goodbye")
