"""Two questions in silence: a person, not a goodbye. Nobody is sent away who could not find the keys."""

from sqlalchemy.orm import Session

from hotline.line import silences
from hotline.line.registration import Registered
from ivr.conversation import Conversation


def run(talk: Conversation) -> None:
    """An operator calls whoever stays to hear it, once a day for each number; else say what helps."""
    call = talk.call
    call.drop_keys()
    if talk.number is None:
        call.say_instead("silence-no-number")
        return
    if talk.context.had_operator:
        call.say_instead("goodbye-how")
        return
    number = talk.number
    call.tell("silence-operator")

    def join(session: Session) -> Registered | None:
        return talk.place(session, None) if silences.has_turn(session, number) else None

    with talk.telling_refusals():
        registered = talk.commit(join)
        talk.added = None
        if registered:
            call.tell("operator-registered", ticket=registered.ticket)
            call.say("ticket-again", ticket=registered.ticket)
    call.say("goodbye")
