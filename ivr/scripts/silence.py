"""Script after two unanswered questions: a person, not a goodbye, for callers who cannot find the keys."""

from db.engine import writing
from hotline.line import silent_callers
from hotline.subjects import OTHER
from ivr.conversation import Conversation
from ivr.scripts import operator, report


def run(talk: Conversation) -> None:
    """Do as key 0 does, once a day for each number; otherwise take a message without a key."""
    talk.call.drop_keys()
    stays = operator.run_for_silent(talk)
    if stays is None:
        _take_message(talk)
    elif not stays:
        talk.call.say("goodbye")


def _take_message(talk: Conversation) -> None:
    """Record the caller's message as a report, for people to read.

    The message is for a caller without a number, or whose number had its place in the line today.
    """
    with talk.call.working(), writing(talk.engine) as session:
        may = silent_callers.may_leave_message(session, talk.number, talk.settings)
    if may and report.take(talk, OTHER, None, "silence-speak"):
        talk.call.say("goodbye")
    else:
        talk.call.say_instead("goodbye-how" if talk.number else "silence-no-number")
