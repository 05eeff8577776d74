"""How well a desk's phone heard and was heard in a conversation: what its browser measures is kept here.

The browser sends what it has so far, again and again, so that a page that dies leaves all but the last
seconds. What rests on more readings is kept: a late or repeated one changes nothing.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from db.engine import now
from db.models import Callback, CallQuality
from hotline.errors import Refused

BAD_MOS = 3.1
"""Below it a conversation was bad: many are dissatisfied (ITU-T G.107, annex B). web/src/phone/quality.ts"""
_AFTERWARDS = timedelta(hours=1)
"""For so long after a conversation its browser may still send what it measured."""


@dataclass(frozen=True, kw_only=True)
class Measured:
    """Means and worst values of so many readings; see `db.models.CallQuality`."""

    readings: int
    mos: float
    mos_worst: float
    loss: float
    loss_worst: float
    jitter_ms: float
    jitter_ms_worst: float
    rtt_ms: float | None
    rtt_ms_worst: float | None


_NUMBERS = (*Measured.__dataclass_fields__, "measured_at")
_KEEP = {
    name: into.on_conflict_do_update(
        index_elements=["callback_id"],
        set_={column: into.excluded[column] for column in _NUMBERS},
        where=into.excluded.readings > CallQuality.readings,
    )
    for name, into in (
        ("postgresql", postgresql.insert(CallQuality)),
        ("sqlite", sqlite.insert(CallQuality)),
    )
}


def keep(session: Session, callback: Callback, measured: Measured) -> None:
    """Keep what was measured of a conversation. Raises Refused("never-met" | "wrong-state")."""
    at = now(session)
    if callback.talking_at is None:
        raise Refused("never-met", "nobody has spoken with this citizen yet")
    if callback.ended_at and at - callback.ended_at > _AFTERWARDS:
        raise Refused("wrong-state", "this conversation was long ago")
    row = {"callback_id": callback.id, "measured_at": at, **asdict(measured)}
    session.execute(_KEEP[session.get_bind().dialect.name], row)


def of_callbacks(session: Session, ids: Iterable[int]) -> dict[int, CallQuality]:
    """What is known of these conversations, by callback."""
    found = session.scalars(select(CallQuality).where(CallQuality.callback_id.in_(list(ids))))
    return {quality.callback_id: quality for quality in found}


def is_bad(quality: CallQuality) -> bool:
    """Whether the conversation, as a whole, was hard to understand."""
    return quality.mos < BAD_MOS
