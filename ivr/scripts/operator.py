"""Script of key 0: an operator now if one is free; else a wait on the line or a callback."""

from contextlib import suppress
from functools import partial

from sqlalchemy.orm import Session

from dialplan.variables import Variable
from hotline.callbacks import operators_line_node, waiting_callers
from hotline.callbacks.operators_line_node import Side
from hotline.callbacks.waiting_callers import Outlook
from hotline.errors import Refused
from hotline.line import silent_callers
from hotline.line.registration import Registered
from ivr.call import OPERATOR, NoInput, NoKey, Prompt
from ivr.conversation import Conversation, count_before_you, describe_wait

_STAY, _CALL_ME = "1", "2"
_CHOICES = _STAY + _CALL_ME + OPERATOR
_AGAIN = 3
"""Repetitions of the choice after another 0: the caller already has what 0 leads to."""


def run(talk: Conversation) -> bool:
    """Register the caller in the operators' line, before anything else.

    Return whether they stay on the line.
    """
    talk.call.leads_to_operator = False  # it has led there
    if talk.number is None:
        _ask_owner(talk, talk.ask_number())
        return False
    with talk.telling_refusals():
        registered, outlook, here = talk.commit(partial(_join, talk))
        talk.added = None
        return _stays(talk, registered, outlook, here=here)
    return False


def run_for_silent(talk: Conversation) -> bool | None:
    """Do the same for a caller who presses no key; only a withheld number is asked for, once.

    Return None if this number had its place of the day (`silent_callers.has_turn`) and waits no more.
    Return None without a number, too.
    """
    call, number = talk.call, talk.number
    if number is None:
        return _silent_without_number(talk)
    call.leads_to_operator = False
    waits = any(place.in_operators_line for place in talk.context.active)

    def join(session: Session) -> tuple[Registered, Outlook, bool] | None:
        line = operators_line_node.hold(session, talk.settings.node)
        may = silent_callers.has_turn(session, number) or waits
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
    if talk.was_asked_number:  # they keyed in none, or have a place already
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

    A caller who waits on the line has a place, which is called at its number after a hang-up. So no caller
    without a number waits on the line (decision 11).
    """
    with talk.telling_refusals():
        talk.register_other(None, number)


def _join(talk: Conversation, session: Session, line: Side | None = None) -> tuple[Registered, Outlook, bool]:
    """Return the place, its forecast, and whether the operators' line is or comes here."""
    line = line or operators_line_node.hold(session, talk.settings.node)  # lock order: before any row
    registered = talk.place(session, None)
    outlook = waiting_callers.forecast_for(session, registered.registration_id)  # for the desks' present node
    if line is Side.COMES:
        operators_line_node.follow(session, talk.settings.node)
    return registered, outlook, line is not Side.ELSEWHERE


def _stays(talk: Conversation, registered: Registered, outlook: Outlook, *, here: bool) -> bool:
    """Return whether the caller, who has a place, stays on the line; after a silence they are called back.

    The caller is called back, too, if the operators' line is not `here` but on another node.
    """
    call, ticket = talk.call, registered.ticket
    if not here:
        call.tell("operator-registered", ticket=ticket)
        return False
    if outlook.free:
        call.say("operator-now")
    else:
        for _ in range(_AGAIN):
            key = call.ask(
                "operator-busy", *describe_outlook(outlook), "operator-choice", keys=_CHOICES, optional=True
            )
            if key != OPERATOR:
                break
        if key != _STAY:
            call.tell("operator-registered", ticket=ticket)
            if key == _CALL_ME:
                _other_number(talk, registered.registration_id)
            return False
    call.set(Variable.STAYS, str(registered.registration_id))
    return True


def describe_outlook(outlook: Outlook) -> list[Prompt]:
    """Return the prompts about the wait: the number ahead, and the estimated minutes if known."""
    return [
        count_before_you(outlook.before_me),
        *([describe_wait(outlook.minutes)] if outlook.minutes else []),
    ]


def _other_number(talk: Conversation, registration_id: int) -> None:
    """Offer another number for the call, once its owner has agreed; until then the place keeps this one."""
    if talk.call.ask("operator-other-number", keys="1", optional=True):
        try:
            number = talk.ask_number()
        except NoKey:  # this number is called
            return
        # a refusal: a desk has just taken the place, and calls this number
        with suppress(Refused), talk.telling_refusals():
            talk.ask_other_number(registration_id, number)
