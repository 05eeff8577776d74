"""The words of a round's notice, and names fit to stand in it; `notices` chooses the sentences."""

from db.models import Official, Round
from hotline import characters
from hotline.dates import Language

_FA = {
    "instead": "{substitute} (به‌جای {official})",
    "announced": "گفت‌وگوی تلفنی {who} با شهروندان: {when}",
    "changed": "تغییر در گفت‌وگوی تلفنی {who} با شهروندان: {when}",
    "cancelled": "گفت‌وگوی تلفنی {who} با شهروندان لغو شد: {when}",
    "why-changed": "این نوبت گفت‌وگو تغییر کرده است. دلیل: {reason}",
    "answers": "{who} {when} از راه تلفن ۱۳۷ پاسخگوی شهروندان است.",
    "deputy": "{deputies} نیز در کنار ایشان حضور دارد.",
    "deputies": "{deputies} نیز در کنار ایشان حضور دارند.",
    "register": "برای ثبت‌نام، {registration} با ۱۳۷ تماس بگیرید. شمارهٔ پیگیری می‌گیرید و در زمان گفت‌وگو "
    "به‌نوبت با شما تماس می‌گیریم.",
    "kept": "کسانی که پیش از این ثبت‌نام کرده‌اند جای خود را دارند.",
    "minutes": "هر گفت‌وگو حدود {minutes} دقیقه است.",
    "capacity": "ظرفیت ثبت‌نام {capacity} نفر است.",
    "next": "اگر در این نوبت به شما نرسیم، در نوبت بعدی همین مسئول، بدون ثبت‌نام دوباره، پیش از دیگران با شما "
    "تماس می‌گیریم.",
    "off": "گفت‌وگوی تلفنی {who} با شهروندان که برای {when} اعلام شده بود، برگزار نمی‌شود. دلیل: {reason}",
    "off-next": "هر کس برای این نوبت ثبت‌نام کرده است جای خود را از دست نمی‌دهد: در نوبت بعدی همین مسئول، بدون "
    "ثبت‌نام دوباره، پیش از دیگران با او تماس می‌گیریم.",
    "short": "{when}، {who} در تلفن ۱۳۷ پاسخگوی شهروندان است.",
    "short-changed": "تغییر: {when}، {who} در تلفن ۱۳۷ پاسخگوی شهروندان است.",
    "short-cancelled": "لغو شد: {when}، گفت‌وگوی تلفنی {who} با شهروندان.",
    "short-reason": "دلیل: {reason}",
    "short-register": "ثبت‌نام با شماره‌گیری ۱۳۷، {registration}.",
    "short-off-next": "ثبت‌نام‌شدگان در نوبت بعدی پیش از دیگران‌اند.",
    "short-next": "هر کس که به او نرسیم، در نوبت بعدی پیش از دیگران است.",
}
_EN = {
    "instead": "{substitute} (in place of the {official})",
    "announced": "{who} speaks with citizens by phone: {when}",
    "changed": "Changed: {who} speaks with citizens by phone: {when}",
    "cancelled": "Cancelled: {who} speaks with citizens by phone: {when}",
    "why-changed": "This round has been changed. Reason: {reason}",
    "answers": "The {who} answers citizens on the phone number 137: {when} (Iran time).",
    "deputy": "Also present: {deputies}.",
    "deputies": "Also present: {deputies}.",
    "register": "To register, dial 137: {registration}. You get a ticket number, and during the round we "
    "call you back in order.",
    "kept": "Whoever has registered before keeps their place.",
    "minutes": "A conversation takes about {minutes} minutes.",
    "capacity": "At most {capacity} citizens can register.",
    "next": "Whom we do not reach in this round is called first in this official's next one, without "
    "registering again.",
    "off": "The {who} will not speak with citizens by phone as announced for {when} (Iran time). "
    "Reason: {reason}",
    "off-next": "Whoever has registered keeps their place: we call them first in this official's next round, "
    "without registering again.",
    "short": "{when}: the {who} answers citizens on the phone number 137.",
    "short-changed": "Changed: {when}: the {who} answers citizens on the phone number 137.",
    "short-cancelled": "Cancelled: {when}: the {who} speaks with citizens by phone.",
    "short-reason": "Reason: {reason}",
    "short-register": "To register, dial 137: {registration}.",
    "short-off-next": "Whoever has registered is first in the next round.",
    "short-next": "Whom we do not reach is first in the next round.",
}
TEXTS: dict[Language, dict[str, str]] = {"fa": _FA, "en": _EN}
"""By language and sentence."""


def plain(text: str) -> str:
    """One line of what a person typed, without signs that are invisible or turn other text round."""
    return " ".join(characters.cleaned(text).split())


def office(official: Official, language: Language) -> str:
    """The name of the office, fit to be published."""
    return plain(official.office_fa if language == "fa" else official.office_en)


def who(round_: Round, language: Language) -> str:
    """Who answers: the official, or the substitute in their place."""
    official = office(round_.official, language)
    if round_.substitute is None:
        return official
    return TEXTS[language]["instead"].format(
        substitute=office(round_.substitute, language), official=official
    )
