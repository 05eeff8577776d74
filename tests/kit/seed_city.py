"""A town in the middle of a working day, so that every page has something to show. No real people."""

import re
from dataclasses import dataclass
from datetime import time, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from db.engine import now, writing
from db.models import (
    BlockReason,
    BreakReason,
    Callback,
    Department,
    Desk,
    Escalation,
    Heartbeat,
    Incoming,
    IncomingCalls,
    Note,
    Official,
    OfficialKind,
    Registration,
    Request,
    Role,
    Round,
    User,
    WaitingCaller,
)
from db.states import CallbackState, Outcome, RegistrationState, RequestState
from hotline import audit, heartbeats
from hotline.callbacks import serving, waiting_callers
from hotline.clock import CITY
from hotline.desks import desk_messages
from hotline.line import blocked
from hotline.people import api_keys
from hotline.people.api_keys import Scope
from hotline.requests import closing, department_work, filing, work
from hotline.requests.referrals import agency_referrals, agency_replies
from hotline.requests.referrals.agency_referrals import Passing
from hotline.rounds import phases, planning
from hotline.timetable import timetable_rules
from ops import sample
from tests.factories import WEEK, a_number, a_quality, a_ticket, a_user, of_department, some_registrations
from tests.kit import seeded_ledger

_ROUTES = Path(__file__).parent.parent.parent / "web" / "src" / "routes.ts"
_OF_DEPARTMENT = "inbox"
_MINUTE = timedelta(minutes=1)
_DAY = timedelta(days=1)
_REACHED_EACH_DAY = (22, 31, 27, 34, 29)
_CALLS_EACH_HOUR = (3, 9, 24, 41, 58, 37, 29, 22, 31, 45, 38, 26)
"""From seven in the morning on."""
_SOUND = (4.4, 4.3, 4.4, 3.8, 4.2, 4.4, 2.7)
"""MOS of one conversation after the other."""
_WRITTEN = ("چراغ کوچه خاموش است", "برای پاسخ به اداره ارجاع شد", "سپاسگزاری کرد")


@dataclass(frozen=True)
class Town:
    """The accounts of the town, and the addresses of the pages of one thing."""

    administrator: str
    paths: list[str]
    """The address of every page behind the sign-in, as web/src/routes.ts lists them."""
    public: list[str]
    """The addresses of the pages for everybody."""
    department: str
    """The account of a department,"""
    inbox: list[str]
    """and the addresses of its own pages."""


def fill(engine: Engine) -> Town:
    """Fill an empty database."""
    with writing(engine) as session:
        sample.fill(session)
        live = session.scalars(select(Round)).one()
        live.starts_at = live.opened_at = now(session) - 90 * _MINUTE
        live.registration_from = live.announce_at = live.starts_at - 6 * 60 * _MINUTE
        some_registrations(session, live, 3, rounds_missed=1)
        waiting = some_registrations(session, live, 24)
        for place, registration in enumerate(waiting):
            registration.subject = place % 9 + 1
        waiting[5].moved_up, waiting[5].moved_reason = 1, "سالمند و تنها"
        administrator = a_user(session, _desk(session, live), "manager")
        administrator.name, administrator.role = "مدیر سامانه", Role.ADMINISTRATOR
        _talks(session, live, some_registrations(session, live, 1)[0], administrator)
        _other_desks(session, live)
        for place in range(13):
            _was_called(session, live, administrator, place, Outcome.REACHED)
        _incoming_calls(session)
        _operators_line(session)
        for process in ("asterisk", "ivr", "dialer", "scheduler"):
            session.merge(Heartbeat(process=heartbeats.find_row(process), at=now(session), fresh_s=3600))
        _past_rounds(session)
        seeded_ledger.tell(session)
        _timetable(session)
        _rounds_to_come(session)
        blocked.block(session, a_number(), BlockReason.NUISANCE)
        _keys(session)
        audit.record(session, "manager", "round-opened", f"round {live.id}")
        ids = {"rounds": live.id, "requests": _requests(session), "citizens": f"registration/{waiting[0].id}"}
        department, worked_on, token = _department(session, int(ids["requests"]))
        public = [f"public/{page}" for page in ("", f"rounds/{live.id}", "how", "number", "fairness")]
        public.append(f"public/passed/{token}")
        inbox = [_OF_DEPARTMENT, f"{_OF_DEPARTMENT}/{worked_on}"]
        return Town(administrator.username, _paths(ids), public, department.username, inbox)


def pages() -> list[str]:
    """The address of every page of the office that shows many things."""
    found = re.findall(r"^  ([a-z-]+): \{", _ROUTES.read_text(), re.MULTILINE)
    return [name for name in found if name != _OF_DEPARTMENT]


