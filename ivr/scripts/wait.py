"""What a citizen hears who pressed 1 and waits: who will speak with them, music, how long it may take."""

from sqlalchemy import Engine

from db.engine import reading
from db.models import Callback, Round
from dialplan.variables import Variable
from hotline import callbacks, experience, rounds
from ivr.call import AGIError, Call, Prompt
from settings import Settings

_LATER = "2"
_ANNOUNCEMENTS = 20
"""So often the music stops for an estimate, every half minute; whoever waits longer is called again."""
_PRESS_TWO = Prompt("wait-press-two")


def run(call: Call, engine: Engine, settings: Settings) -> None:
    """Pass the time until the dialer takes the citizen into a room, which ends this script at once.

    On a 2, or after too long a wait, tell the dialplan that the citizen is to be called again later.
    """
    token = call.channel_id
    with reading(engine) as session:
        callback = callbacks.by_token(session, token)
        if callback is None:
            raise AGIError("a callback that nobody asked for")
        office = rounds.speaker(session.get_one(Round, callback.round_id)).clip
        language, opening = callback.registration.language, _opening(callback, office)
    call.speak(language)
    key = call.hear(*opening, keys=_LATER)
    for _ in range(_ANNOUNCEMENTS):
        key = key or call.music(_LATER) or call.hear(_estimate(engine, token), _PRESS_TWO, keys=_LATER)
    if not key:
        call.say("wait-too-long")
    call.set(Variable.LATER, "yes")


def _opening(callback: Callback, office: str) -> list[Prompt]:
    if callback.screen_desk_id is not None:  # back from an operator who spoke with them first
        return [Prompt("wait-again")]
    return [Prompt("wait-intro", {"office": office}), _PRESS_TWO]


def _estimate(engine: Engine, token: str) -> Prompt:
    with reading(engine) as session:
        callback = callbacks.by_token(session, token)
        if callback is None:
            raise AGIError("the callback is gone")
        seconds = experience.expected_wait(session, callback)
    if seconds is None:
        return Prompt("wait-unknown")
    if seconds < 60:
        return Prompt("wait-soon")
    minutes = round(seconds / 60)
    return Prompt("wait-minute") if minutes == 1 else Prompt("wait-minutes", {"minutes": minutes})
