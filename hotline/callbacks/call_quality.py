"""Call quality that a desk's browser measures during a conversation.

The browser repeatedly sends its totals, so that a page that dies loses only the last seconds. Totals from
more readings win: a late or repeated report changes nothing.
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
"""MOS below which many people are dissatisfied (ITU-T G.107, annex B). Also in web/src/phone/quality.ts."""
_AFTERWARDS = timedelta(hours=1)
"""How long after a conversation its browser may still send totals."""


@dataclass(frozen=True, kw_only=True)
class Measured:
    """Means and worst values of `readings` measurements; see `db.models.CallQuality`."""

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
    """Store the measurements of a conversation. Raises Refused("never-met" | "wrong-state")."""
    at = now(session)
    if callback.talking_at is None:
        raise Refused("never-met", "nobody has spoken with this citizen yet")
    if callback.ended_at and at - callback.ended_at > _AFTERWARDS:
        raise Refused("wrong-state", "this conversation was long ago")
    row = {"callback_id": callback.id, "measured_at": at, **asdict(measured)}
    session.execute(_KEEP[session.get_bind().dialect.name], row)


def find_by_callbacks(session: Session, ids: Iterable[int]) -> dict[int, CallQuality]:
    """Return the quality of these conversations, by callback id."""
    found = session.scalars(select(CallQuality).where(CallQuality.callback_id.in_(list(ids))))
    return {quality.callback_id: quality for quality in found}


def is_bad(quality: CallQuality) -> bool:
    """Return whether the conversation, as a whole, was hard to understand."""
    return quality.mos < BAD_MOS
