"""Summaries of voice messages: one sentence by the first listener, so that nobody must listen twice."""

from sqlalchemy.orm import Session

from db import events
from db.engine import now
from db.models import Registration, User, VoiceSummary
from hotline import audit
from hotline.errors import Refused

LONGEST = 300


def find(session: Session, registration_id: int) -> VoiceSummary | None:
    """Return the summary of the registration's message, or None."""
    return session.get(VoiceSummary, registration_id)


def write(session: Session, registration: Registration, written: str, *, by: User) -> VoiceSummary:
    """Write the summary, replacing an earlier one. Raises Refused("text-missing" | "not-found")."""
    if not written.strip():
        raise Refused("text-missing", "write what it says")
    if registration.voice_message is None:
        raise Refused("not-found", "there is no message, or not any more")
    # two people may write at the same time
    session.refresh(registration, with_for_update={"key_share": True})
    summary = find(session, registration.id) or VoiceSummary(registration_id=registration.id)
    summary.writer, summary.at, summary.written = by, now(session), written.strip()
    session.add(summary)
    session.flush()
    audit.record(session, by.username, "voice-message-summed-up", f"registration {registration.id}")
    events.append_registration(session, registration)
    return summary
