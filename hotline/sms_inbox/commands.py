"""Commands by text message to 137: a way in for citizens who cannot hear or speak.

«ثبت» asks for a place, and its ticket number confirms it and later asks for its state. «لغو» gives a place
up. A request's number with words answers a question about it (`answers`). Any other message gets the
help text. The sender's number can be forged, and only its owner reads the answer. So a place is requested for
that number alone, and joins the line only by its ticket number. A place is given up only by a code from our
newest answer to «لغو». The ticket number does not suffice: calls read it to any caller who shows that number.
"""

import hashlib
import logging
import re
import secrets
from collections.abc import Mapping, Sequence
from enum import Enum, auto
from types import MappingProxyType
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.engine import hold_lock, now
from db.models import Registration, Request, Round
from db.states import HOLDS_PLACE, Phase, RegistrationState, RequestState
from hotline import dates, numbers, tickets
from hotline.dates import Language
from hotline.errors import Refused
from hotline.line import order, registration
from hotline.messages import outbox
from hotline.rounds import phases
from hotline.rounds.notice_texts import format_office
from hotline.sms_inbox import answers, registrations

log = logging.getLogger("api")

ANSWERS_A_DAY = 12
"""Answers to one number in 24 hours; the last one says so, because two machines may talk to each other.

A sender of an own ticket number gets twice as many: forged messages must not shut the owner out.
"""
_SHARE_OF_OWNERS = 5
"""A fifth of all answers is kept for owners, who send their ticket number, a code or a reply."""
LONGEST = 1000
_SHOWN = 3
"""Number of rounds or places in one text message."""
_S = RegistrationState


class Want(Enum):
    """Purpose of a text message."""

    REGISTER = auto()
    PLACE = auto()
    CANCEL = auto()
    HELP = auto()


class Command(NamedTuple):
    """Purpose of a text message, its digits, and the language of the answer."""

    want: Want
    digits: str
    language: Language


_WORDS = {
    "ثبت": Want.REGISTER,
    "ثبتنام": Want.REGISTER,
    "register": Want.REGISTER,
    "لغو": Want.CANCEL,
    "انصراف": Want.CANCEL,
    "cancel": Want.CANCEL,
    "stop": Want.CANCEL,
}
_ARABIC_LETTERS = str.maketrans("يىكة", "ییکه")  # many telephones send these letters
_SHORT_NUMBER = "137"
_WORD = re.compile(r"[^\W\d_]+|\d+")
_CODE_DIGITS = 6
"""Length of the code that gives a place up. A forger of the sender has some twenty guesses a day."""


def parse_command(text: str) -> Command:
    """Parse the text in any script, spelling and order; HELP if its purpose is unclear."""
    plain = numbers.convert_digits(text[:LONGEST]).translate(_ARABIC_LETTERS).replace("\u200c", "").lower()
    words = _WORD.findall(plain)
    if len(words) > 1 and words[0] == _SHORT_NUMBER:
        words = words[1:]
    digits = _without_short_number("".join(word for word in words if word.isdecimal()))
    letters = [word for word in words if not word.isdecimal()]
    latin = bool(letters) and all(word.isascii() for word in letters)
    language: Language = "en" if latin else "fa"
    wants = {_WORDS[word] for word in letters if word in _WORDS}
    if len(wants) == 1:
        return Command(wants.pop(), digits, language)
    if digits and not letters:
        return Command(Want.PLACE, digits, language)
    return Command(Want.HELP, digits, language)


def _without_short_number(digits: str) -> str:
    """Return a ticket or tracking number that stands behind «137» without a gap; other digits unchanged.

    That is unambiguous: with «137» the digits are longer than any number of ours.
    """
    rest = digits.removeprefix(_SHORT_NUMBER)
    if rest == digits or len(digits) <= tickets.TRACKING.length:
        return digits
    return rest if _is_ticket(rest) or tickets.is_tracking(rest) else digits


def _is_ticket(digits: str) -> bool:
    try:
        return bool(tickets.parse(digits))
    except Refused:
        return False


