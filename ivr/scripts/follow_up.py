"""Key 2: where do I stand, and what became of my report? By the caller's own number first, else by the ticket
number or the tracking number.

A caller from the number of a registration hears of it, and may ask to give it up or to move it; the number
itself agrees in a call of ours, since a caller ID is easily forged. A stranger with the ticket number hears
status and place, nothing personal.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from db.engine import reading
from db.states import RegistrationState
from hotline import tickets
from hotline.errors import Refused
from hotline.line import caller_context, confirmations, registration
from hotline.line.caller_context import Place
from hotline.requests import requests
from hotline.requests.requests import Progress
from ivr import menus
from ivr.call import END, NoInput, Prompt, Slots
from ivr.conversation import Conversation
from ivr.scripts import follow_report

_TRIES = 3
_UNKNOWN = 2
"""So many numbers are looked up: a third would be one transaction too many for a call, and a guess."""
_CANCEL_KEY = "5"  # not a key that stands beside the menu's own: a second thought is meant


def run(talk: Conversation) -> bool:
    """Say where the caller stands, and let the owner cancel or change the number."""
    places, reported = talk.context.active, talk.context.reported
    if reported and (reported.asked or not places):
        talk.call.say("request-own")
        if follow_report.tell(talk, reported):
            for place in places:
                _tell(talk, place)
            return True
    if places:
        _owners(talk, places)
    elif not reported or talk.call.ask("request-menu", keys=f"1{END}") == "1":
        _by_number(talk)
    return True


def _tell(talk: Conversation, place: Place) -> None:
    talk.call.say("active-registration", office=place.clip)
    talk.tell_status(place)


def _by_number(talk: Conversation) -> None:
    unknown, mistake = 0, ""
    for _ in range(_TRIES):
        keyed = talk.call.ask_digits("follow-up-ask", at_most=tickets.TRACKING.length, mistake=mistake)
        of_report = tickets.is_tracking(keyed)
        try:
            number = tickets.parse(keyed, tickets.TRACKING if of_report else tickets.TICKET)
            unknown += 1
            with talk.call.working(), reading(talk.engine) as session:
                if of_report:
                    request = requests.get_by_tracking(session, number)
                    own = requests.may_answer(session, request, talk.number)
                    found: Place | Progress = requests.progress(session, request)
                else:
                    found = caller_context.place(session, registration.get_by_ticket(session, number))
        except Refused:
            mistake = "ticket-invalid"
            if unknown == _UNKNOWN:
                break
            continue
        if isinstance(found, Progress):
            in_time = unknown < _UNKNOWN  # else it would be one transaction too many
            follow_report.tell(talk, found, may_answer=own and in_time)
        else:
            talk.tell_status(found)
        return
    talk.call.say_instead(mistake)
    raise NoInput


def _owners(talk: Conversation, places: Sequence[Place]) -> None:
    """The owner of these places, the oldest first, goes from one to another."""
    if len(places) > 1:
        talk.call.say("own-places", count=len(places))
    for _ in range(_TRIES):
        place = places[0] if len(places) == 1 else _one_of(talk, places)
        _tell(talk, place)
        if not _owners_choices(talk, place, others=len(places) > 1):
            return


def _one_of(talk: Conversation, places: Sequence[Place]) -> Place:
    offices = [place.clip for place in places]
    items = []
    for place in places:
        slots: Slots = {"office": place.clip}
        if offices.count(place.clip) == 1:
            items.append(Prompt("own-place", slots))
        else:  # which of them only its day tells
            items.append(Prompt("own-place-on", {**slots, "day": place.starts_at, "date": place.starts_at}))
    return places[menus.one_of(talk.call, None, items, counted=True)]


def _owners_choices(talk: Conversation, place: Place, *, others: bool) -> bool:
    """What the owner does with this place; returns whether they want to go to another of theirs."""
    more = ["other-ticket", *["other-place"] * others, "follow-up-end"]
    keys = f"1234{'5' * others}{END}"  # each is the same on both pages
    for _ in range(_TRIES):
        key = talk.call.ask(
            Prompt("choices", {"count": menus.AT_ONCE}), "follow-up-menu", keys=keys + menus.OTHERS
        )
        if key == menus.OTHERS:
            key = menus.ask(talk.call, None, more, keys=keys)
        match key:
            case "1":
                talk.call.say("ticket-is", ticket=place.ticket)
                talk.tell_status(place)
                continue
            case "2":
                _cancel(talk, place)
            case "3":
                _change_number(talk, place)
            case "4":
                _by_number(talk)
            case "5":
                return True
        return False
    return False


def _cancel(talk: Conversation, place: Place) -> None:
    """Ask the place's number, by a call after this one, whether it gives the place up."""
    if talk.call.ask("cancel-confirm", keys="123456789#") != _CANCEL_KEY:
        talk.call.say("not-cancelled")
        return
    with _telling_how_it_is(talk, place):
        talk.ask_owner(lambda session: confirmations.ask_cancellation(session, place.registration_id))
        talk.call.say("cancel-call-soon")


def _change_number(talk: Conversation, place: Place) -> None:
    if place.state is RegistrationState.UNCONFIRMED:  # that number is yet to be confirmed
        talk.call.say_instead("status-unconfirmed")
        return
    number = talk.ask_number()
    with _telling_how_it_is(talk, place):
        talk.ask_other_number(place.registration_id, number)


@contextmanager
def _telling_how_it_is(talk: Conversation, place: Place) -> Iterator[None]:
    """Say which rule refuses what is done within, or how the place stands now, and go on after it."""
    try:
        with talk.telling_refusals():
            yield
    except Refused:
        _tell_as_it_is(talk, place)


def _tell_as_it_is(talk: Conversation, place: Place) -> None:
    """Say how the place stands now: the line moves while a caller listens."""
    talk.call.drop_keys()
    with talk.call.working(), reading(talk.engine) as session:
        now = caller_context.place(session, registration.get_by_ticket(session, place.ticket))
    talk.tell_status(now)
