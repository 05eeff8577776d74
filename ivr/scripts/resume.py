"""A call whose script broke off: what it had made is told; what was being said is kept."""

from db.engine import reading
from db.states import RegistrationState
from dialplan.variables import Variable
from hotline.line import caller_context, registration
from hotline.line.caller_context import Place
from hotline.requests import requests
from ivr import voice_message
from ivr.call import WantsOperator
from ivr.conversation import Conversation
from ivr.scripts import extras, report


def run(talk: Conversation) -> bool:
    """Go on where everything was committed last; False where the menu begins anew. Raises WantsOperator."""
    call_id = talk.call.channel_id
    with talk.call.working():  # whoever hangs up meanwhile has reported
        with reading(talk.engine) as session:
            made = registration.of_call(session, call_id)
            place = caller_context.place(session, made) if made else None
            lacks_subject = made is not None and made.subject is None
            lacks_voice_message = made is not None and made.voice_message is None
            reported = requests.of_call(session, call_id)
        said = voice_message.left_over(talk)
        tracking = reported.tracking if reported else None
        if said and not (reported or place):
            tracking = report.send_left_over(talk, said)
    if tracking:
        report.tell(talk, tracking)
    elif place and place.in_operators_line and place.state is RegistrationState.WAITING:
        raise WantsOperator
    elif place:
        if said and lacks_voice_message:
            talk.add(place.registration_id, voice_message=said.name)
        if lacks_subject and (chosen := talk.call.get(Variable.SUBJECT)):
            talk.add(place.registration_id, subject=int(chosen))
            lacks_subject = False
        _tell(talk, place)
        if not place.in_operators_line:
            extras.offer(
                talk,
                place.registration_id,
                round_id=place.round_id,
                asks_subject=lacks_subject,
                asks_voice_message=lacks_voice_message and not said,
            )
    elif said:
        report.send(talk, said)
    return bool(tracking or place or said)


def _tell(talk: Conversation, place: Place) -> None:
    call = talk.call
    call.tell("operator-registered" if place.in_operators_line else "registered", ticket=place.ticket)
    if not place.in_operators_line:
        call.say("ticket-again", ticket=place.ticket)
    if place.state is RegistrationState.WAITING:
        talk.tell_where(place)
    else:
        talk.tell_status(place)
