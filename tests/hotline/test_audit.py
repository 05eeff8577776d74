"""The audit log: found by each filter, in words of both languages, and every deed has a name."""

import ast
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from db.engine import now
from db.models import AuditEntry, OutboxKind, OutboxMessage
from db.states import CallbackState, RequestStep
from hotline import audit
from hotline.clock import CITY
from hotline.dates import LANGUAGES, format_day
from hotline.recordings import archive
from hotline.reports import audit_subjects, audit_texts
from tests.factories import a_callback, a_registration, a_request, a_round, a_user

PROJECT = Path(__file__).parents[2]
PASSED_ON = {
    "hotline.recordings.archive": {archive.HEARD, archive.VOICE_MESSAGE_HEARD},
    "ops.people": {"password-set", "second-factor-reset", "sessions-ended"},
    "hotline.people.staff": set(),  # `_tell` is looked at itself
}
"""Functions whose action is an argument, with the actions that they are given."""
FOLDERS = ("hotline", "api", "dialer", "scheduler", "ivr", "ops")


def _strings(node: ast.expr, module: str) -> Iterator[str]:
    """Yield the possible values of an expression that names an action."""
    match node:
        case ast.Constant(value=str(action)):
            yield action
        case ast.IfExp(body=one, orelse=other):
            yield from _strings(one, module)
            yield from _strings(other, module)
        case ast.JoinedStr(values=[ast.Constant(value=str(prefix)), _]):  # a request's step
            yield from (f"{prefix}{step}" for step in RequestStep)
        case ast.Name():
            yield from PASSED_ON[module]
        case _:
            raise AssertionError(f"{module}: what action is {ast.unparse(node)}?")


def recorded() -> set[str]:
    """Every action that the code writes: what `audit.record` is given, and `_tell`, which passes it on."""
    found = set()
    for path in (path for folder in FOLDERS for path in (PROJECT / folder).rglob("*.py")):
        module = ".".join(path.relative_to(PROJECT).with_suffix("").parts)
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call):
                continue
            called = ast.unparse(node.func)
            if called in ("audit.record", "audit.record_once") or (
                module == "hotline.people.staff" and called == "_tell"
            ):
                found |= set(_strings(node.args[2], module))
    return found


def test_each_audited_action_has_its_text() -> None:
    actions = recorded()
    assert {"round-ended", "holiday-added", "recording-heard", "person-disabled"} <= actions
    for language in LANGUAGES:
        words = audit_texts.list_actions(language)
        assert actions == words.keys()
        assert all(words.values())


@pytest.mark.parametrize(
    ("entry", "fa", "en"),
    [
        (
            ("command line", "round-ended", "round 12", "sick"),
            ("خط فرمان", "پایان دور", "دور ۱۲", "sick"),
            ("command line", "ended a round", "round 12", "sick"),
        ),
        (
            ("op1", "person-added", "person op1", "operator, desk 3"),
            ("op1", "افزودن فرد", "فرد op1", "اپراتور، میز ۳"),
            ("op1", "added a person", "person op1", "operator, desk 3"),
        ),
        (
            ("op1", "number-blocked", "number +989131234567", "owner: told owner 3 times"),
            ("op1", "مسدود کردن شماره", "شماره ۰۹۱۳۱۲۳۴۵۶۷", "درخواست صاحب شماره: told owner 3 times"),
            ("op1", "blocked a number", "number 09131234567", "the owner’s wish: told owner 3 times"),
        ),
        (
            ("sup1", "supervision-ended", "callback 7", "the conversation is over"),
            ("sup1", "پایان شنود یا همراهی", "تماس ۷", "گفت‌وگو پایان یافت"),
            ("sup1", "ceased to take part in a conversation", "callback 7", "the conversation is over"),
        ),
        (
            ("op1", "day-changed", "rule 3, 2026-12-02", "عید"),
            ("op1", "تغییر یک روز زمان‌بندی", "قاعده ۳، ۱۴۰۵-۰۹-۱۱", "عید"),
            ("op1", "changed a day of the timetable", "rule 3, 2026-12-02", "عید"),
        ),
        (
            ("op1", "holiday-added", "2026-12-24", "تعطیل"),
            ("op1", "افزودن تعطیلی", "۱۴۰۵-۱۰-۰۳", "تعطیل"),
            ("op1", "added a holiday", "2026-12-24", "تعطیل"),
        ),
        (
            ("op1", "reports-exported", "reports", "official, 2026-11-22 – 2026-12-02"),
            ("op1", "خروجی گرفتن از آمار", "آمار", "مسئول، ۱۴۰۵-۰۹-۰۱ – ۱۴۰۵-۰۹-۱۱"),
            ("op1", "exported statistics", "statistics", "official, 2026-11-22 – 2026-12-02"),
        ),
        (
            ("x", "dreamt", "desk 3, operator3", ""),
            ("x", "dreamt", "میز ۳، operator3", ""),
            ("x", "dreamt", "desk 3, operator3", ""),
        ),
        (
            ("x", "dreamt", "something", ""),
            ("x", "dreamt", "something", ""),
            ("x", "dreamt", "something", ""),
        ),
    ],
)
def test_audit_entry_is_worded_in_the_language(
    entry: tuple[str, ...], fa: tuple[str, ...], en: tuple[str, ...]
) -> None:
    row = AuditEntry(**dict(zip(("who", "action", "subject", "reason"), entry, strict=True)))
    assert (audit_texts.describe_entry(row, "fa"), audit_texts.describe_entry(row, "en")) == (fa, en)


