"""Words of text messages, made when they are sent, from their facts and the state at that time."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from db.engine import now
from db.models import (
    TOPICS,
    BlockedNumber,
    NoticeTopic,
    Official,
    OutboxKind,
    OutboxMessage,
    Registration,
    Request,
    Round,
    UrgentMatter,
)
from db.states import IN_WORK, WITH_DEPARTMENT, Phase, RegistrationState, RequestState
from hotline import dates, numbers
from hotline.dates import Language
from hotline.line import order
from hotline.messages import outbox
from hotline.requests import categories, urgent
from hotline.requests.department_work import find_question_text
from hotline.rounds import phases
from hotline.rounds.notice_texts import clean_line, find_speaker_name, format_office
from scheduler.sms_message import TEXTS, Text, make_text

_K, _R = OutboxKind, RegistrationState
_LONGEST_OFFICE = 60
_STILL_WAITS = (_R.WAITING, _R.CALLING, _R.UNREACHED)
_TRUE_IN: Mapping[OutboxKind, tuple[RegistrationState, ...]] = {
    _K.REGISTERED: (_R.WAITING, _R.CALLING),
    _K.TURN_NEAR: (_R.WAITING,),
    _K.NOT_REACHED: _STILL_WAITS,
    _K.CARRIED: _STILL_WAITS,
    _K.ROUND_CANCELLED: _STILL_WAITS,
    _K.ROUND_CHANGED: (_R.WAITING, _R.CALLING),
    _K.CLOSED: (_R.CLOSED,),
    _K.NUMBER_CHANGED: tuple(_R),
    _K.CANCELLED: (_R.CANCELLED,),
}
"""States of the registration in which a message of a kind is still true."""

_TRUE_OF_REQUEST: Mapping[OutboxKind, tuple[RequestState, ...]] = {
    _K.REQUEST_REPORTED: tuple(RequestState),
    _K.REQUEST_NEWS: IN_WORK,
    _K.REQUEST_ASKED: (RequestState.ASKED, RequestState.SPLIT),
    _K.REQUEST_DUE: WITH_DEPARTMENT,
    _K.REQUEST_LATE: WITH_DEPARTMENT,
    _K.REQUEST_REPLIED: (RequestState.REPLIED,),
    _K.REQUEST_REJECTED: (RequestState.REJECTED, RequestState.DUPLICATE),
    _K.REQUEST_CLOSED: (RequestState.DUPLICATE,),
    _K.FOLLOWED_REPLIED: (RequestState.REPLIED,),
    _K.FOLLOWED_REJECTED: (RequestState.REJECTED,),
    _K.FOLLOWED_CLOSED: (RequestState.CLOSED,),
}
_TO_DEPARTMENT = (_K.REQUEST_DUE, _K.REQUEST_LATE)
_LONGEST_OFFICE_OF_SEVERAL = 30


def find_words(session: Session, text_message: OutboxMessage) -> Text | None:
    """Return the text and recipient of this message; None if it is not true any more."""
    if text_message.kind is OutboxKind.ANSWER:
        found: Text | None = _answer(text_message)
    elif text_message.kind is OutboxKind.URGENT:
        return _urgent(session, text_message)
    elif text_message.kind is OutboxKind.ROUND_ANNOUNCED:
        found = _announced(session, text_message)
    else:
        found = (_of_request if text_message.request_id else _of_registration)(session, text_message)
    return None if found is None or _blocked(session, found.to) else found


def _blocked(session: Session, number: str) -> bool:
    return session.get(BlockedNumber, number) is not None


def _answer(text_message: OutboxMessage) -> Text:
    facts = json.loads(text_message.body)
    language, name = facts["language"], f"{_K.ANSWER}-{facts['text']}"
    ways = [
        TEXTS.fill(
            language,
            "texts",
            f"{name}-way",
            way | {"office": _cut(way["office"], _LONGEST_OFFICE_OF_SEVERAL)},
        )
        for way in facts["ways"]
    ]
    return make_text(text_message.to, language, name, facts["values"] | {"ways": "\n".join(ways)})


def _urgent(session: Session, text_message: OutboxMessage) -> Text | None:
    """Return the text to a supervisor, in the city's own language; None if somebody has taken the matter."""
    matter = session.get(UrgentMatter, json.loads(text_message.body)["urgent"])
    if matter is None or not urgent.is_open(session, matter):
        return None
    if matter.request is None:
        number = dates.format_digits(numbers.format_national(matter.number or ""), "fa")
        return make_text(text_message.to, "fa", "urgent-caller", {"number": number})
    about = categories.get(session, matter.request.category)
    values = {
        "tracking": dates.format_digits(matter.request.tracking, "fa"),
        "category": _cut(clean_line(about.name_fa), _LONGEST_OFFICE_OF_SEVERAL),
    }
    return make_text(text_message.to, "fa", "urgent", values)


def _announced(session: Session, text_message: OutboxMessage) -> Text | None:
    """Return the announcement of a round with open registration, if the citizen has no place in it."""
    round_ = session.get_one(Round, text_message.round_id)
    mine = select(Registration.id).where(
        Registration.round_id == round_.id, Registration.number == text_message.to
    )
    at = now(session)
    if round_.cancelled_at or round_.registration_until <= at or session.scalar(mine.limit(1)) is not None:
        return None
    language = json.loads(text_message.body)["language"]
    later = round_.registration_from > at
    values = {
        "office": _cut(find_speaker_name(round_, language), _LONGEST_OFFICE),
        "when": dates.format_span(round_.starts_at, round_.ends_at, language),
        "from": dates.format_span(round_.registration_from, round_.registration_until, language),
    }
    case = "round_announced-later" if later else "round_announced"
    return make_text(text_message.to, language, case, values)


