"""Script of a citizen who pressed 1 and waits: who will speak, music, the estimated wait."""

from sqlalchemy import Engine

from db.engine import reading
from db.models import Round
from dialplan.variables import Variable
from hotline.callbacks import round_statistics, serving, transitions
from hotline.rounds import phases
from ivr.call import AGIError, Call, Prompt
from ivr.conversation import describe_wait
from settings import Settings

_LATER = "2"
_ANNOUNCEMENTS = 20
"""Number of half minutes of music; after that the citizen hears so, and is called again."""
_ALONE = 2
"""Checks in a row, about a minute in all, without a desk in the round: then nobody will come."""
_PRESS_TWO = Prompt("wait-press-two")


def run(call: Call, engine: Engine, settings: Settings) -> None:
    """Play music until the dialer moves the citizen into a room, which ends this script at once.

    After a 2, too long a wait, or the departure of every desk, tell the dialplan to call again later.
    """
    token = call.channel_id
    with reading(engine) as session:
        callback = transitions.find_by_token(session, token)
        if callback is None:
            raise AGIError("a callback that nobody asked for")
        office = phases.find_speaker(session.get_one(Round, callback.round_id)).clip
        language = callback.registration.language
        back = call.again or callback.screen_desk_id is not None  # an operator spoke with them first
        met = callback.on_the_line and not back  # the caller has been waiting all the time
    opening = [Prompt("wait-again")] if back else [Prompt("wait-intro", {"office": office}), _PRESS_TWO]
    call.speak(language)
    key = "" if met else call.hear(*opening, keys=_LATER)
    alone, left = 0, _ANNOUNCEMENTS
    while not key:
        key, left = call.music(_LATER), left - 1
        estimate, served = _look(engine, token)
        alone = 0 if served else alone + 1
        if not left or alone == _ALONE:
            break
        key = key or call.hear(estimate, _PRESS_TWO, keys=_LATER)
    if not key:
        call.say("wait-too-long")
    call.set(Variable.LATER, "yes")


def _look(engine: Engine, token: str) -> tuple[Prompt, bool]:
    """Return the estimated wait as a prompt, and whether any desk is there to take the citizen."""
    with reading(engine) as session:
        callback = transitions.find_by_token(session, token)
        if callback is None:
            raise AGIError("the callback is gone")
        seconds = round_statistics.estimate_wait(session, callback)
        # A desk takes the citizen whom it called; any free desk takes a caller on the line.
        theirs = callback.desk_id is not None or callback.on_the_line
        served = theirs or bool(serving.list_desks(session, callback.round_id))
    if seconds is None:
        return Prompt("wait-unknown"), served
    return Prompt("wait-soon") if seconds < 60 else describe_wait(round(seconds / 60)), served
