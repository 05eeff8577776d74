"""What a citizen's voice message says, in a sentence of whoever heard it first: nobody need hear it twice."""

from sqlalchemy.orm import Session

from db import events
from db.engine import now
from db.models import Registration, User, VoiceSummary
from hotline import audit
from hotline.errors import Refused

LONGEST = 300


def find(session: Session, registration_id: int) -> VoiceSummary | None:
    """What was written of the registration's message, if anything was."""
    return session.get(VoiceSummary, registration_id)


def write(session: Session, registration: Registration, written: str, *, by: User) -> VoiceSummary:
    """Keep it, in place of what was written before. Raises Refused("text-missing" | "not-found")."""
    if not written.strip():
        raise Refused("text-missing", "write what it says")
    if registration.voice_message is None:
        raise Refused("not-found", "there is no message, or not any more")
    session.refresh(registration, with_for_update={"key_share": True})  # two may write at one moment
    summary = find(session, registration.id) or VoiceSummary(registration_id=registration.id)
    summary.writer, summary.at, summary.written = by, now(session), written.strip()
    session.add(summary)
    session.flush()
    audit.record(session, by.username, "voice-message-summed-up", f"registration {registration.id}")
    events.registration_changed(session, registration)
    return summary
