"""Key 2: where do I stand? By the caller's own number first, else by ticket number.

Only who calls from the number of a registration may change it; a stranger with the ticket number hears
status and place, nothing personal.
"""

from db.engine import reading, writing
from db.states import RegistrationState
from hotline import intake, numbers, registration, tickets
from hotline.errors import Refused
from hotline.intake import Place
from ivr.call import END, Gone
from ivr.conversation import Conversation, explains

_TRIES = 3
_UNKNOWN = 2
"""So many numbers are looked up: a third would be one transaction too many for a call, and a guess."""
_CANCEL_KEY = "5"  # not a key that stands beside the menu's own: a second thought is meant


def run(talk: Conversation) -> bool:
    """Say where the caller stands, and let the owner cancel or change the number."""
    active = talk.intake.active
    if active:
        place = active[0]
        talk.call.say("active-registration", office=place.clip)
        talk.tell_status(place)
        return _owners_choices(talk, place)
    _by_ticket(talk)
    return True


def _by_ticket(talk: Conversation) -> None:
    unknown = 0
    for _ in range(_TRIES):
        keyed = talk.call.ask_digits("follow-up-ask", at_most=tickets.LENGTH)
        try:
            ticket = tickets.parse(keyed)
            unknown += 1
            with reading(talk.engine) as session:
                place = intake.place(session, registration.find(session, ticket))
        except Refused:
            talk.call.say("ticket-invalid")
            if unknown == _UNKNOWN:
                break
            continue
        talk.tell_status(place)
        return
    raise Gone


def _as_it_is(talk: Conversation, place: Place) -> Place:
    """The place again: the line moves while a caller listens."""
    with reading(talk.engine) as session:
        return intake.place(session, registration.find(session, place.ticket))


def _owners_choices(talk: Conversation, place: Place) -> bool:
    for _ in range(_TRIES):
        match talk.call.ask("follow-up-menu", "other-ticket", keys=f"1234{END}"):
            case "1":
                talk.call.say("ticket-is", ticket=place.ticket)
                talk.tell_status(place)
            case "2":
                _cancel(talk, place)
                return True
            case "3":
                _change_number(talk, place)
                return True
            case "4":
                _by_ticket(talk)
                return True
            case _:
                return True
    return True


def _cancel(talk: Conversation, place: Place) -> None:
    if talk.call.ask("cancel-confirm", keys="123456789#") != _CANCEL_KEY:
        talk.call.say("not-cancelled")
        return
    try:
        with writing(talk.engine) as session:
            registration.cancel(session, place.registration_id)
    except Refused:
        talk.tell_status(_as_it_is(talk, place))
        return
    talk.call.say("cancelled-now")


def _change_number(talk: Conversation, place: Place) -> None:
    if place.state is RegistrationState.UNCONFIRMED:  # that number is yet to be confirmed
        talk.call.say("status-unconfirmed")
        return
    number = talk.ask_number()
    try:
        with writing(talk.engine) as session:
            registration.change_number(session, place.registration_id, number)
    except Refused as refused:
        prompt = explains(refused)
        if prompt:
            talk.call.say(prompt)
        else:
            talk.tell_status(_as_it_is(talk, place))
        return
    talk.call.say("change-number-done", number=numbers.national(number))
