"""Script of an overflow callback: 1 goes on to the menu, 2 says that the number's owner did not call.

A caller's number can be forged, and a machine may answer: without a key nobody is let in.
"""

from sqlalchemy import Engine

from db.engine import reading, writing
from db.models import LeftOutcome
from dialplan.variables import Variable
from hotline.outbound import queue
from ivr.call import AGIError, Call, NoInput
from settings import Settings


def run(call: Call, engine: Engine, settings: Settings) -> None:
    """Ask, and once more after a silence; the dialplan goes on to the menu with the stored number."""
    token = call.channel_id
    with reading(engine) as session:
        placed = queue.find_by_token(session, token)
        if placed is None or placed.number is None:
            raise AGIError("a call to a number that nobody left")
        number, answer = placed.number, placed.answer
    call.speak(call.language)
    if answer == LeftOutcome.REACHED:  # the script broke off after the key
        _go_on(call, number)
        return
    call.lead("left-call-intro")
    with call.working(), writing(engine) as session:
        queue.answer(session, token)
    try:
        is_they = call.ask("left-call-question", keys="12", tries=2) == "1"
    except NoInput:
        call.say("left-call-later")
        return
    with call.working(), writing(engine) as session:
        queue.answer(session, token, LeftOutcome.REACHED if is_they else LeftOutcome.REFUSED)
    if is_they:
        _go_on(call, number)
    else:
        call.say("left-call-not-you")


def _go_on(call: Call, number: str) -> None:
    call.set(Variable.CALLER, number)
