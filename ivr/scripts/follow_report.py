"""Report part of key 2: a request's state, the office's reply, and whether the problem is solved."""

from pathlib import Path

from sqlalchemy import Engine

from db.engine import writing
from hotline.errors import Refused
from hotline.requests import closing, ratings, spoken_replies
from hotline.requests.lifecycle import Progress
from ivr.call import END, Call
from ivr.conversation import Conversation
from settings import Settings


def tell(talk: Conversation, reported: Progress, *, may_answer: bool = True) -> bool:
    """Say a request's state, and ask whether it is solved. Return whether the caller answered."""
    if reported.joined:
        talk.call.say("request-joined")
    talk.call.say(f"request-{reported.state}")
    read(talk.call, talk.settings, reported.reply_of)
    return reported.asked and may_answer and _is_it_solved(talk, reported)


def read(call: Call, settings: Settings, reply_of: int | None) -> None:
    """Play the office's reply to this request if its audio exists; a key ends it."""
    file = reply_of and spoken_replies.find_sound_path(settings.replies_dir, reply_of)
    if file and _is_there(file):
        call.say("request-reply")
        call.say_sound(file)


def _is_there(file: Path) -> bool:
    return file.with_suffix(".alaw").exists()


def _is_it_solved(talk: Conversation, reported: Progress) -> bool:
    key = talk.call.ask("request-question", keys=f"12{END}")
    if key == END:
        return False
    solved = key == "1"
    try:
        with talk.call.working(), writing(talk.engine) as session:
            closed = closing.answer_of_caller(session, reported.request_id, solved=solved)
    except Refused:  # another answer came first
        talk.call.say_instead("request-answered")
    else:
        thanks = "request-thanks" if closed else "request-noted"
        talk.call.say(thanks if solved else "request-again")
        ask_satisfaction(talk.call, talk.engine, reported.request_id)
    return True


def ask_satisfaction(call: Call, engine: Engine, request_id: int) -> None:
    """Ask for a rating of 1 to 5, which is optional; the verdict is already stored."""
    key = call.ask("request-satisfaction", keys="12345", optional=True)
    if not key:
        return
    try:
        with call.working(), writing(engine) as session:
            ratings.rate(session, request_id, int(key))
    except Refused:  # it was answered anew meanwhile
        call.say_instead("request-answered")
    else:
        call.say("request-rated")
