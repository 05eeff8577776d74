"""Key 2: where do I stand? By ticket number; nothing personal is said."""

from sqlalchemy import Engine

from db.engine import reading
from db.states import RegistrationState
from hotline import line, registration, tickets
from hotline.errors import Refused
from ivr.call import Call, Gone
from ivr.scripts.register import tell_place
from settings import Settings

_TRIES = 3


def run(call: Call, engine: Engine, settings: Settings) -> None:
    """Ask for the ticket number, say the status and, while waiting, the place."""
    for _ in range(_TRIES):
        keyed = call.ask_digits("follow-up-ask", at_most=tickets.LENGTH)
        try:
            ticket = tickets.parse(keyed)
            with reading(engine) as session:
                found = registration.find(session, ticket)
                state = found.state
                ahead = line.ahead(session, found)
        except Refused:
            call.say("ticket-invalid")
            continue
        call.say(f"status-{state}")
        if state is RegistrationState.WAITING:
            tell_place(call, ahead)
        return
    raise Gone