def _keys(session: Session) -> None:
    """One in use, one that was never used, one that is revoked."""
    for name, may in (("شهروند همراه", [*Scope]), ("پیشخوان محله", [Scope.REPORT]), ("آزمایش", [Scope.READ])):
        key, secret = api_keys.issue(session, name=name, may=may, per_minute=60, who="manager")
        if Scope.REPORT not in may:
            api_keys.revoke(session, key.prefix, who="manager")
        elif Scope.READ in may:
            api_keys.use_key(session, secret)


def _paths(ids: dict[str, int | str]) -> list[str]:
    entries = pages()
    below = re.findall(r"^  ([a-z-]+): \{.*below:", _ROUTES.read_text(), re.MULTILINE)
    return [*entries, *(f"{name}/{ids[name]}" for name in below if name != _OF_DEPARTMENT)]


def _requests(session: Session) -> int:
    """Requests in several states and districts; returns the id of one with a history."""
    department = session.scalars(select(Department)).first()
    assert department
    today = now(session).astimezone(CITY).date()
    told: dict[str, Any] = {"language": "fa", "week": WEEK, "who": "manager"}
    first, *others = [
        filing.write(
            session,
            number=a_number(),
            category=place % 9 + 1,
            district=place % 15 + 1,
            written="در پیاده‌رو، روبه‌روی مدرسه، چالهٔ بزرگی است که شب‌ها دیده نمی‌شود.",
            **told,
        )
        for place in range(24)
    ]
    for request in (first, *others[::3]):
        work.refer(session, request, department, due_on=today + 2 * _DAY, who="manager")
    others[0].due_at = now(session) - _DAY
    same = filing.write(session, number=first.number, category=1, district=1, written=first.written, **told)
    work.tell(session, first, who="manager", reply="تا پایان هفته ترمیم می‌شود.")
    work.reply(session, others[4], who="manager", reply="ترمیم شد.")
    work.reply(session, same, who="manager", reply="ترمیم شد.")
    closing.answer(session, same.id, solved=False)
    return first.id


def _department(session: Session, late_id: int) -> tuple[User, int, str]:
    """Make a person of the department that has requests. Return the person, the id of a request in work with
    a question, and the token of an agency's link.
    """
    department = session.scalars(select(Department)).first()
    assert department
    clerk = of_department(session, department)
    clerk.name = "کارشناس اداره"
    held = select(Request).where(
        Request.department_id == department.id, Request.state == RequestState.REFERRED
    )
    asked, accepted, late, *_ = session.scalars(held.order_by(Request.id.desc())).all()
    department_work.accept(session, accepted, who=clerk.username)
    department_work.ask(session, asked, who=clerk.username, question="چاله روبه‌روی کدام در مدرسه است؟")
    asked.place, asked.latitude, asked.longitude = "خیابان چهارباغ، روبه‌روی دبستان", 32.65, 51.67
    late.due_at, late.answer_by = now(session) - 3 * _DAY, now(session) - 5 * _DAY
    late.escalated_to, late.denials = Escalation.SUPERVISORS, 1
    session.flush()
    passing = Passing(
        "شرکت آب و فاضلاب", "water@example.org", "لوله از آن‌هاست", "آب از زیر آسفالت بیرون می‌زند."
    )
    _, token = agency_referrals.make(session, asked, passing, user=clerk, days=14)
    agency_replies.record_answer(session, token, "فردا گروه تعمیر می‌آید.")
    return clerk, asked.id, token


def _desk(session: Session, round_: Round) -> Desk:
    desk = Desk(phone="sip", phone_connected=True, round_id=round_.id)
    session.add(desk)
    session.flush()
    return desk


def _talks(session: Session, round_: Round, registration: Registration, user: User) -> None:
    """A conversation at the person's desk."""
    registration.state, registration.subject = RegistrationState.CALLING, 4
    registration.registered_at -= 60 * _MINUTE
    at = now(session)
    session.add(
        Callback(
            registration=registration,
            round_id=round_.id,
            desk_id=user.desk_id,
            user_id=user.id,
            token=f"callback-{registration.id:032}",
            state=CallbackState.TALKING,
            claimed_at=at - 3 * _MINUTE,
            called_at=at - 3 * _MINUTE,
            answered_at=at - 2 * _MINUTE,
            confirmed_at=at - 2 * _MINUTE,
            talking_at=at - 2 * _MINUTE,
        )
    )


def _other_desks(session: Session, live: Round) -> None:
    """One speaks, and has been told something; the person of another still writes."""
    speaks, writes = session.scalars(select(User).where(User.role == Role.OPERATOR).order_by(User.id)).all()[
        :2
    ]
    for desk in (speaks.desk, writes.desk):
        assert desk
        desk.phone_connected, desk.round_id = True, live.id
    _talks(session, live, some_registrations(session, live, 1)[0], speaks)
    assert speaks.desk_id and writes.desk
    desk_messages.send(session, speaks.desk_id, "شش دقیقه گذشت؛ رو به پایان ببرید.", who="manager")
    serving.take_break(session, writes.desk, BreakReason.WRITING)


