"""What goes over the wire between the API and those who hear recordings."""

from datetime import datetime

from pydantic import BaseModel

from api.schemas import Official, Quality


class Retention(BaseModel):
    """The recordings that are kept, for how many days, in bytes; and the disk they are on."""

    days: int
    recordings: int
    size: int
    oldest: datetime | None
    next_deletion: datetime | None
    disk_total: int
    disk_free: int
    disk_nearly_full: bool


class Recording(BaseModel):
    """A recorded conversation: `seconds` of sound (0: nothing can be heard), until `deleted_at`."""

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
    """A recording, and in which round it was made."""

    round_id: int
    official: Official


class Recordings(BaseModel):
    """A part of all recordings, the last conversation first; `next` asks for what is older."""

    items: list[RecordingOfRound]
    next: int | None
