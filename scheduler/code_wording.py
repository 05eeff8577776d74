"""Text of a message with a sign-in code; the code is derived here, just before the message is sent."""

import json
from urllib.parse import urlsplit

from sqlalchemy.orm import Session

from db.models import CodeWay, OutboxMessage
from hotline import dates
from hotline.citizens import codes
from hotline.dates import Language
from scheduler import sms_message
from settings import Settings


def find_words(session: Session, message: OutboxMessage, settings: Settings) -> sms_message.Text | None:
    """Return the text, or None if the code is no longer valid or its number gets no messages.

    Browsers read the last line (the WICG's origin-bound one-time codes).
    """
    code = codes.find_sendable(session, json.loads(message.body)["code"])
    if code is None:
        return None
    digits = codes.read_digits(code, settings)
    if code.way is CodeWay.MESSENGER:
        return sms_message.Text(code.number, digits, by_messenger=True)
    language: Language = "en" if code.language == "en" else "fa"
    said = sms_message.make_text(
        code.number, language, message.kind, {"code": dates.format_digits(digits, language)}
    )
    return said._replace(text=f"{said.text}\n\n@{urlsplit(settings.public).hostname} #{digits}")
