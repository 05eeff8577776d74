"""Urgent matters: a desk calls the citizen of a matter that it has taken, before all others.

The call is in the operators' line, with an ordinary place: the ledger names the citizens who are passed.
"""

from sqlalchemy.orm import Session

from db import events
from db.models import Callback, Desk, UrgentMatter, User
from hotline.callbacks import breaks, claims, transitions
from hotline.errors import Refused
from hotline.line import busy_numbers, registration
from hotline.requests import urgent
from hotline.rounds import phases
from hotline.trunk import call_caps
from settings import Settings


def call_now(session: Session, matter: UrgentMatter, user: User, settings: Settings) -> Callback:
    """Call the citizen for this person's desk, or connect them if they wait on the line.

    Raises Refused("urgent-taken" | "number-missing" | "desk-phone-away" | "desk-hears" |
    "desk-phone-elsewhere" | "desk-busy" | "engaged" | "wrong-state" | "line-down" | "calls-capped"). Also
    raises Blocked and the errors of `registration.register`.
    """
    number = urgent.find_number(matter)
    if matter.taken_by != user.username:
        raise Refused("urgent-taken", "only for who has taken it")
    if not number:
        raise Refused("number-missing", "nobody knows the number")
    desk = session.get_one(Desk, user.desk_id)
    operators_line = phases.get_operators_line(session)
    transitions.hold(session, desk)
    events.hold_line(session, operators_line.id)
    transitions.check_phone(desk)
    transitions.check_same_node(session, desk, operators_line.id)
    if transitions.find_live_at_desk(session, desk.id) or transitions.find_screened_at_desk(session, desk.id):
        raise Refused("desk-busy", "the desk has a citizen in hand")
    language = matter.request.language if matter.request else "fa"
    placed = registration.register(
        session, round_id=operators_line.id, number=number, language=language, tell=False
    )
    if not busy_numbers.is_caller_waiting(session, placed.registration_id):
        call_caps.check_capacity(session, settings)
    breaks.end(session, desk)
    place = registration.get_by_ticket(session, placed.ticket)
    taken = claims.call_this(session, place, desk_id=desk.id, user_id=user.id)
    if taken is None:
        raise Refused("wrong-state", "another desk has them in hand, or their wait is not over")
    return taken