def test_named_subject_links_to_its_page(
    session: Session,
) -> None:
    round_ = a_round(session)
    place = a_registration(session, round_)
    callback = a_callback(session, CallbackState.TALKING)
    request = a_request(session)
    a_user(session, username="op 1")
    at, when = now(session), format_day(round_.starts_at.astimezone(CITY).date(), "en")
    own = {"to": place.number, "body": "{}", "made_at": at, "not_before": at}
    message = OutboxMessage(
        key="1", kind=OutboxKind.REGISTERED, registration_id=place.id, round_id=round_.id, **own
    )
    notice = OutboxMessage(key="2", kind=OutboxKind.NOTICE, round_id=round_.id, **own)
    session.add_all((message, notice))
    session.flush()
    subjects = {
        f"registration {place.id}": (f"registration {place.ticket}", f"citizens/registration/{place.id}"),
        f"callback {callback.id}": (
            f"callback {callback.registration.ticket}",
            f"citizens/registration/{callback.registration_id}",
        ),
        f"request {request.id}": (f"request {request.tracking}", f"requests/{request.id}"),
        f"official {round_.official_id}": (f"official {round_.official.office_en}", "officials"),
        "callback 99999": ("callback 99999", None),
        f"message {message.id}": (f"message {place.ticket}", f"citizens/registration/{place.id}"),
        f"message {notice.id}": (f"message {round_.official.office_en}, {when}", f"rounds/{round_.id}"),
        "person op 1": ("person op 1", "people?person=op%201"),
        "person gone": ("person gone", None),
        "number +989131234567": ("number 09131234567", "blocked#+989131234567"),
        "desk 1, 3": ("desk 1, 3", "desks"),
    }
    entries = [AuditEntry(who="x", action="dreamt", subject=subject, reason="") for subject in subjects]
    named = audit_subjects.find_names(session, (entry.subject for entry in entries), "en")
    for entry, (words, page) in zip(entries, subjects.values(), strict=True):
        found = named.get(audit_subjects.parse_subject(entry.subject))
        assert (audit_texts.describe_entry(entry, "en", named).subject, found and found.page) == (words, page)


def test_round_in_the_audit_log_has_its_office_and_day(
    session: Session,
) -> None:
    round_ = a_round(session)
    when, office = round_.starts_at.astimezone(CITY).date(), round_.official
    for language, called in (("fa", office.office_fa), ("en", office.office_en)):
        subject = f"round {round_.id}"
        named = audit_subjects.find_names(session, [subject, subject], language)
        assert named == {subject: (f"{called}, {format_day(when, language)}", f"rounds/{round_.id}")}
        entry = AuditEntry(who="x", action="dreamt", subject=subject, reason="")
        words = audit_texts.describe_entry(entry, language, named).subject
        assert called in words and format_day(when, language) in words


def test_each_filter_narrows_the_audit_search(
    session: Session,
) -> None:
    at = now(session)
    for days, (who, action, subject) in enumerate(
        (
            ("one", "round-ended", "round 1"),
            ("two", "round-ended", "round 11"),
            ("two", "day-changed", "rule 1, 2026-12-02"),
            ("two", "moved-up", "rounds"),
        )
    ):
        session.add(
            AuditEntry(at=at + timedelta(days=days), who=who, action=action, subject=subject, reason="")
        )
    session.flush()

    def found(**filters: object) -> list[str]:
        return [entry.subject for entry in audit.search(session, **filters)]  # type: ignore[arg-type]

    assert found() == ["rounds", "rule 1, 2026-12-02", "round 11", "round 1"]
    assert found(who="one") == ["round 1"]
    assert found(action="round-ended") == ["round 11", "round 1"]
    assert found(subject="round 1") == ["round 1"]
    assert found(subject="round") == ["round 11", "round 1"]
    assert found(subject="rule 1") == ["rule 1, 2026-12-02"]
    assert found(subject="%") == []
    assert found(since=at + timedelta(days=1), until=at + timedelta(days=2)) == ["round 11"]


@pytest.mark.parametrize("ahead", [timedelta(hours=3), timedelta(minutes=-11)])
def test_repeat_is_recorded_again_unless_it_is_recent(session: Session, ahead: timedelta) -> None:
    for _ in range(2):
        audit.record_once(session, "z.karimi", "recording-heard", "callback 1")
    entry = session.scalars(select(AuditEntry)).one()
    entry.at += ahead
    audit.record_once(session, "z.karimi", "recording-heard", "callback 1")
    assert len(session.scalars(select(AuditEntry)).all()) == 2
