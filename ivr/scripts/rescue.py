"""Script of a caller in danger: connect them with the emergency service, or else with an operator first.

If neither works, the caller hears the number to dial. The script ends at once when the service meets the
caller (dialplan), which looks like a hang-up here. The number is said from the start, so that nobody depends
on our connection.
"""

from sqlalchemy import Engine

from db.engine import reading, writing
from db.models import UrgentMatter
from dialplan.variables import Variable
from hotline.callbacks import direct_routing, rescue_calls, waiting_callers
from ivr.call import AGIError, Call
from settings import Settings

_LOOKS, _PAUSE_MS = 3, 1000
_LONGEST = 12
"""Repetitions of the number while it rings: longer than it may ring."""


def run(call: Call, engine: Engine, settings: Settings) -> None:
    """Request the call, wait with the caller, and say the number if the call fails."""
    matter, _, language = call.argument.partition("-")
    if not matter.isdecimal():
        raise AGIError("nobody in danger")
    with call.working(), writing(engine) as session:
        rescue_calls.ask(session, int(matter), call.channel_id, settings.node)
    call.speak("en" if language == "en" else "fa")
    for _ in range(_LONGEST):
        call.tell("urgent-connecting", number=settings.urgent_number)
        if _is_over(call, engine):
            break
    place = _place(engine, settings.node, int(matter))
    call.set(Variable.STAYS, str(place or ""))
    if place:
        call.say("urgent-first")
        call.say("urgent-or-number", number=settings.urgent_number)
        return
    for _ in range(2):
        call.tell("urgent-number", number=settings.urgent_number)
    call.say("goodbye")


def _place(engine: Engine, node: str, matter_id: int) -> int | None:
    """Return the caller's place in the operators' line if a desk at work serves it on this node."""
    with reading(engine) as session:
        place = session.get_one(UrgentMatter, matter_id).registration_id
        here = waiting_callers.is_here(session, node)
        return place if here and direct_routing.is_any_at_work(session) else None


def _is_over(call: Call, engine: Engine) -> bool:
    """Return whether the call has failed, polling a few times a second apart."""
    for _ in range(_LOOKS):
        with reading(engine) as session:
            if rescue_calls.has_failed(session, call.channel_id):
                return True
        call.wait_for_digit(_PAUSE_MS)
    return False
