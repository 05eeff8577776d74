"""The call that confirms a keyed-in number: whoever picks up says whether they registered."""

from sqlalchemy import Engine

from db.engine import reading, writing
from hotline import confirmations
from ivr.call import AGIError, Call
from settings import Settings


def run(call: Call, engine: Engine, settings: Settings) -> None:
    """1 puts the registration into the line, 2 cancels it; silence is asked again later."""
    token = call.channel_id
    with reading(engine) as session:
        confirmation = confirmations.by_token(session, token)
        if confirmation is None:
            raise AGIError("a confirmation that nobody asked for")
        language = confirmation.registration.language
    call.speak(language)
    call.say("confirm-call-intro")
    yes = call.ask("confirm-call-press-one", keys="12", tries=2) == "1"
    with writing(engine) as session:
        confirmations.answer(session, token, yes=yes)
    call.say("confirm-call-done" if yes else "confirm-call-refused")