def execute(
    session: Session, number: str, text: str, name: str, *, per_day: int, most_answers: int, public_url: str
) -> bool:
    """Execute this text message of the E.164 number, and queue the answer, once for each `name`.

    `name`: the provider's id of the message. `most_answers`: of all numbers together in 24 hours.
    Return False without an answer: the message is repeated, a limit is used up, or no mobile sent it.
    """
    if not number.startswith(outbox.MOBILE):
        return False
    hold_lock(session, number)
    key = f"{outbox.ANSWER_KEY}{hashlib.sha256(name.encode()).hexdigest()[:40]}"
    command = parse_command(text)
    said = answers.find(session, number, text[:LONGEST])
    is_owner = bool(
        said or _own(session, number, command.digits) or _by_code(session, number, command.digits)
    )
    limit = ANSWERS_A_DAY * (2 if is_owner else 1)
    today = outbox.count_answers_today(session, number)
    if today >= limit or outbox.is_known(session, key) or not _are_left(session, most_answers, is_owner):
        return False
    heard = answers.take(session, said) if said else ""
    if today == limit - 1:
        answer = _Answer("enough")
    elif said:
        answer = _of_request(heard, said.request)
    elif answers.parse_answer(text.strip()) and answers.find_asked(session, number):
        answer = _help(session, number, command, _Rules(per_day, public_url))
    else:
        answer = _ACTS[command.want](session, number, command, _Rules(per_day, public_url))
    language = answer.language or command.language
    facts = {"text": answer.text, "language": language, "values": dict(answer.values), "ways": answer.ways}
    if answer.codes:
        facts["codes"] = dict(answer.codes)
    outbox.answer(session, key, number, facts)
    return True


def _are_left(session: Session, most: int, is_owner: bool) -> bool:
    """Return whether one more answer may go out today. Forged senders leave the owners' share alone.

    Log the last one of each share.
    """
    if not is_owner:
        most -= most // _SHARE_OF_OWNERS
    left = most - outbox.count_answers_today(session)
    if left == 1:
        whose = "owners" if is_owner else "strangers"
        log.warning("text messages of %s: the last of %d answers in 24 hours goes out", whose, most)
    return left > 0


class _Rules(NamedTuple):
    per_day: int
    public_url: str


class _Answer(NamedTuple):
    text: str
    values: Mapping[str, str] = MappingProxyType({})
    language: Language | None = None
    """Language, if it is not the question's."""
    ways: Sequence[Mapping[str, str]] = ()
    """Lines, each with digits to send."""
    codes: Mapping[str, int] = MappingProxyType({})
    """Place that each code gives up."""


def _help(session: Session, number: str, _command: Command, _rules: _Rules) -> _Answer:
    asked = answers.find_asked(session, number)
    if asked is None:
        return _Answer("help")
    return _of_request("how-solved" if asked.state is RequestState.REPLIED else "how", asked)


def _of_request(text: str, request: Request) -> _Answer:
    language: Language = "en" if request.language == "en" else "fa"
    return _Answer(text, {"tracking": dates.format_digits(request.tracking, language)}, language)


def _register(session: Session, number: str, command: Command, rules: _Rules) -> _Answer:
    mine = _own(session, number, command.digits)
    if mine:
        return _of_own(session, mine, command.language, rules)
    open_ = phases.list_registrable(session)
    if command.digits:
        open_ = [round_ for round_ in open_ if str(round_.id) == command.digits.lstrip("0")] or open_
    if not open_:
        return _none_open(session, command.language)
    if len(open_) > 1:
        return _Answer("choose-round", ways=[_way(session, r.id, r.id, command) for r in open_[:_SHOWN]])
    (round_,) = open_
    try:
        place = registrations.ask(
            session, round_id=round_.id, number=number, language=command.language, per_day=rules.per_day
        )
    except Refused as refused:
        return _refused(refused, round_, command.language)
    if place.state is _S.UNCONFIRMED:
        return _Answer("confirm", _of_place(session, place, command.language, "").values)
    return _of_place(session, place, command.language, "known")


def _own(session: Session, number: str, digits: str) -> Registration | None:
    """Return this number's place with this ticket number, or the place it was merged into."""
    try:
        found = registration.get_by_ticket(session, tickets.parse(digits))
    except Refused:
        return None
    return found if found.number == number else None


def _of_own(session: Session, place: Registration, language: Language, rules: _Rules) -> _Answer:
    """Answer the owner who sent the ticket number; an unconfirmed place joins the line."""
    if place.state is not _S.UNCONFIRMED:
        return _of_place(session, place, language, "place")
    try:
        registrations.confirm(session, place, per_day=rules.per_day)
    except Refused as refused:
        if refused.code == "wrong-state":
            return _of_place(session, place, language, "gone")
        return _refused(refused, session.get_one(Round, place.round_id), language)
    return _of_place(session, place, language, "registered")


