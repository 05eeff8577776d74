"""Script of key 2: the state of a registration or report, by the caller's number, else by a keyed-in number.

A caller from the number of a registration hears about it, and may ask to cancel or move it. The number itself
agrees in a call of ours, because caller ID is easily forged. A stranger with the ticket number hears state
and place, nothing personal.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy.orm import Session

from db.engine import reading, writing
from db.states import RegistrationState
from hotline import subjects, tickets
from hotline.errors import Refused
from hotline.line import caller_context, confirmations, registration
from hotline.line.caller_context import Place
from hotline.requests import lifecycle
from hotline.requests.lifecycle import Progress
from ivr import menus
from ivr.call import END, NoInput, Prompt, Slots
from ivr.conversation import Conversation
from ivr.scripts import follow_report

_TRIES = 3
_UNKNOWN = 2
"""Look-ups of numbers in one call: a third would be one transaction too many, and a guess."""
_CANCEL_KEY = "5"  # not beside the menu's key, so that the press is deliberate


def run(talk: Conversation) -> bool:
    """Say the caller's state, and let the owner cancel or change the number."""
    places, reported = talk.context.active, talk.context.reported
    if reported and ((reported.asked and not reported.said_yes) or not places):
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
    looked_up, mistake = 0, ""
    for _ in range(_TRIES):
        keyed = talk.call.ask_digits("follow-up-ask", at_most=tickets.TRACKING.length, mistake=mistake)
        kind = tickets.TRACKING if tickets.is_tracking(keyed) else tickets.TICKET
        try:
            number = tickets.parse(keyed, kind)
            looked_up += 1
            found = _look_up(talk, kind, number)
        except Refused as refused:
            if refused.code == "too-many-guesses":
                talk.call.ask("too-many-guesses", keys=END, tries=1, optional=True)  # or 0
                return
            mistake = "ticket-invalid"
            if looked_up == _UNKNOWN:
                break
            continue
        if isinstance(found, Place):
            talk.tell_status(found)
        else:
            report, own = found
            in_time = looked_up < _UNKNOWN  # a call has no more transactions
            follow_report.tell(talk, report, may_answer=own and in_time)
        return
    talk.call.say_instead(mistake)
    raise NoInput


def _look_up(talk: Conversation, kind: tickets.Kind, number: str) -> Place | tuple[Progress, bool]:
    """Return the place, or the report and whether the caller may answer its question.

    Raises Refused("too-many-guesses"), and the errors of `_find` for an unknown number.
    """
    guess = talk.caller, talk.settings.secret_for("guesses by telephone")
    with talk.call.working(), writing(talk.engine) as session:
        if not caller_context.take_guess(session, *guess):
            raise Refused("too-many-guesses", "this caller has keyed in too many wrong numbers")
        try:
            found = _find(session, talk, kind, number)
        except Refused as refused:
            unknown = refused  # raised after the commit, which keeps the payment
        else:
            caller_context.give_guess_back(session, *guess)
            return found
    raise unknown


def _find(
    session: Session, talk: Conversation, kind: tickets.Kind, number: str
) -> Place | tuple[Progress, bool]:
    if kind is tickets.TICKET:
        return caller_context.place(session, registration.get_by_ticket(session, number))
    request = lifecycle.get_by_tracking(session, number)
    return lifecycle.find_progress(session, request), lifecycle.may_answer(session, request, talk.number)


def _owners(talk: Conversation, places: Sequence[Place]) -> None:
    """Let the owner of these places, the oldest first, go from one to another."""
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
        else:  # only the day tells them apart
            items.append(Prompt("own-place-on", {**slots, "day": place.starts_at, "date": place.starts_at}))
    return places[menus.choose(talk.call, None, items, counted=True)]


def _owners_choices(talk: Conversation, place: Place, *, others: bool) -> bool:
    """Offer the owner's choices for this place. Return whether they want another of their places."""
    more = ["other-ticket", *["other-place"] * others, "follow-up-end"]
    keys = f"1234{'5' * others}{END}"  # each key means the same on both pages
    for _ in range(_TRIES):
        key = talk.call.ask(
            Prompt("choices", {"count": subjects.AT_ONCE}), "follow-up-menu", keys=keys + menus.OTHERS
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
    """Request a call after this one that asks the place's number whether to give the place up."""
    if talk.call.ask("cancel-confirm", keys="123456789#") != _CANCEL_KEY:
        talk.call.say("not-cancelled")
        return
    with _telling_how_it_is(talk, place):
        talk.ask_owner(lambda session: confirmations.ask_cancellation(session, place.registration_id))
        talk.call.say("cancel-call-soon")


def _change_number(talk: Conversation, place: Place) -> None:
    if place.state is RegistrationState.UNCONFIRMED:  # the number itself awaits confirmation
        talk.call.say_instead("status-unconfirmed")
        return
    number = talk.ask_number()
    with _telling_how_it_is(talk, place):
        talk.ask_other_number(place.registration_id, number)


@contextmanager
def _telling_how_it_is(talk: Conversation, place: Place) -> Iterator[None]:
    """Say which rule refuses the block, or the place's present state, and go on after it."""
    try:
        with talk.telling_refusals():
            yield
    except Refused:
        _tell_as_it_is(talk, place)


def _tell_as_it_is(talk: Conversation, place: Place) -> None:
    """Say the place's present state: the line moves while a caller listens."""
    talk.call.drop_keys()
    with talk.call.working(), reading(talk.engine) as session:
        now = caller_context.place(session, registration.get_by_ticket(session, place.ticket))
    talk.tell_status(now)
