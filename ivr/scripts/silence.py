"""Two questions in silence: a person, not a goodbye. Nobody is sent away who could not find the keys."""

from db.engine import writing
from hotline.line import silences
from hotline.subjects import OTHER
from ivr.conversation import Conversation
from ivr.scripts import operator, report


def run(talk: Conversation) -> None:
    """Do as key 0 does, once a day for each number; else let the caller say what they want, without a key."""
    talk.call.drop_keys()
    stays = operator.run_for_silent(talk)
    if stays is None:
        _take_message(talk)
    elif not stays:
        talk.call.say("goodbye")


def _take_message(talk: Conversation) -> None:
    """Keep what the caller says after the tone as a report, whose inbox people read.

    For a caller without a number who keys none in, or whose number had its place in the line today.
    """
    with talk.call.working(), writing(talk.engine) as session:
        may = silences.may_leave_message(session, talk.number, talk.settings)
    if may and report.take(talk, OTHER, None, "silence-speak"):
        talk.call.say("goodbye")
    else:
        talk.call.say_instead("goodbye-how" if talk.number else "silence-no-number")
