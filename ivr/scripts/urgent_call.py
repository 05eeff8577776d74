"""Script of a call to a supervisor about an urgent matter that nobody has taken: a 1 takes it."""

from sqlalchemy import Engine

from db.engine import now, reading, writing
from hotline import audit, numbers
from hotline.errors import Refused
from hotline.line import urgent_calls
from hotline.requests import urgent
from ivr.call import AGIError, Call, NoInput, Prompt
from settings import Settings

_TAKES, _ENGLISH = "1", "9"
_LONGEST = 99
"""Maximum of minutes that are said."""


def run(call: Call, engine: Engine, _settings: Settings) -> None:
    """Say the matter and its age, and record a 1 before its confirmation; 9 switches to English."""
    with reading(engine) as session:
        matter = urgent_calls.find_by_token(session, call.channel_id)
        if matter is None:
            raise AGIError("a call about something urgent that nobody asked for")
        is_open = urgent.is_open(session, matter)
        minutes = min(_LONGEST, max(1, int((now(session) - matter.made_at).total_seconds() // 60)))
        if matter.request:
            told = Prompt("urgent-call-request", {"tracking": matter.request.tracking, "minutes": minutes})
        else:
            number = numbers.format_national(matter.number or "")
            told = Prompt("urgent-call-caller", {"minutes": minutes, "number": number})
        matter_id = matter.id
    call.speak("fa")
    call.say("urgent-call-intro")
    if not is_open:
        call.say("urgent-call-over")
        return
    try:
        key = call.ask(
            told,
            "urgent-call-question",
            Prompt("menu-english", language="en"),
            keys="19",
            tries=2,
        )
        if key == _ENGLISH:
            call.speak("en")
            key = call.ask(told, "urgent-call-question", keys=_TAKES, tries=2)
    except NoInput:
        call.say("urgent-call-later")
        return
    try:
        with call.working(), writing(engine) as session:
            urgent.take(session, matter_id, who=audit.SUPERVISOR)
    except Refused:
        call.say_instead("urgent-call-over")
    else:
        call.say("urgent-call-taken")
