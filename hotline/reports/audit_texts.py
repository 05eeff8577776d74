"""The audit log in words: what each action and each kind of subject is called, in both languages."""

import re
from datetime import date
from typing import NamedTuple

import jdatetime

from db.models import AuditEntry
from hotline.audit import CITIZEN, COMMAND_LINE, SYSTEM
from hotline.dates import Language, digits
from hotline.numbers import national
from hotline.timetable.timetable import TIMETABLE


class Words(NamedTuple):
    """An entry as people read it."""

    who: str
    action: str
    subject: str
    reason: str


ACTIONS: dict[str, tuple[str, str]] = {
    "person-added": ("افزودن فرد", "added a person"),
    "person-changed": ("تغییر مشخصات فرد", "changed a person"),
    "person-disabled": ("غیرفعال کردن فرد", "disabled a person"),
    "person-enabled": ("فعال کردن فرد", "enabled a person"),
    "password-set": ("رمز عبور تازه", "set a new password"),
    "pin-set": ("رمز تلفن تازه", "set a new PIN"),
    "sessions-ended": ("پایان دادن به نشست‌ها", "ended the sessions"),
    "second-factor-reset": ("بازنشانی ورود دومرحله‌ای", "reset the second factor"),
    "desk-phone-chosen": ("تغییر تلفن میز", "changed a desk’s phone"),
    "desk-phone-account-shown": ("دیدن حساب تلفن میز خود", "read their own desk’s phone account"),
    "desk-account-shown": ("دیدن حساب تلفن میز", "read a desk’s phone account"),
    "left-in-hand": ("ثبت نتیجه‌ای که میز نگفت", "settled what a desk had left in hand"),
    "outcome-owed": ("خبر دادن از گفت‌وگوی بی‌نتیجه", "told of a conversation without an outcome"),
    "call-agreed": ("قرار تماس با شهروند", "agreed the time of a call with the citizen"),
    "outcome-said": ("ثبت نتیجه به‌جای میز", "said a desk’s outcome"),
    "number-blocked": ("مسدود کردن شماره", "blocked a number"),
    "number-changed": ("تغییر شمارهٔ تماس", "changed the number to be called"),
    "number-unblocked": ("رفع مسدودی شماره", "unblocked a number"),
    "recording-heard": ("شنیدن گفت‌وگوی ضبط‌شده", "heard a recording"),
    "message-heard": ("شنیدن پیام صوتی شهروند", "heard a citizen’s message"),
    "recording-deleted": ("پاک کردن گفت‌وگوی ضبط‌شده", "deleted a recording"),
    "audit-exported": ("خروجی گرفتن از گزارش بازرسی", "exported the audit log"),
    "supervision-began": ("آغاز شنود یا همراهی", "began to take part in a conversation"),
    "supervision-ended": ("پایان شنود یا همراهی", "ceased to take part in a conversation"),
    "moved-up": ("جلو بردن در صف", "moved somebody up"),
    "registration-cancelled": ("لغو ثبت‌نام", "cancelled a registration"),
    "message-retried": ("ارسال دوبارهٔ پیام", "sent a message again"),
    "round-made": ("ساختن نوبت", "made a round"),
    "round-changed": ("تغییر نوبت", "changed a round"),
    "round-cancelled": ("لغو نوبت", "cancelled a round"),
    "round-opened": ("آغاز گفت‌وگوها", "began a round"),
    "round-paused": ("توقف نوبت", "paused a round"),
    "round-resumed": ("ادامهٔ نوبت", "resumed a round"),
    "round-ended": ("پایان نوبت", "ended a round"),
    "request-reported": ("نوشتن پیام شهری", "wrote down a request"),
    "request-referred": ("ارجاع پیام شهری", "referred a request"),
    "request-returned": ("برگرداندن پیام شهری", "returned a request"),
    "request-news": ("خبر دادن به شهروند", "told the citizen how it goes on"),
    "request-replied": ("پاسخ به پیام شهری", "replied to a request"),
    "request-confirmed": ("تأیید حل شدن از سوی شهروند", "wrote down that it is solved"),
    "request-denied": ("حل نشدن از سوی شهروند", "wrote down that it is not solved"),
    "request-unanswered": ("بستن بی‌پاسخ", "closed a request without an answer"),
    "request-merged": ("یکی کردن پیام‌های تکراری", "merged a duplicate request"),
    "request-separated": ("جدا کردن پیام تکراری", "separated a request"),
    "request-rejected": ("رد پیام شهری", "rejected a request"),
    "department-added": ("افزودن اداره", "added a department"),
    "department-changed": ("تغییر اداره", "changed a department"),
    "official-added": ("افزودن مسئول", "added an official"),
    "official-changed": ("تغییر مسئول", "changed an official"),
    "rule-added": ("افزودن قاعدهٔ زمان‌بندی", "added a timetable rule"),
    "rule-changed": ("تغییر قاعدهٔ زمان‌بندی", "changed a timetable rule"),
    "subject-changed": ("تغییر موضوع گفت‌وگو", "changed a subject"),
    "rule-stopped": ("توقف قاعدهٔ زمان‌بندی", "stopped a timetable rule"),
    "day-changed": ("تغییر یک روز زمان‌بندی", "changed a day of the timetable"),
    "holiday-added": ("افزودن تعطیلی", "added a holiday"),
    "working-day-added": ("افزودن روز کاری", "added a working day"),
    "holiday-removed": ("برداشتن تعطیلی", "removed a holiday"),
    "wall-hung": ("گذاشتن نمایشگر روی دیوار", "hung up a screen"),
    "walls-taken-down": ("خاموش کردن همهٔ نمایشگرها", "switched all screens off"),
}
"""Persian, English."""

