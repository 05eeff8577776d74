"""Script of a call to a land line whose request is said to be solved: the reply and the question."""

from sqlalchemy import Engine

from db.engine import reading, writing
from db.states import RequestState
from hotline.errors import Refused
from hotline.line import solved_calls
from hotline.requests import closing, requests
from hotline.requests.requests import Progress
from ivr.call import AGIError, Call, NoInput
from ivr.scripts import follow_report
from settings import Settings


def run(call: Call, engine: Engine, settings: Settings) -> None:
    """Record a 1 or 2 before its confirmation; silence changes nothing: the citizen can dial 137, and 2.

    An answer by a caller who showed this number is said first.
    """
    token = call.channel_id
    with reading(engine) as session:
        placed = solved_calls.by_token(session, token)
        if placed is None:
            raise AGIError("a call about a request that nobody asked for")
        language = placed.request.language
        reported = requests.progress(session, placed.request)
        answered = placed.ended_at is not None or reported.joined or reported.state not in solved_calls.STATES
    objected = reported.state is RequestState.REOPENED  # by a caller who showed this number
    call.speak(language)
    call.say(_intro(reported, answered=answered))
    if answered:  # by another way, or by a script that broke off
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
            if not objected:
                closing.answer(session, reported.request_id, solved=solved)
            elif solved:
                closing.take_back_objection(session, reported.request_id)
    except Refused:
        call.say_instead("request-answered")
    else:
        call.say("request-thanks" if solved else "request-again")
        follow_report.ask_satisfaction(call, engine, reported.request_id)
    call.say("solved-call-goodbye")


def _intro(reported: Progress, *, answered: bool) -> str:
    if not answered and reported.state is RequestState.REOPENED:
        return "solved-call-no"
    return "solved-call-yes" if not answered and reported.said_yes else "solved-call-intro"
