"""Where somebody is in danger: an operator, before all others, or the number of the emergency service.

The sign is a 0 where key 3 asks what it is about: no category has it, so nobody says so by a key typed ahead,
and whoever is in haste need not wait for a question of its own. They have a place in the operators' line like
with key 0, moved up before all who wait there; the ledger says why. No phone is dialled from a call that came
in (docs/on-the-line.md).
"""

from contextlib import suppress

from sqlalchemy.orm import Session

from db.engine import reading
from db.models import Registration
from dialplan.variables import Variable
from hotline import audit
from hotline.callbacks import live_desks, on_the_line
from hotline.callbacks.on_the_line import Outlook
from hotline.errors import Refused
from hotline.line import line
from hotline.line.registration import Registered
from hotline.words import PUBLIC
from ivr.conversation import Conversation
from ivr.scripts import operator


def can_be_helped(talk: Conversation) -> bool:
    """Whether there is anybody to help whoever is in danger; else nobody is asked."""
    return bool(talk.settings.urgent_number) or _somebody_is_there(talk, leads=True)


def run(talk: Conversation) -> bool:
    """Whether the caller stays on the line, for an operator."""
    talk.call.leads_to_operator = False
    if talk.number and _somebody_is_there(talk):
        with suppress(Refused):
            return _stays(talk, *talk.commit(lambda session: _first(talk, session)))
    if not talk.settings.urgent_number:
        return operator.run(talk)
    _tell_number(talk)
    return False


def _somebody_is_there(talk: Conversation, *, leads: bool = False) -> bool:
    with talk.call.working(leads=leads), reading(talk.engine) as session:
        return live_desks.somebody_takes_them(session)


def _first(talk: Conversation, session: Session) -> tuple[Registered, Outlook]:
    registered = talk.place(session, None)
    place = session.get_one(Registration, registered.registration_id)
    if not place.moved_up:
        with suppress(Refused):  # a desk has it in hand already
            line.move_up(session, place, who=audit.CITIZEN, reason=PUBLIC.text("fa", "ledger", "in-danger"))
    return registered, on_the_line.outlook(session, registered.registration_id)


def _stays(talk: Conversation, registered: Registered, outlook: Outlook) -> bool:
    talk.added = None
    if outlook.free:
        talk.call.say("operator-now")
    else:
        talk.call.say("urgent-first")
        if talk.settings.urgent_number:
            talk.call.say("urgent-or-number", number=talk.settings.urgent_number)
    talk.call.set(Variable.STAYS, str(registered.registration_id))
    return True


def _tell_number(talk: Conversation) -> None:
    for _ in range(2):
        talk.call.say("urgent-number", number=talk.settings.urgent_number)
