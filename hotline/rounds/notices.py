"""Notices of rounds: the public text from `announce_at` on, and the messages to the city's webhook."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from standardwebhooks import Webhook

from db.engine import now
from db.models import Official, OutboxKind, OutboxMessage, Round
from db.trusted_time import trusted_now
from hotline import dates
from hotline.dates import LANGUAGES, Language
from hotline.errors import Refused
from hotline.rounds import phases
from hotline.rounds.notice_texts import clean_line, find_speaker_name, format_office
from hotline.rounds.planning import NOTICE
from hotline.words import PUBLIC
from settings import Settings

What = Literal["announced", "changed", "cancelled"]
State = Literal["planned", "never", What]
"""Planned: not published yet. Never: cancelled before its publication. Otherwise the notice's present
content."""

LONGEST = 280
"""Maximum length, in characters, of a text for social networks."""

SHOWN_FOR = timedelta(days=30)
"""How long after its end a round stays on the public pages and in the feeds."""

_MOST = 500


@dataclass(frozen=True)
class Notice:
    """A round's notice in one language: `body` for a website, `short` for social networks (LONGEST)."""

    title: str
    body: str
    short: str


@dataclass(frozen=True)
class NoticeState:
    """When a notice becomes public, when it reached the webhook (None: not yet), and if a day ahead."""

    public_at: datetime
    webhook_at: datetime | None
    day_ahead: bool


def read_content(round_: Round) -> What:
    """Return the present content of the notice.

    A change before the first notice is no change for the public.
    """
    if round_.cancelled_at:
        return "cancelled"
    changed = round_.changed_at is not None and round_.changed_at >= round_.announce_at
    return "changed" if changed else "announced"


def find_state(round_: Round, at: datetime) -> State:
    """Return the state of the notice at the moment `at`; `is_public` is the same rule in SQL."""
    if round_.cancelled_at and round_.cancelled_at < round_.announce_at:
        return "never"
    return read_content(round_) if round_.announce_at <= at else "planned"


def find_updated_at(round_: Round) -> datetime:
    """Return when the notice got its present text."""
    facts = (round_.announce_at, round_.changed_at, round_.cancelled_at)
    return max(at for at in facts if at)


def list_deputies(round_: Round) -> list[Official]:
    """Return the deputies who sit beside the speaker."""
    return [deputy for deputy in round_.deputies if deputy is not round_.substitute]


def format_link(round_: Round, language: Language, public_url: str) -> str:
    """Return the address of the round's public page."""
    return f"{public_url}/public/rounds/{round_.id}{'?lang=en' if language == 'en' else ''}"


def format_text(round_: Round, language: Language, public_url: str) -> Notice:
    """Return the present notice: announced, changed or cancelled. `public_url` comes before /public/…."""
    event, facts = read_content(round_), _facts(round_, language)
    deputies = len(list_deputies(round_))
    url = format_link(round_, language, public_url)
    if event == "cancelled":
        body, short = ["off", "off-next"], ["short-cancelled", "short-reason", "short-off-next"]
    else:
        beside = ["deputies" if deputies > 1 else "deputy"] if deputies else []
        capacity = ["capacity"] if round_.capacity else []
        body = ["answers", *beside, "register", "minutes", *capacity, "next"]
        short = ["short", "short-register", "short-next"]
    if event == "changed":
        body = ["why-changed", *body, "kept"]
        short = ["short-changed", "short-reason", "short-register"]

    def said(names: Sequence[str]) -> list[str]:
        return [PUBLIC.fill(language, "notice", name, facts) for name in names]

    return Notice(
        title=PUBLIC.fill(language, "notice", event, facts),
        body=" ".join(said(body)),
        short=f"{_fitting(said(short), LONGEST - len(url) - 1)}\n{url}",
    )


def _facts(round_: Round, language: Language) -> dict[str, str]:
    r = round_
    years = {
        dates.format_year(at, language) for at in (r.registration_from, r.registration_until, r.starts_at)
    }
    reason = clean_line(r.reason)
    return {
        "who": find_speaker_name(r, language),
        "when": dates.format_span(r.starts_at, r.ends_at, language),
        "deputies": dates.join_words(
            [format_office(deputy, language) for deputy in list_deputies(r)], language
        ),
        "registration": dates.format_span(
            r.registration_from, r.registration_until, language, with_year=len(years) > 1
        ),
        "minutes": dates.format_digits(r.minutes, language),
        "capacity": dates.format_digits(r.capacity or "", language),
        "reason": reason if reason.endswith((".", "!", "?", "؟")) else f"{reason}.",
    }


def _fitting(sentences: Sequence[str], room: int) -> str:
    """Return the first sentence, shortened if necessary, with those others for which there is room."""
    first, *others = sentences
    result = first if len(first) <= room else f"{first[: room - 1]}…"
    for sentence in others:
        if len(result) + 1 + len(sentence) <= room:
            result = f"{result} {sentence}"
    return result


def is_public(at: datetime) -> ColumnElement[bool]:
    """Condition on Round: its notice is public at the moment `at`.

    Planned rounds, rounds cancelled before their notice, and the operators' line are not public.
    """
    return and_(
        Round.is_operators_line.is_(False),
        Round.announce_at <= at,
        or_(Round.cancelled_at.is_(None), Round.cancelled_at >= Round.announce_at),
    )


