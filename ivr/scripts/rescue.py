"""A caller in danger is connected with the emergency service; if that fails, they wait for an operator,
before all others, or hear the number to dial.

The script ends at once when the service meets the caller (dialplan), which is as a hang-up here. The number
is said from the first word on: nobody depends on our connecting them.
"""

from sqlalchemy import Engine

from db.engine import reading, writing
from db.models import UrgentMatter
from dialplan.variables import Variable
from hotline.callbacks import live_desks, on_the_line, rescue_calls
from ivr.call import AGIError, Call
from settings import Settings

_LOOKS, _PAUSE_MS = 3, 1000
_LONGEST = 12
"""So often the number is said while it rings: longer than it may ring."""


def run(call: Call, engine: Engine, settings: Settings) -> None:
    """Ask for the call, wait with the caller, and say the number if it comes to nothing."""
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
    """The caller's place in the operators' line, if somebody serves it, and does so on this node."""
    with reading(engine) as session:
        place = session.get_one(UrgentMatter, matter_id).registration_id
        here = on_the_line.is_here(session, node)
        return place if here and live_desks.is_any_at_work(session) else None


def _is_over(call: Call, engine: Engine) -> bool:
    """Whether it came to nothing, looked at a few times a second apart."""
    for _ in range(_LOOKS):
        with reading(engine) as session:
            if rescue_calls.came_to_nothing(session, call.channel_id):
                return True
        call.wait_for_digit(_PAUSE_MS)
    return False
