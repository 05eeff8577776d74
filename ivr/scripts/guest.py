"""Script of a call to a third person for a desk's conversation: who calls, and press 1."""

from sqlalchemy import Engine

from db.engine import reading
from db.models import Callback
from dialplan.variables import Variable
from hotline.callbacks import conversations, third_party
from hotline.rounds import phases
from ivr.call import AGIError, Call, NoInput
from settings import Settings

_TRIES = 2
"""Number of questions, while the desk waits."""


def run(call: Call, engine: Engine, settings: Settings) -> None:
    """Ask for a 1, which only a person presses; tell the dialplan yes or no."""
    with call.working(leads=True), reading(engine) as session:
        guest = third_party.find_by_token(session, call.channel_id)
        if guest is None:
            raise AGIError("a third person whom nobody asked for")
        callback = session.get_one(Callback, guest.callback_id)
        office = conversations.find_speaker(session, callback).clip
        recorded = phases.get(session, callback.round_id).recorded
    call.speak("fa")
    call.lead("guest-intro", office=office)
    if recorded:
        call.tell("callback-recorded")
    try:
        call.ask("guest-press-one", keys="1", tries=_TRIES)
    except NoInput:
        call.set(Variable.CONFIRMED, "no")
        call.say("guest-goodbye")
        return
    call.set(Variable.CONFIRMED, "yes")
