"""JSON of recordings."""

from datetime import datetime

from pydantic import BaseModel

from api.schemas import Official, Quality


class Retention(BaseModel):
    """The stored recordings: their retention in days, bytes, and the disk."""

    days: int
    recordings: int
    size: int
    oldest: datetime | None
    next_deletion: datetime | None
    disk_total: int
    disk_free: int
    disk_nearly_full: bool


class Recording(BaseModel):
    """A recorded conversation: `seconds` of sound (0: nothing to hear). Deleted at `deleted_at`."""

    callback_id: int
    desk_id: int | None
    ticket: str
    talking_at: datetime | None
    seconds: int
    sha256: str
    made_at: datetime
    deleted_at: datetime | None
    quality: Quality | None


class RecordingOfRound(Recording):
    """A recording with its round."""

    round_id: int
    official: Official


class Recordings(BaseModel):
    """A page of all recordings, latest conversation first; `next` asks for older ones."""

    items: list[RecordingOfRound]
    next: int | None