def _refused(refused: Refused, round_: Round, language: Language) -> _Answer:
    texts = {"round-full": "full", "too-many-today": "too-many", "number-blocked": "blocked"}
    if refused.code not in texts:
        raise refused
    return _Answer(texts[refused.code], {"office": format_office(phases.find_speaker(round_), language)})


def _none_open(session: Session, language: Language) -> _Answer:
    coming = phases.find_upcoming(session)
    if coming is None:
        return _Answer("none-open")
    since = dates.format_moment(coming.registration_from, language, with_year=False)
    return _Answer("opens", {"office": format_office(phases.find_speaker(coming), language), "when": since})


def _way(session: Session, digits: object, round_id: int, command: Command) -> Mapping[str, str]:
    """Return the values of one line of the answer: the digits to send, and their office."""
    return {
        "digits": dates.format_digits(digits, command.language),
        "office": _office(session, round_id, command.language),
    }


def _office(session: Session, round_id: int, language: Language) -> str:
    return format_office(phases.find_speaker(session.get_one(Round, round_id)), language)


def _place(session: Session, number: str, command: Command, rules: _Rules) -> _Answer:
    if tickets.is_tracking(command.digits):
        return _Answer("report", {"link": f"{rules.public_url}/public/number"})
    try:
        found = registration.get_by_ticket(session, tickets.parse(command.digits))
    except Refused:
        return _Answer("unknown")
    language: Language = "en" if found.language == "en" else "fa"
    if found.number == number:
        return _of_own(session, found, language, rules)
    return _of_place(session, found, language, "place")


def _of_place(session: Session, place: Registration, language: Language, text: str) -> _Answer:
    """Return the place's state as an answer; `text` is for a waiting place in a future round."""
    round_ = session.get_one(Round, place.round_id)
    values = {
        "ticket": dates.format_digits(place.ticket, language),
        "office": _office(session, round_.id, language),
        "when": dates.format_span(round_.starts_at, round_.ends_at, language, with_year=False),
        "place": dates.format_digits(order.count_before(session, place) + 1, language),
    }
    over = phases.find_phase(round_, now(session)) in (Phase.OVER, Phase.CANCELLED)
    if place.state is _S.CALLING:
        text = "calling"
    elif place.state is _S.UNREACHED or (place.state is _S.WAITING and over):
        text = "kept"
    elif place.state is _S.UNCONFIRMED and not over:
        text = "from-its-number"
    elif place.state is not _S.WAITING:
        text = "gone"
    elif round_.is_operators_line:
        text = "place-operators-line"
    return _Answer(text, values, language)


def _cancel(session: Session, number: str, command: Command, _rules: _Rules) -> _Answer:
    held = session.scalars(
        select(Registration)
        .where(Registration.number == number, Registration.state.in_(HOLDS_PLACE))
        .order_by(Registration.id)
    ).all()
    if not held:
        return _Answer("no-place")
    by_code = _by_code(session, number, command.digits)
    place = session.get(Registration, by_code) if by_code else None
    if place is not None and place in held:
        return _give_up(session, place, command.language)
    own = _own(session, number, command.digits)
    if command.digits and own not in held:
        return _Answer("unknown")
    asked = [own] if own else held[:_SHOWN]
    codes = {f"{secrets.randbelow(10**_CODE_DIGITS):0{_CODE_DIGITS}}": each for each in asked}
    return _Answer(
        "cancel-how",
        ways=[_way(session, code, each.round_id, command) for code, each in codes.items()],
        codes={code: each.id for code, each in codes.items()},
    )


def _give_up(session: Session, place: Registration, language: Language) -> _Answer:
    try:
        registration.cancel(session, place.id)
    except Refused:
        return _of_place(session, place, language, "place")
    return _Answer("cancelled", _of_place(session, place, language, "").values)


def _by_code(session: Session, number: str, digits: str) -> int | None:
    """Return the place that these digits give up: a code in today's newest answer to «لغو» of this number."""
    codes = outbox.find_newest_codes(session, number)
    return codes.get(digits) or codes.get(digits.removeprefix(_SHORT_NUMBER))


_ACTS = {Want.REGISTER: _register, Want.PLACE: _place, Want.CANCEL: _cancel, Want.HELP: _help}
