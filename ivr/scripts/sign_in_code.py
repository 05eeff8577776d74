"""Script of a call with a sign-in code: 1 starts it, so no voicemail hears it; 2 ends it."""

from sqlalchemy import Engine

from db.engine import reading, writing
from hotline.citizens import code_calls
from hotline.outbound import queue
from ivr.call import AGIError, Call
from settings import Settings


def run(call: Call, engine: Engine, settings: Settings) -> None:
    """Say who calls and why, ask, and say the digits twice. Without a key nothing is said."""
    token = call.channel_id
    with reading(engine) as session:
        placed = queue.find_by_token(session, token)
        if placed is None or placed.code is None:
            raise AGIError("a code that nobody asked for")
        language = placed.code.language
    call.speak(language)
    call.say("code-call-intro")
    if call.ask("code-call-question", keys="12", tries=2) == "2":
        with call.working(), writing(engine) as session:
            code_calls.decline_calls(session, token)
        call.say("code-call-declined")
        return
    with call.working(), reading(engine) as session:
        digits = code_calls.hear(session, token, settings)
    if digits is None:
        call.say("code-call-too-late")
        return
    call.tell("code-call-digits", code=digits)
    call.tell("ticket-again", ticket=digits)
    call.say("code-call-goodbye")
