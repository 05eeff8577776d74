"""Key 0: a person, now if there is one; else the caller stays on the line or is called back, in one order."""

from contextlib import suppress
from functools import partial

from sqlalchemy.orm import Session

from dialplan.variables import Variable
from hotline.callbacks import line_home, on_the_line
from hotline.callbacks.line_home import Side
from hotline.callbacks.on_the_line import Outlook
from hotline.errors import Refused
from hotline.line import silences
from hotline.line.registration import Registered
from ivr.call import OPERATOR, NoInput, NoKey, Prompt
from ivr.conversation import Conversation, about, before_you

_STAY, _CALL_ME = "1", "2"
_CHOICES = _STAY + _CALL_ME + OPERATOR
_AGAIN = 3
"""So often the choice is put to whoever presses 0 once more: that is no mistake, they want what they have."""


def run(talk: Conversation) -> bool:
    """Put the caller into the operators' line, once, before anything else; whether they stay on the line."""
    talk.call.leads_to_operator = False  # it has
    if talk.number is None:
        _ask_owner(talk, talk.ask_number())
        return False
    with talk.telling_refusals():
        registered, outlook, here = talk.commit(partial(_join, talk))
        talk.added = None
        return _stays(talk, registered, outlook, here=here)
    return False


def run_for_silent(talk: Conversation) -> bool | None:
    """Do the same for a caller who presses no key, and ask only for a number that is withheld, once.

    None: this number had its place of the day (`silences.has_turn`), and waits in the line no more; or no
    number was keyed in.
    """
    call, number = talk.call, talk.number
    if number is None:
        return _silent_without_number(talk)
    call.leads_to_operator = False
    waits = any(place.in_operators_line for place in talk.context.active)

    def join(session: Session) -> tuple[Registered, Outlook, bool] | None:
        line = line_home.hold(session, talk.settings.node)
        may = silences.has_turn(session, number) or waits
        return _join(talk, session, line) if may else None

    with talk.telling_refusals():
        joined = talk.commit(join)
        talk.added = None
        if joined is None:
            return None
        registered, outlook, here = joined
        if here and outlook.free:
            return _stays(talk, registered, outlook, here=True)
        if here:
            call.say("operator-busy")
        call.tell("operator-registered", ticket=registered.ticket)
        call.say("ticket-again", ticket=registered.ticket)
    return False


def _silent_without_number(talk: Conversation) -> bool | None:
    if talk.was_asked_number:  # they keyed none in, or have a place by it
        return None
    talk.call.leads_to_operator = False
    try:
        number = talk.ask_number(silent=True)
    except NoInput:
        return None
    _ask_owner(talk, number)
    return False


def _ask_owner(talk: Conversation, number: str) -> None:
    """Ask the owner of the keyed-in number whether an operator is to call there.

    Whoever waits on the line has a place, and a place is called at its number if its caller hangs up: so no
    caller without a number waits there (decision 11).
    """
    with talk.telling_refusals():
        talk.register_other(None, number)


def _join(talk: Conversation, session: Session, line: Side | None = None) -> tuple[Registered, Outlook, bool]:
    """Return the place, what its caller may be told, and whether the operators' desks are or come here."""
    line = line or line_home.hold(session, talk.settings.node)  # before any row
    registered = talk.place(session, None)
    outlook = on_the_line.outlook(session, registered.registration_id)  # as where the desks are now
    if line is Side.COMES:
        line_home.follow(session, talk.settings.node)
    return registered, outlook, line is not Side.ELSEWHERE


def _stays(talk: Conversation, registered: Registered, outlook: Outlook, *, here: bool) -> bool:
    """Whether the caller, who has a place, stays on the line; who says nothing is called back.

    So is whose call is not `here`, where the operators' desks are or come, but on another node.
    """
    call, ticket = talk.call, registered.ticket
    if not here:
        call.tell("operator-registered", ticket=ticket)
        return False
    if outlook.free:
        call.say("operator-now")
    else:
        for _ in range(_AGAIN):
            key = call.ask("operator-busy", *told(outlook), "operator-choice", keys=_CHOICES, optional=True)
            if key != OPERATOR:
                break
        if key != _STAY:
            call.tell("operator-registered", ticket=ticket)
            if key == _CALL_ME:
                _other_number(talk, registered.registration_id)
            return False
    call.set(Variable.STAYS, str(registered.registration_id))
    return True


def told(outlook: Outlook) -> list[Prompt]:
    """What a caller hears of the wait: who stands before, and about how long, if anybody can say."""
    return [before_you(outlook.before_me), *([about(outlook.minutes)] if outlook.minutes else [])]


def _other_number(talk: Conversation, registration_id: int) -> None:
    """Another number may be called instead, once its owner has agreed; until then the place stays here."""
    if talk.call.ask("operator-other-number", keys="1", optional=True):
        try:
            number = talk.ask_number()
        except NoKey:  # they are called here
            return
        with (
            suppress(Refused),
            talk.telling_refusals(),
        ):  # a desk has just taken it: they call here
            talk.ask_other_number(registration_id, number)
