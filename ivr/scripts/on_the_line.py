"""Script of a caller who waits on the line for an operator: music, the number ahead, the estimated wait.

The script ends at once when a callback meets the caller (dialplan), which looks like a hang-up here. However
it ends, the place stays in the line, and the caller hears the ticket number. A second call of the same number
does not replace the first: its caller hears of a callback. A caller in danger goes on to the emergency
service (`rescue`) if no desk takes them within ten seconds.
"""

from contextlib import nullcontext

from sqlalchemy import Engine

from db.engine import now, reading, writing
from db.models import Registration
from dialplan.variables import Variable
from hotline import numbers
from hotline.callbacks import operators_line_node, waiting_callers
from hotline.callbacks.waiting_callers import Outlook
from ivr.call import AGIError, Call, Prompt
from ivr.scripts import operator
from settings import Settings

_CALL_ME = "2"
_MUSIC_S = 30
_SOON, _PAUSE_MS = 3, 2000
"""Repetitions of the request to stay, and the pause between them: ten seconds in all."""


def run(call: Call, engine: Engine, settings: Settings) -> None:
    """Play music; after a 2, or too long a wait, the citizen will be called back."""
    of_whom, _, matter = call.argument.partition("-")
    if not of_whom.isdecimal():
        raise AGIError("nobody who stays on the line")
    place, channel = int(of_whom), call.channel_id
    with call.working(), writing(engine) as session:
        registration = session.get(Registration, place)
        caller_number = numbers.parse_caller(call.caller_id, settings.allowed_prefixes)
        if registration is None or caller_number != registration.number:
            raise AGIError("not the place of this caller")
        here = waiting_callers.is_here(session, settings.node)  # the line may have moved at this moment
        there = waiting_callers.record_waiting(session, place, channel, settings.node)
        still_open = there or waiting_callers.is_open(session, place)  # for an older call
        caller = waiting_callers.find(session, place) if there else None
        waited = (now(session) - caller.since).total_seconds() if caller else 0.0
    call.speak(registration.language)
    kept = is_listening = False
    try:
        if still_open and matter:
            for _ in range(_SOON if there else 0):
                call.say("operator-stay")
                call.wait_for_digit(_PAUSE_MS)
            call.set(Variable.RESCUE, f"{matter}-{registration.language}")
            is_listening = True
            return
        rounds = settings.line_wait_minutes * 60 // _MUSIC_S - int(waited // _MUSIC_S)
        if there and here:
            _pass_time(call, engine, settings.node, place, rounds)
        is_listening = True
    finally:
        with call.working() if is_listening else nullcontext():
            with writing(engine) as session:
                waiting_callers.leave(session, channel)
                kept = waiting_callers.is_open(session, place)
            _free_line(engine, settings.node)
    if kept:
        call.tell("operator-registered", ticket=registration.ticket)
    call.say("goodbye")


def _pass_time(call: Call, engine: Engine, node: str, place: int, rounds: int) -> None:
    """Play `rounds` of music, until the caller presses 2 or this call no longer waits for the place.

    If the desks have moved to another node, the caller is called back.
    """
    key = "" if call.again else call.hear(Prompt("operator-stay"), keys=_CALL_ME)
    for number in range(rounds):
        if key := key or call.music(_CALL_ME):
            return
        with call.working(), writing(engine) as session:
            if not waiting_callers.is_here(session, node):
                break
            if not waiting_callers.is_there(session, place, call.channel_id, node):
                return
        if number % 2 == 0:  # each minute
            key = call.hear(*_news(engine, place), keys=_CALL_ME)
    if not key:
        call.say("wait-too-long")


def _free_line(engine: Engine, node: str) -> None:
    """Free the operators' line from this node if nobody waits here and no desk came."""
    with reading(engine) as session:
        empty = operators_line_node.is_left_empty(session, node)
    if empty:
        with writing(engine) as session:
            operators_line_node.detach(session, node)


def _news(engine: Engine, place: int) -> list[Prompt]:
    with reading(engine) as session:
        outlook: Outlook = waiting_callers.forecast_for(session, place)
    return [] if outlook.free else [*operator.describe_outlook(outlook), Prompt("operator-press-two")]
