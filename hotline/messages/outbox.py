"""The outbox: messages to citizens, written in the transaction that they report.

It stores only facts; the scheduler's sender makes the text, in the registration's language.
`hotline.messages.delivery` sends.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, String, cast, func, insert, literal, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import InstrumentedAttribute, Session

from db.engine import now
from db.models import (
    CitizenCode,
    Follower,
    OutboxKind,
    OutboxMessage,
    Registration,
    Request,
    Round,
    RoundAlert,
    UrgentMatter,
)

MOBILE = "+989"
"""Prefix of the numbers that text messages reach."""

_INSERT = {
    name: insert(OutboxMessage).on_conflict_do_nothing(index_elements=["key"])
    for name, insert in (("postgresql", postgresql.insert), ("sqlite", sqlite.insert))
}
_ANEW = insert(OutboxMessage)
LONGEST_REPLY = 110
"""Maximum characters of the city's reply in a text message; the page of the tracking number has all of it."""
ANSWER_KEY = "answer-"
TYPED_IN = timedelta(minutes=1)
"""The minimum time to read and type a code."""
USEFUL = timedelta(days=1)
"""How long text messages wait for a provider if there is none."""


def tell(
    session: Session,
    kind: OutboxKind,
    registration: Registration,
    *,
    about_round: int,
    not_before: datetime | None = None,
    expires_at: datetime | None = None,
    **facts: Any,
) -> None:
    """Queue one message of `kind` about that round. Land lines get none; `facts` are for the text."""
    tell_all(
        session,
        kind,
        [registration],
        about_round=about_round,
        not_before=not_before,
        expires_at=expires_at,
        **facts,
    )


def tell_all(
    session: Session,
    kind: OutboxKind,
    registrations: Sequence[Registration],
    *,
    about_round: int,
    nth: int | None = None,
    not_before: datetime | None = None,
    expires_at: datetime | None = None,
    **facts: Any,
) -> None:
    """Queue one message for each of these citizens; `nth` distinguishes repeated events of a round."""
    at = now(session)
    rows = [
        {
            "key": _key(kind, registration, about_round) + ("" if nth is None else f"-{nth}"),
            "kind": kind,
            "registration_id": registration.id,
            "round_id": about_round,
            "to": registration.number,
            "body": json.dumps({"ticket": registration.ticket, **facts}, ensure_ascii=False),
            "made_at": at,
            "not_before": not_before or at,
            "expires_at": expires_at,
        }
        for registration in registrations
        if registration.number.startswith(MOBILE)
    ]
    if rows:
        session.execute(_INSERT[session.get_bind().dialect.name], rows)


def tell_old_number(session: Session, registration: Registration, old: str) -> None:
    """Tell `old` that this place is no longer called there. Land lines get no message."""
    if not old.startswith(MOBILE):
        return
    at = now(session)
    session.add(
        OutboxMessage(
            key=f"{OutboxKind.NUMBER_CHANGED}-{registration.id}-{int(at.timestamp() * 1e6)}",
            kind=OutboxKind.NUMBER_CHANGED,
            registration_id=registration.id,
            round_id=registration.round_id,
            to=old,
            body=json.dumps({"ticket": registration.ticket}),
            made_at=at,
            not_before=at,
        )
    )


def tell_of_round(session: Session, wish: RoundAlert, round_: Round) -> None:
    """Queue the round's announcement for a citizen's wish; it expires when registration ends."""
    at = now(session)
    row = {
        "key": f"{OutboxKind.ROUND_ANNOUNCED}-{round_.id}-{wish.number}",
        "kind": OutboxKind.ROUND_ANNOUNCED,
        "round_id": round_.id,
        "to": wish.number,
        "body": json.dumps({"language": wish.language}),
        "made_at": at,
        "not_before": at,
        "expires_at": round_.registration_until,
    }
    session.execute(_INSERT[session.get_bind().dialect.name], [row])


def make_round_key(
    round_id: InstrumentedAttribute[int], number: InstrumentedAttribute[str]
) -> ColumnElement[str]:
    """Return the key, in SQL, of a number's message about a round."""
    return literal(f"{OutboxKind.ROUND_ANNOUNCED}-") + cast(round_id, String) + "-" + number


def tell_of_request(session: Session, kind: OutboxKind, request: Request, reply: str = "") -> None:
    """Tell the citizen of a request of `kind`, with the office's `reply`. Land lines get no message."""
    if request.number is None or not request.number.startswith(MOBILE):
        return
    at = now(session)
    row = {
        "key": f"{kind}-{request.id}-{int(at.timestamp() * 1e6)}",  # each event has its own key
        "kind": kind,
        "request_id": request.id,
        "to": request.number,
        "body": json.dumps({"tracking": request.tracking, "reply": reply}, ensure_ascii=False),
        "made_at": at,
        "not_before": at,
    }
    session.execute(_ANEW, row)


