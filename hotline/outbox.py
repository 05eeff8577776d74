"""The outbox: what citizens are told by text message, written in the transaction it tells of.

Words come later, in the language of the registration (the clerk's sender); here are only the facts.
"""

import json
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.engine import now
from db.models import Message, MessageKind, Registration

MOBILE = "+989"
"""Numbers that text messages reach."""


def tell(
    session: Session,
    kind: MessageKind,
    registration: Registration,
    *,
    about_round: int,
    expires_at: datetime | None = None,
    **facts: Any,
) -> None:
    """Have the citizen told once of `kind` in that round; land lines cannot be. `facts` are for the text."""
    key = f"{kind}-{registration.id}-{about_round}"
    if not registration.number.startswith(MOBILE):
        return
    if session.scalar(select(Message.id).where(Message.key == key)):
        return
    at = now(session)
    session.add(
        Message(
            key=key,
            kind=kind,
            registration_id=registration.id,
            round_id=about_round,
            to=registration.number,
            body=json.dumps({"ticket": registration.ticket, **facts}, ensure_ascii=False),
            made_at=at,
            not_before=at,
            expires_at=expires_at,
        )
    )
