"""Script of a callback: who calls, and press 1."""

from sqlalchemy import Engine

from db.engine import reading
from db.models import Round
from dialplan.variables import Variable
from hotline.callbacks import transitions
from hotline.rounds import phases
from ivr.call import AGIError, Call, NoInput, Prompt
from settings import Settings

_TRIES = 2
"""Number of questions, while the official waits."""
_MACHINE = "MACHINE"
"""Asterisk's detection of an answering machine; a person taken for one may press 1 as well."""


def run(call: Call, engine: Engine, settings: Settings) -> None:
    """Ask for a 1, which only a person presses; tell the dialplan yes or no."""
    with call.working(leads=True), reading(engine) as session:
        callback = transitions.find_by_token(session, call.channel_id)
        if callback is None:
            raise AGIError("a callback that nobody asked for")
        round_ = session.get_one(Round, callback.registration.round_id)
        language = callback.registration.language
        office, recorded = phases.find_speaker(round_).clip, round_.recorded
    call.speak(language)
    call.lead("callback-intro")
    question = "callback-press-one"
    if recorded:
        question = "callback-press-one-recorded"  # goes on from the announcement
        call.tell("callback-recorded")
        call.set(Variable.RECORDED, "yes")  # only after the announcement is anybody recorded
    try:
        call.ask(
            Prompt(question, {"office": office}),
            keys="1",
            tries=1 if call.argument == _MACHINE else _TRIES,
        )
    except NoInput:
        call.set(Variable.CONFIRMED, "no")
        call.say("callback-goodbye")
        return
    call.set(Variable.CONFIRMED, "yes")