def _incoming_calls(session: Session) -> None:
    """Count the calls of today's hours so far; in the busiest one the lines were full."""
    seven = now(session).astimezone(CITY).replace(hour=7, minute=0, second=0, microsecond=0)
    for place, calls in enumerate(_CALLS_EACH_HOUR):
        hour = seven + place * 60 * _MINUTE
        if hour < now(session):
            session.add(IncomingCalls(hour=hour, kind=Incoming.ANSWERED, calls=calls))
            if calls == max(_CALLS_EACH_HOUR):
                session.add(IncomingCalls(hour=hour, kind=Incoming.TURNED_AWAY, calls=6))


def _operators_line(session: Session) -> None:
    """Three in it, one of whom waits on the line."""
    first, *_ = some_registrations(session, phases.get_operators_line(session), 3)
    waiting_callers.record_waiting(session, first.id, "1795652838.7")
    session.get_one(WaitingCaller, first.id).since -= 2 * _MINUTE


def _past_rounds(session: Session) -> None:
    """One round on each of the last days, with its conversations one after another."""
    managers = session.scalars(
        select(Official).where(Official.kind == OfficialKind.DISTRICT_MANAGER).order_by(Official.district)
    ).all()
    user = a_user(session, _desk(session, session.scalars(select(Round)).first()))  # type: ignore[arg-type]
    session.get_one(Desk, user.desk_id).round_id = None
    for days, reached in enumerate(_REACHED_EACH_DAY, start=1):
        start = now(session) - days * _DAY - 2 * 60 * _MINUTE
        round_ = Round(
            official=managers[days],
            announce_at=start - 7 * _DAY,
            registration_from=start - _DAY,
            registration_until=start + 60 * _MINUTE,
            starts_at=start,
            ends_at=start + 180 * _MINUTE,
            opened_at=start,
            ended_at=start + 180 * _MINUTE,
        )
        session.add(round_)
        session.flush()
        for place in range(reached + 6):
            _was_called(
                session, round_, user, place, Outcome.REACHED if place < reached else Outcome.NO_ANSWER
            )


def _was_called(session: Session, round_: Round, user: User, place: int, outcome: Outcome) -> None:
    reached, begun = outcome is Outcome.REACHED, round_.starts_at + place * 5 * _MINUTE
    registration = Registration(
        round_id=round_.id,
        number=a_number(),
        ticket=a_ticket(),
        subject=place % 9 + 1,
        state=RegistrationState.REACHED if reached else RegistrationState.UNREACHED,
        registered_at=min(round_.registration_from + place * 20 * _MINUTE, begun - _MINUTE),
        last_outcome=outcome,
    )
    session.add(registration)
    session.flush()
    callback = Callback(
        registration=registration,
        round_id=round_.id,
        desk_id=user.desk_id,
        user_id=user.id,
        token=f"callback-{registration.id:032}",
        state=CallbackState.CLOSED,
        outcome=outcome,
        claimed_at=begun,
        called_at=begun,
        talking_at=begun if reached else None,
        ended_at=begun + 4 * _MINUTE,
    )
    session.add(callback)
    session.flush()
    if reached:
        mos = _SOUND[place % len(_SOUND)]
        session.add(a_quality(callback.id, mos, begun + 4 * _MINUTE))
        written = _WRITTEN[place % len(_WRITTEN)]
        session.add(Note(callback_id=callback.id, user_id=user.id, at=begun + 5 * _MINUTE, written=written))


def _rounds_to_come(session: Session) -> None:
    """Announced, changed, cancelled, and one whose notice comes out tomorrow."""
    deputies = session.scalars(select(Official).where(Official.kind == OfficialKind.DEPUTY)).all()
    for days in (3, 4, 5, 6):
        start = now(session) + days * _DAY
        made = planning.make(
            session,
            official=deputies[days % len(deputies)],
            announce_at=start - 5 * _DAY if days == 6 else None,
            registration_from=start - _DAY,
            registration_until=start + 60 * _MINUTE,
            starts_at=start,
            ends_at=start + 180 * _MINUTE,
            who="manager",
        )
        if days == 4:
            later = {"starts_at": start + 30 * _MINUTE, "ends_at": start + 210 * _MINUTE}
            planning.change(session, made, who="manager", reason="جلسهٔ شورای شهر", **later)
        if days == 5:
            planning.cancel(session, made, who="manager", reason="سفر استانی")


def _timetable(session: Session) -> None:
    managers = session.scalars(select(Official).where(Official.kind == OfficialKind.DISTRICT_MANAGER)).all()
    timetable_rules.add(
        session,
        name="مدیران مناطق",
        rrule="FREQ=WEEKLY;BYDAY=WE",
        starts_on=now(session).date(),
        starts_at=time(9),
        ends_at=time(12),
        officials=managers,
    )
