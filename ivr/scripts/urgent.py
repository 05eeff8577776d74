"""Script for a danger: an operator, before all others, or the emergency service.

The sign is a 0 where key 3 asks for the category. No category has this key, so nobody reports a danger by a
key typed ahead. A caller in haste need not wait for a question of its own. The caller gets a place in the
operators' line as with key 0, moved up before all others. The ledger has the reason. If no desk takes the
caller soon, the call goes on with `rescue` (docs/on-the-line.md).
"""

from contextlib import suppress

from sqlalchemy.orm import Session

from db import events
from db.engine import reading
from db.models import Registration
from dialplan.variables import Variable
from hotline import audit
from hotline.callbacks import direct_routing, waiting_callers
from hotline.callbacks.waiting_callers import Outlook
from hotline.errors import Refused
from hotline.line import order
from hotline.line.registration import Registered
from hotline.requests import urgent as urgent_matters
from hotline.words import PUBLIC
from ivr.conversation import Conversation
from ivr.scripts import operator


def can_be_helped(talk: Conversation) -> bool:
    """Return whether anybody can help a caller in danger; otherwise nobody is asked."""
    return bool(talk.settings.urgent_number) or _is_anybody_there(talk, leads=True)


def run(talk: Conversation) -> bool:
    """Return whether the caller stays on the line, for an operator or the emergency service."""
    talk.call.leads_to_operator = False
    if talk.number and _is_anybody_there(talk):
        with suppress(Refused):
            return _stays(talk, *talk.commit(lambda session: _first(talk, session)))
    matter = talk.commit(lambda session: _keep(talk, session))
    return _goes_on(talk, matter) if talk.settings.urgent_number else operator.run(talk)


def _goes_on(talk: Conversation, matter: int) -> bool:
    talk.call.set(Variable.RESCUE, f"{matter}-{talk.call.language}")
    return True


def _is_anybody_there(talk: Conversation, *, leads: bool = False) -> bool:
    with talk.call.working(leads=leads), reading(talk.engine) as session:
        here = waiting_callers.is_here(session, talk.settings.node)
        return here and direct_routing.is_any_at_work(session)


def _first(talk: Conversation, session: Session) -> tuple[Registered, Outlook, int]:
    urgent_matters.record_from_caller(session, talk.number)  # lock order: this row before the line's facts
    registered = talk.place(session, None)
    place = session.get_one(Registration, registered.registration_id)
    if not place.moved_up:
        with suppress(Refused):  # a desk has the place in hand already
            order.move_up(session, place, who=audit.CITIZEN, reason=PUBLIC.text("fa", "ledger", "in-danger"))
    outlook = waiting_callers.forecast_for(session, registered.registration_id)
    return registered, outlook, _keep(talk, session, place.id, tell=not outlook.free)


def _keep(talk: Conversation, session: Session, place: int | None = None, *, tell: bool = True) -> int:
    """Record the urgent matter; with `tell` all desks see it until somebody has talked with the caller."""
    matter = urgent_matters.record_from_caller(session, talk.number, place).id
    if tell:
        events.append_urgent(session, "new")
    return matter


def _stays(talk: Conversation, registered: Registered, outlook: Outlook, matter: int) -> bool:
    talk.added, goes_on = None, f"-{matter}" if talk.settings.urgent_number else ""
    if goes_on and not outlook.free:
        return _goes_on(talk, matter)
    talk.call.say("operator-now" if outlook.free else "urgent-first")
    talk.call.set(Variable.STAYS, f"{registered.registration_id}{goes_on}")
    return True
