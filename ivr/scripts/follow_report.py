"""A part of key 2: what became of a reported problem, and whether it is solved."""

from db.engine import writing
from hotline.errors import Refused
from hotline.requests import work
from hotline.requests.requests import Progress
from ivr.call import END
from ivr.conversation import Conversation


def tell(talk: Conversation, reported: Progress, *, may_answer: bool = True) -> bool:
    """Say how a request stands; who is asked may say whether it is solved. Whether they did."""
    if reported.joined:
        talk.call.say("request-joined")
    talk.call.say(f"request-{reported.state}")
    return reported.asked and may_answer and _is_it_solved(talk, reported)


def _is_it_solved(talk: Conversation, reported: Progress) -> bool:
    key = talk.call.ask("request-question", keys=f"12{END}")
    if key == END:
        return False
    solved = key == "1"
    try:
        with talk.call.working(), writing(talk.engine) as session:
            work.answer(session, reported.request_id, solved=solved)
    except Refused:  # somebody was quicker
        talk.call.say_instead("request-answered")
    else:
        talk.call.say("request-thanks" if solved else "request-again")
    return True
