"""The call to a land line whose request is said to be solved: the reply is read, and the question put."""

from sqlalchemy import Engine

from db.engine import reading, writing
from hotline.errors import Refused
from hotline.line import solved_calls
from hotline.requests import closing, requests
from ivr.call import AGIError, Call, NoInput
from ivr.scripts import follow_report
from settings import Settings


def run(call: Call, engine: Engine, settings: Settings) -> None:
    """1 and 2 are kept before they are confirmed; silence changes nothing: they can dial 137, and 2."""
    token = call.channel_id
    with reading(engine) as session:
        placed = solved_calls.by_token(session, token)
        if placed is None:
            raise AGIError("a call about a request that nobody asked for")
        language = placed.request.language
        reported = requests.progress(session, placed.request)
    call.speak(language)
    call.say("solved-call-intro")
    if not reported.asked:  # answered meanwhile, by another way, or by a script that broke off
        call.say("request-answered")
        call.say("solved-call-goodbye")
        return
    follow_report.read(call, settings, reported.reply_of)
    with call.working(), writing(engine) as session:
        solved_calls.told(session, token)
    try:
        solved = call.ask("solved-call-question", keys="12", tries=2) == "1"
    except NoInput:
        call.say("solved-call-later")
        return
    try:
        with call.working(), writing(engine) as session:
            closing.answer(session, reported.request_id, solved=solved)
    except Refused:
        call.say_instead("request-answered")
    else:
        call.say("request-thanks" if solved else "request-again")
        follow_report.ask_satisfaction(call, engine, reported.request_id)
    call.say("solved-call-goodbye")
