"""The audit log in words, from hotline/words/staff/."""

import re
from collections.abc import Mapping
from datetime import date
from functools import cache
from types import MappingProxyType
from typing import NamedTuple

import jdatetime

from db.models import AuditEntry
from hotline.dates import Language, format_digits
from hotline.numbers import format_national
from hotline.reports import audit_subjects
from hotline.reports.audit_subjects import Named
from hotline.words import PUBLIC, STAFF


class Words(NamedTuple):
    """An audit entry as people read it."""

    who: str
    action: str
    subject: str
    reason: str


_CODED = frozenset(
    {
        *("person-added", "person-changed", "number-blocked", "outcome-said", "left-in-hand", "outcome-owed"),
        *("person-disabled", "sessions-ended"),
        *(
            "supervision-began",
            "supervision-ended",
            "round-made",
            "desk-phone-chosen",
            "number-changed",
            "citizen-freed",
            "desk-consulted",
            "conversation-given",
            "conversation-taken-back",
            "reports-exported",
            "requests-exported",
            "key-issued",
        ),
    }
)
_TIMED = frozenset({"call-agreed", "reports-exported"})
"""Actions whose reason contains a moment or a day, by the city's clock."""
_LATIN = ("person", "address", "key")
"""Subjects whose digits stay Latin: user names, browsers' addresses, the beginnings of API keys."""
_NOTHING: Mapping[str, Named] = MappingProxyType({})
_WORD_OR_NUMBER = re.compile(r"[A-Za-z_]\w*|\d+", re.ASCII)
_DAY = re.compile(r"\d{4}-\d\d-\d\d")


def list_actions(language: Language) -> Mapping[str, str]:
    """Return the name of each action."""
    return STAFF.table(language, "audit-actions")


def list_columns(language: Language) -> tuple[str, ...]:
    """Return the headings of the time and of the Words of an entry."""
    called = STAFF.table(language, "audit-columns")
    return tuple(called[part] for part in ("when", *Words._fields))


def describe_entry(entry: AuditEntry, language: Language, named: Mapping[str, Named] = _NOTHING) -> Words:
    """Return the entry in a language; a subject that is not in `named` is shown unchanged."""
    reason = entry.reason
    if entry.action in _TIMED:
        reason = _of_language(_in_calendar(reason, language), language)
    if entry.action in _CODED:
        written, colon, own = reason.partition(": ")
        codes = STAFF.table(language, "audit-reasons")
        words = _code(language).sub(lambda code: codes[code[0]], written)
        reason = _of_language(words, language) + colon + own
    return Words(
        STAFF.table(language, "audit-doers").get(entry.who, entry.who),
        list_actions(language).get(entry.action, entry.action),
        _subject(entry.subject, language, named),
        reason,
    )


@cache
def _code(language: Language) -> re.Pattern[str]:
    return re.compile(rf"\b({'|'.join(map(re.escape, STAFF.table(language, 'audit-reasons')))})\b")


def _subject(subject: str, language: Language, named: Mapping[str, Named]) -> str:
    thing = audit_subjects.parse_subject(subject)
    kind, _, which = subject.partition(" ")
    if found := named.get(thing):
        which = found.name + subject.removeprefix(thing)
        subject = f"{kind} {which}"
    kinds = STAFF.table(language, "audit-subjects")
    if kind in _LATIN:
        return f"{kinds[kind]} {which}"
    if language == "fa":
        subject = _in_calendar(subject, language)
        which = subject.partition(" ")[2]
    words = f"{kinds[kind]} {format_national(which)}".strip() if kind in kinds else subject
    return _of_language(words, language)


def _in_calendar(words: str, language: Language) -> str:
    if language != "fa":
        return words
    return _DAY.sub(lambda day: str(jdatetime.date.fromgregorian(date=date.fromisoformat(day[0]))), words)


def _of_language(words: str, language: Language) -> str:
    commas = words.replace(", ", PUBLIC.text(language, "dates", "comma"))
    return _WORD_OR_NUMBER.sub(lambda found: _shown(found[0], language), commas)


def _shown(word: str, language: Language) -> str:
    """Return a number in the language's digits; a Latin word (such as a user name) keeps its own."""
    return format_digits(word, language) if word[0].isdigit() else word
