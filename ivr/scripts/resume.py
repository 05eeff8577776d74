"""Resumption of a call whose script broke off: its results are said, and its recording is stored."""

from dataclasses import dataclass
from pathlib import Path

from db.engine import reading
from db.states import RegistrationState
from dialplan.variables import Variable
from hotline.line import caller_context, registration
from hotline.line.caller_context import Place
from hotline.requests import lifecycle
from ivr import voice_message
from ivr.call import WantsOperator
from ivr.conversation import Conversation
from ivr.scripts import extras, report


@dataclass(frozen=True)
class Made:
    """Results of a call so far."""

    place: Place | None
    tracking: str | None
    """Tracking number of the report."""
    lacks_subject: bool
    lacks_voice_message: bool
    said: Path | None
    """Recording stored with the place, or an earlier version's without a category in its name."""


def take_up(talk: Conversation, chosen: str) -> Made:
    """Return the call's results. The call's recording is filed, and its choice added (`Conversation.leave`).

    `chosen`: the channel's `Variable.SUBJECT`.
    """
    with reading(talk.engine) as session:
        made = registration.find_by_call(session, talk.call.channel_id)
        place = caller_context.place(session, made) if made else None
        lacks_subject = made is not None and made.subject is None
        lacks_voice_message = made is not None and made.voice_message is None
        reported = lifecycle.find_by_call(session, talk.call.channel_id)
    said = voice_message.find_leftover(talk)
    if reported:
        return Made(place, reported.tracking, lacks_subject, lacks_voice_message, None)
    if not place:
        tracking = report.send_left_over(talk, said) if said else None
        return Made(None, tracking, lacks_subject, lacks_voice_message, said)
    if place.in_operators_line or not lacks_voice_message:
        said = None
    if said:
        talk.add(place.registration_id, voice_message=said.name)
        lacks_voice_message = False
    if lacks_subject and chosen and not place.in_operators_line:
        talk.add(place.registration_id, subject=int(chosen))
        lacks_subject = False
    return Made(place, None, lacks_subject, lacks_voice_message, said)


def run(talk: Conversation) -> bool:
    """Continue after the last commit; return False if the menu begins anew. Raises WantsOperator."""
    chosen = talk.call.get(Variable.SUBJECT)
    with talk.call.working():  # after a hang-up here the report is filed all the same
        made = take_up(talk, chosen)
    place = made.place
    if made.tracking:
        report.tell(talk, made.tracking)
    elif place and place.in_operators_line and place.state is RegistrationState.WAITING:
        raise WantsOperator
    elif place:
        _tell(talk, place)
        if made.said:
            talk.call.say("message-kept")
        if not place.in_operators_line:
            extras.offer(
                talk,
                place.registration_id,
                round_id=place.round_id,
                asks_subject=made.lacks_subject,
                asks_voice_message=made.lacks_voice_message,
            )
    elif made.said:
        report.send(talk, made.said)
    return bool(made.tracking or place or made.said)


def _tell(talk: Conversation, place: Place) -> None:
    call = talk.call
    call.tell("operator-registered" if place.in_operators_line else "registered", ticket=place.ticket)
    if not place.in_operators_line:
        call.say("ticket-again", ticket=place.ticket)
    if place.state is RegistrationState.WAITING:
        talk.tell_where(place)
    else:
        talk.tell_status(place)
