"""Script of a call to a land line about its request: the reply, and the question while that is open."""

from sqlalchemy import Engine

from db.engine import reading, writing
from db.states import RequestState
from hotline.errors import Refused
from hotline.outbound import queue
from hotline.outbound import solved as solved_call
from hotline.requests import closing, lifecycle
from hotline.requests.lifecycle import Progress
from ivr.call import AGIError, Call, NoInput
from ivr.scripts import follow_report
from settings import Settings


def run(call: Call, engine: Engine, settings: Settings) -> None:
    """Record a 1 or 2 before its confirmation; silence changes nothing: the citizen can dial 137, and 2.

    What was answered in the number's name is said first. Of a report that has ended nothing is asked.
    """
    token = call.channel_id
    with reading(engine) as session:
        placed = queue.find_by_token(session, token)
        if placed is None or placed.request is None:
            raise AGIError("a call about a request that nobody asked for")
        language = placed.request.language
        reported = lifecycle.find_progress(session, placed.request)
        due_at, ended = placed.due_at, reported.state in solved_call.TOLD
        objected = placed.request.state in solved_call.OBJECTED  # by a caller who showed this number
        asked = placed.request.state in solved_call.ASKED
        answered = placed.ended_at is not None or not (asked or ended)
    call.speak(language)
    if answered:  # by another way, or by a script that broke off
        call.say("solved-call-intro")
        call.say("request-answered")
        call.say("solved-call-goodbye")
        return
    _tell(call, reported, objected=objected)
    follow_report.read(call, settings, reported.reply_of)
    with call.working(), writing(engine) as session:
        solved_call.hear(session, token, due_at)
    if ended:
        call.say("solved-call-goodbye")
        return
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


def _tell(call: Call, reported: Progress, *, objected: bool) -> None:
    """Say who calls, and what the office or somebody in the number's name has said."""
    if objected:
        call.say("solved-call-no")
    elif reported.joined or reported.state is RequestState.REJECTED:
        call.say("solved-call-ended")
        call.say(f"request-{reported.state}")
    elif reported.state is RequestState.CLOSED:  # by the office: whoever else closes it has no call
        call.say("solved-call-office-yes")
    else:
        call.say("solved-call-yes" if reported.said_yes else "solved-call-intro")