def tell_followers(
    session: Session, kind: OutboxKind, request: Request, followers: Sequence[Follower], reply: str
) -> None:
    """Queue a message for each of these followers of a request. Land lines get none."""
    at = now(session)
    facts = {"tracking": request.tracking, "reply": reply}
    session.add_all(
        OutboxMessage(
            key=f"{kind}-{request.id}-{follower.id}-{int(at.timestamp() * 1e6)}",
            kind=kind,
            request_id=request.id,
            to=follower.number,
            body=json.dumps(facts | {"language": follower.language}, ensure_ascii=False),
            made_at=at,
            not_before=at,
        )
        for follower in followers
        if follower.number.startswith(MOBILE)
    )


def tell_department(
    session: Session, kind: OutboxKind, request: Request, number: str | None, key: str
) -> None:
    """Queue one message about a request to its department's E.164 `number`. Land lines get none."""
    if number is None or not number.startswith(MOBILE):
        return
    at = now(session)
    row = {
        "key": key,
        "kind": kind,
        "request_id": request.id,
        "to": number,
        "body": json.dumps({"due_at": request.due_at and request.due_at.isoformat()}),
        "made_at": at,
        "not_before": at,
    }
    session.execute(_INSERT[session.get_bind().dialect.name], [row])


def tell_supervisor(session: Session, number: str, key: str, matter: UrgentMatter) -> None:
    """Queue one message about an unhandled urgent matter to a supervisor's E.164 `number`.

    Land lines get none.
    """
    if not number.startswith(MOBILE):
        return
    at = now(session)
    row = {
        "key": key,
        "kind": OutboxKind.URGENT,
        "request_id": matter.request_id,
        "to": number,
        "body": json.dumps({"urgent": matter.id}),
        "made_at": at,
        "not_before": at,
        "expires_at": at + USEFUL,
    }
    session.execute(_INSERT[session.get_bind().dialect.name], [row])


def answer(session: Session, key: str, to: str, facts: Mapping[str, Any]) -> None:
    """Queue an answer to the E.164 number `to`, which has sent a text message; `facts` are for the text."""
    at = now(session)
    session.add(
        OutboxMessage(
            key=key,
            kind=OutboxKind.ANSWER,
            to=to,
            body=json.dumps(facts, ensure_ascii=False),
            made_at=at,
            not_before=at,
            expires_at=at + USEFUL,
        )
    )
    session.flush()


def tell_code(session: Session, code: CitizenCode) -> None:
    """Queue a sign-in code, which expires while there is still time to type it; its digits are not stored."""
    session.add(
        OutboxMessage(
            key=f"{OutboxKind.SIGN_IN_CODE}-{code.id}",
            kind=OutboxKind.SIGN_IN_CODE,
            to=code.number,
            body=json.dumps({"code": code.id}),
            made_at=code.asked_at,
            not_before=code.asked_at,
            expires_at=code.expires_at - TYPED_IN,
        )
    )
    session.flush()


def count_answers_today(session: Session, to: str | None = None) -> int:
    """Return how many text messages of this number, or of all together, were answered in 24 hours."""
    today = select(func.count(OutboxMessage.id)).where(
        OutboxMessage.kind == OutboxKind.ANSWER, OutboxMessage.made_at > now(session) - USEFUL
    )
    return session.scalar(today if to is None else today.where(OutboxMessage.to == to)) or 0


def find_newest_codes(session: Session, to: str) -> Mapping[str, int]:
    """Return the codes, with their meanings, of the newest answer within 24 hours that has any."""
    answers = select(OutboxMessage.body).where(
        OutboxMessage.to == to,
        OutboxMessage.kind == OutboxKind.ANSWER,
        OutboxMessage.made_at > now(session) - USEFUL,
    )
    for body in session.scalars(answers.order_by(OutboxMessage.id.desc())):
        if codes := json.loads(body).get("codes"):
            return dict(codes)
    return {}


def is_known(session: Session, key: str) -> bool:
    """Return whether a message has this key."""
    return session.scalar(select(OutboxMessage.id).where(OutboxMessage.key == key)) is not None


def is_told(session: Session, kind: OutboxKind, registration: Registration, about_round: int) -> bool:
    """Return whether the citizen has a message of `kind` about that round, sent or queued."""
    return is_known(session, _key(kind, registration, about_round))


def _key(kind: OutboxKind, registration: Registration, about_round: int) -> str:
    return f"{kind}-{registration.id}-{about_round}"
