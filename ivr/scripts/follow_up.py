"""Key 2: where do I stand, and what became of my report? By the caller's own number first, else by the ticket
number or the tracking number.

Only who calls from the number of a registration may change it; a stranger with the ticket number hears
status and place, nothing personal.
"""

from db.engine import reading, writing
from db.states import RegistrationState
from hotline import intake, numbers, registration, requests, tickets
from hotline.errors import Refused
from hotline.intake import Place
from hotline.requests import Standing
from ivr.call import END, Gone
from ivr.conversation import Conversation, explains
from ivr.scripts import follow_report

_TRIES = 3
_UNKNOWN = 2
"""So many numbers are looked up: a third would be one transaction too many for a call, and a guess."""
_CANCEL_KEY = "5"  # not a key that stands beside the menu's own: a second thought is meant


def run(talk: Conversation) -> bool:
    """Say where the caller stands, and let the owner cancel or change the number."""
    active, reported = talk.intake.active, talk.intake.reported
    if reported and (reported.asked or not active):
        talk.call.say("request-own")
        if follow_report.tell(talk, reported):
            if active:
                talk.tell_status(active[0])
            return True
    if active:
        place = active[0]
        talk.call.say("active-registration", office=place.clip)
        talk.tell_status(place)
        return _owners_choices(talk, place)
    if not reported or talk.call.ask("request-menu", keys=f"1{END}") == "1":
        _by_number(talk)
    return True


def _by_number(talk: Conversation) -> None:
    unknown = 0
    for _ in range(_TRIES):
        keyed = talk.call.ask_digits("follow-up-ask", at_most=requests.LENGTH)
        of_report = len(keyed) == requests.LENGTH
        try:
            number = tickets.parse(keyed, requests.LENGTH if of_report else tickets.LENGTH)
            unknown += 1
            with reading(talk.engine) as session:
                if of_report:
                    request = requests.find(session, number)
                    own = request.number in (None, talk.number)
                    found: Place | Standing = requests.standing(session, request)
                else:
                    found = intake.place(session, registration.find(session, number))
        except Refused:
            talk.call.say("ticket-invalid")
            if unknown == _UNKNOWN:
                break
            continue
        if isinstance(found, Standing):
            in_time = unknown < _UNKNOWN  # else it would be one transaction too many
            follow_report.tell(talk, found, may_answer=own and in_time)
        else:
            talk.tell_status(found)
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
                _by_number(talk)
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