def list_published(session: Session) -> Sequence[Round]:
    """Return the rounds with a public notice, by start, until SHOWN_FOR after their end.

    If there are more than _MOST, rounds that are not over come first, then the latest ended ones.
    """
    at = now(session)
    coming = select(Round).where(is_public(at), Round.ends_at > at)
    found = session.scalars(coming.order_by(Round.starts_at, Round.id).limit(_MOST)).all()
    past = select(Round).where(is_public(at), Round.ends_at <= at, Round.ends_at > at - SHOWN_FOR)
    last = past.order_by(Round.starts_at.desc(), Round.id.desc()).limit(_MOST - len(found))
    both = [*session.scalars(last), *found]
    return sorted(both, key=lambda round_: (round_.starts_at, round_.id))


def get(session: Session, round_id: int) -> Round:
    """Return the round if its notice is public. Raises Refused("not-found")."""
    round_ = session.scalar(select(Round).where(is_public(now(session)), Round.id == round_id))
    if round_ is None:
        raise Refused("not-found", f"no round {round_id} is announced")
    return round_


def find_lead_time(session: Session, round_: Round) -> NoticeState:
    """Return when the notice becomes public, and whether citizens know the start a day (planning.NOTICE)
    ahead.

    If the start was moved, the time counts from that change.
    """
    known_at = phases.find_known_at(round_)
    webhook_at = session.scalar(
        select(func.min(OutboxMessage.sent_at)).where(
            OutboxMessage.round_id == round_.id,
            OutboxMessage.kind == OutboxKind.NOTICE,
            OutboxMessage.sent_at >= known_at,
        )
    )
    return NoticeState(known_at, webhook_at, round_.starts_at - known_at >= NOTICE)


def find_posts(session: Session, found: Sequence[Round]) -> dict[int, OutboxMessage]:
    """Return the newest webhook message about each of these rounds, by the round's id."""
    ids = [round_.id for round_ in found]
    newest = (
        select(func.max(OutboxMessage.id))
        .where(OutboxMessage.kind == OutboxKind.NOTICE, OutboxMessage.round_id.in_(ids))
        .group_by(OutboxMessage.round_id)
    )
    last = session.scalars(select(OutboxMessage).where(OutboxMessage.id.in_(newest)))
    return {message.round_id: message for message in last if message.round_id is not None}


def queue_due(session: Session, settings: Settings) -> int:
    """Put webhook messages about future rounds into the outbox, as far as missing; return how many."""
    if not settings.notice_webhook:
        return 0
    at = trusted_now(session)
    due = session.scalars(
        select(Round).where(is_public(at), Round.ends_at > at, Round.ended_at.is_(None)).order_by(Round.id)
    ).all()
    keys = {f"notice-{round_.id}-{read_content(round_)}-{round_.changes}": round_ for round_ in due}
    told = set(session.scalars(select(OutboxMessage.key).where(OutboxMessage.key.in_(keys))))
    return sum(_queue(session, settings, key, keys[key], at) for key in keys if key not in told)


def _queue(session: Session, settings: Settings, key: str, round_: Round, at: datetime) -> bool:
    notice = OutboxMessage(
        key=key,
        kind=OutboxKind.NOTICE,
        round_id=round_.id,
        to=settings.notice_webhook,
        body=json.dumps(_event(round_, settings.public), ensure_ascii=False),
        made_at=at,
        not_before=at,
        expires_at=round_.ends_at,
    )
    try:
        with session.begin_nested():
            session.add(notice)
    except IntegrityError:  # another scheduler was first
        return False
    return True


def _event(round_: Round, public_url: str) -> dict[str, Any]:
    r = round_
    names = ("announce_at", "registration_from", "registration_until", "starts_at", "ends_at")
    return {
        "type": f"round.{read_content(r)}",
        "timestamp": find_updated_at(r).isoformat(),
        "data": {
            "id": r.id,
            "version": r.changes,
            "official": _named(r.official),
            "substitute": _named(r.substitute) if r.substitute else None,
            "deputies": [_named(deputy) for deputy in list_deputies(r)],
            **{name: getattr(r, name).isoformat() for name in names},
            "capacity": r.capacity,
            "minutes": r.minutes,
            "languages": r.languages.split(","),
            "reason": clean_line(r.reason),
            "texts": {language: asdict(format_text(r, language, public_url)) for language in LANGUAGES},
            "urls": {language: format_link(r, language, public_url) for language in LANGUAGES},
        },
    }


def _named(official: Official) -> dict[str, Any]:
    return {"kind": official.kind, "district": official.district} | {
        language: format_office(official, language) for language in LANGUAGES
    }


def sign_headers(message_id: str, body: str, secret: str, at: datetime) -> dict[str, str]:
    """Return the headers of a webhook message (standardwebhooks.com).

    `message_id` is the same for all attempts (OutboxMessage.key); `at` is the UTC time of this attempt.
    """
    return {
        "Content-Type": "application/json; charset=utf-8",
        "webhook-id": message_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret).sign(message_id, at, body),
    }