SUBJECTS: dict[str, tuple[str, str]] = {
    "person": ("فرد", "person"),
    "desk": ("میز", "desk"),
    "number": ("شماره", "number"),
    "round": ("نوبت", "round"),
    "registration": ("ثبت‌نام", "registration"),
    "callback": ("تماس", "callback"),
    "message": ("پیامک", "message"),
    "request": ("پیام شهری", "request"),
    "department": ("اداره", "department"),
    "official": ("مسئول", "official"),
    "rule": ("قاعده", "rule"),
    "subject": ("موضوع", "subject"),
    "audit": ("گزارش بازرسی", "audit log"),
    "wallboard": ("تابلوی زنده", "wallboard"),
}
"""What a subject begins with, `round 3`; one that begins otherwise is shown as it is."""


_CODES: dict[str, tuple[str, str]] = {
    "operator": ("اپراتور", "operator"),
    "official": ("مسئول", "official"),
    "supervisor": ("سرپرست", "supervisor"),
    "public_relations": ("روابط عمومی", "public relations"),
    "auditor": ("بازرس", "auditor"),
    "administrator": ("مدیر سامانه", "administrator"),
    "desk": ("میز", "desk"),
    "browser": ("مرورگر", "browser"),
    "sip": ("تلفن SIP", "SIP phone"),
    "telephone": ("تلفن", "telephone"),
    "number": ("تلفن", "telephone"),
    "nuisance": ("مزاحمت", "nuisance"),
    "owner": ("درخواست صاحب شماره", "the owner’s wish"),
    "reached": ("گفت‌وگو انجام شد", "reached"),
    "call_again": ("دوباره تماس بگیریم", "call again"),
    "refused": ("دیگر نمی‌خواهد", "refused"),
    "wrong_number": ("شماره اشتباه بود", "wrong number"),
    "returned": ("به صف برگشت", "returned to the line"),
    "listen": ("شنیدن", "listened"),
    "whisper": ("نجوا", "whispered"),
    "join": ("پیوستن", "joined"),
    "short notice": ("اعلام کمتر از یک روز پیش از آغاز", "short notice"),
}
"""The words of reasons that the system writes itself; what follows a colon is a person's own."""
_NO_PERSON = {COMMAND_LINE: "خط فرمان", TIMETABLE: "جدول زمان‌بندی", CITIZEN: "شهروند", SYSTEM: "سامانه"}
_CODED = frozenset(
    {
        *("person-added", "person-changed", "number-blocked", "outcome-said", "left-in-hand", "outcome-owed"),
        *("supervision-began", "round-made", "desk-phone-chosen", "number-changed"),
    }
)
_TIMED = frozenset({"call-agreed"})
"""Those whose reason is a moment, by the city's clock."""
_CODE = re.compile(rf"\b({'|'.join(_CODES)})\b")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")


def in_words(entry: AuditEntry, language: Language) -> Words:
    """The entry in a language; what nobody has named is shown as it is."""
    column = 0 if language == "fa" else 1
    action = ACTIONS[entry.action][column] if entry.action in ACTIONS else entry.action
    who = _NO_PERSON.get(entry.who, entry.who) if language == "fa" else entry.who
    reason = entry.reason
    if entry.action in _TIMED:
        reason = _of_language(_in_calendar(reason, language), language)
    if entry.action in _CODED:
        written, colon, own = reason.partition(": ")
        words = _CODE.sub(lambda code: _CODES[code[0]][column], written)
        reason = _of_language(words, language) + colon + own
    return Words(who, action, _subject(entry.subject, column, language), reason)


def _subject(subject: str, column: int, language: Language) -> str:
    kind, _, which = subject.partition(" ")
    if kind == "person":
        return f"{SUBJECTS[kind][column]} {which}"  # a username keeps its digits
    if language == "fa":
        subject = _in_calendar(subject, language)
        which = subject.partition(" ")[2]
    words = f"{SUBJECTS[kind][column]} {national(which)}".strip() if kind in SUBJECTS else subject
    return _of_language(words, language)


def _in_calendar(words: str, language: Language) -> str:
    if language != "fa":
        return words
    return _DAY.sub(lambda day: str(jdatetime.date.fromgregorian(date=date.fromisoformat(day[0]))), words)


def _of_language(words: str, language: Language) -> str:
    return digits(words.replace(", ", "، ") if language == "fa" else words, language)
