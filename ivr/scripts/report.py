"""Key 3: report a city problem."""

from pathlib import Path

from db.engine import writing
from hotline import requests
from ivr.conversation import MESSAGE_S, Conversation, something_recorded

_DISTRICTS = range(1, 16)
_TRIES = 3


def run(talk: Conversation) -> bool:
    """What, where, in the caller's own words; then the tracking number. Committed before it is spoken."""
    call = talk.call
    call.say("report-intro")
    category = talk.ask_subject("report-category")
    district = _district(talk)
    file = _spoken(talk)
    if file is None:
        call.say("report-nothing")
        return True
    with writing(talk.engine) as session:
        tracking = requests.report(
            session,
            number=talk.number,
            category=category,
            district=district,
            message=file.name,
            language=call.language,
        )
    call.say("report-recorded", tracking=tracking)
    call.say("report-recorded-again", tracking=tracking)
    return True


def _district(talk: Conversation) -> int | None:
    """The district, or None for who does not know it and presses # (or nothing that is one)."""
    for _ in range(_TRIES):
        keyed = talk.call.ask_digits("report-district", at_most=2, optional=True)
        if not keyed:
            return None
        if int(keyed) in _DISTRICTS:
            return int(keyed)
        talk.call.say("district-invalid")
    return None


def _spoken(talk: Conversation) -> Path | None:
    """The file of what was said; None, and no file, if the caller does not send it."""
    file = talk.new_message()
    wav, sent = file.with_suffix(".wav"), False
    try:
        for _ in range(_TRIES):
            talk.call.say("report-speak")
            talk.call.record(file, MESSAGE_S)
            if not something_recorded(wav):
                break
            answer = talk.call.ask("report-review", keys="123")
            sent = answer == "1"
            if answer != "2":
                break
    finally:
        if not sent:
            wav.unlink(missing_ok=True)
    return wav if sent else None