def _of_request(session: Session, text_message: OutboxMessage) -> Text | None:
    request = session.get_one(Request, text_message.request_id)
    if request.state not in _TRUE_OF_REQUEST[text_message.kind]:
        return None
    facts = json.loads(text_message.body)
    if text_message.kind is _K.REQUEST_ASKED and facts["reply"] != find_question_text(session, request):
        return None  # the question, or a part's, is answered or changed
    if text_message.kind in _TO_DEPARTMENT:
        return _to_department(text_message, request, facts["due_at"])
    language = _spoken(facts, request)
    values = {
        "tracking": dates.format_digits(request.tracking, language),
        "reply": _cut(clean_line(facts["reply"]), outbox.LONGEST_REPLY),
    }
    return make_text(text_message.to, language, text_message.kind, values)


def make_notice(session: Session, text_message: OutboxMessage) -> Mapping[str, str]:
    """Return the notice in a browser: which request has news, not what, and what it opens."""
    request = session.get_one(Request, text_message.request_id)
    language = _spoken(json.loads(text_message.body), request)
    slots = {"tracking": dates.format_digits(request.tracking, language)}
    followed = TOPICS[text_message.kind] is NoticeTopic.FOLLOWED
    return {
        "title": TEXTS.fill(language, "notices", "title", {}),
        "body": TEXTS.fill(language, "notices", "followed" if followed else "own", slots),
        "request": "" if followed else request.tracking,
        "language": language,
    }


def _spoken(facts: Mapping[str, str], request: Request) -> Language:
    """Return the language of the message; followers have their own."""
    return "en" if facts.get("language", request.language) == "en" else "fa"


def _to_department(text_message: OutboxMessage, request: Request, due_at: str) -> Text | None:
    """Return the text to a department, in the city's own language; None if the date has changed since."""
    if request.due_at is None or request.due_at != datetime.fromisoformat(due_at):
        return None
    last = request.due_at - timedelta(seconds=1)  # the end of a day is a midnight
    values = {
        "tracking": dates.format_digits(request.tracking, "fa"),
        "day": dates.format_day(last, "fa", with_year=False),
    }
    return make_text(text_message.to, "fa", text_message.kind, values)


def _of_registration(session: Session, text_message: OutboxMessage) -> Text | None:
    registration = session.get_one(
        Registration, text_message.registration_id, options=[joinedload(Registration.round)]
    )
    about = session.get_one(Round, text_message.round_id)
    at = now(session)
    next_round = _next_round(session, text_message, registration, at)
    if not _still_true(text_message, registration, about, next_round, at):
        return None
    number = registration.number  # the citizen may have changed it since
    if text_message.kind is _K.NUMBER_CHANGED:
        number = text_message.to
    if not number.startswith(outbox.MOBILE):
        return None
    language: Language = "en" if registration.language == "en" else "fa"
    spoken_of = next_round if text_message.kind is _K.CARRIED and next_round else about
    when = next_round or about
    values = {
        "ticket": dates.format_digits(registration.ticket, language),
        "office": _office(spoken_of.substitute or spoken_of.official, language),
        "place": dates.format_digits(order.count_before(session, registration) + 1, language),
        "when": dates.format_span(when.starts_at, when.ends_at, language, with_year=False),
        "day": dates.format_day(about.starts_at, language, with_year=False),
    }
    return make_text(number, language, _name(text_message.kind, about, next_round), values)


def _next_round(
    session: Session, text_message: OutboxMessage, registration: Registration, at: datetime
) -> Round | None:
    """Return the next round that the message names, if the registration is in it and it is to come."""
    next_id = json.loads(text_message.body).get("next_round")
    if next_id is None or registration.round_id != next_id:
        return None
    found = session.get_one(Round, next_id)
    unsaid = (Phase.PLANNED, Phase.OVER, Phase.CANCELLED)
    return None if phases.find_phase(found, at) in unsaid else found


def _still_true(
    text_message: OutboxMessage,
    registration: Registration,
    about: Round,
    next_round: Round | None,
    at: datetime,
) -> bool:
    if registration.state not in _TRUE_IN[text_message.kind]:
        return False
    here = registration.round_id == about.id
    phase = phases.find_phase(about, at)
    match text_message.kind:
        case OutboxKind.REGISTERED | OutboxKind.ROUND_CHANGED:
            return here and phase not in (Phase.OVER, Phase.CANCELLED) and _still_at(text_message, about)
        case OutboxKind.TURN_NEAR:
            return here and phase is Phase.LIVE
        case OutboxKind.NOT_REACHED:
            return here or phases.find_phase(registration.round, at) is Phase.PLANNED
        case OutboxKind.CARRIED:
            return next_round is not None
        case _:
            return True


def _still_at(text_message: OutboxMessage, about: Round) -> bool:
    """Return whether the hours in the message are the round's: only the last of several changes is sent."""
    facts = json.loads(text_message.body)
    return all(
        facts.get(name) in (None, getattr(about, name).isoformat()) for name in ("starts_at", "ends_at")
    )


def _name(kind: OutboxKind, about: Round, next_round: Round | None) -> str:
    if about.is_operators_line and kind in (_K.REGISTERED, _K.CLOSED):
        return f"{kind}-operators-line"
    return "round_cancelled-next" if kind is _K.ROUND_CANCELLED and next_round else kind.value


def _office(official: Official, language: Language) -> str:
    return _cut(format_office(official, language), _LONGEST_OFFICE)


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
