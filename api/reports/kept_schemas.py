"""What goes over the wire between the API and those who look at what is kept."""

from datetime import datetime

from pydantic import BaseModel

from hotline.backups import Why
from hotline.reports.kept import Kind


class Kept(BaseModel):
    """Of one kind: kept for `days` (null: by no day) by `setting`; how many, of how many bytes, since when.

    `size` is null for rows of the database, `count` where it cannot be counted from here.
    """

    kind: Kind
    setting: str
    days: int | None
    count: int | None
    size: int | None
    oldest: datetime | None


class Backup(BaseModel):
    """The last backup, if there was one, and when one last went well; whether one is made each night.

    `asked_at`: since when a person waits for one that is not made yet. `why` it was not made, and what a log
    would say of that: `error`.
    """

    wanted: bool
    encrypted: bool
    asked_at: datetime | None
    at: datetime | None
    ok: bool | None
    good_at: datetime | None
    size: int | None
    why: Why | None
    error: str | None


class AllKept(BaseModel):
    """Everything that is kept, the disk it is on in bytes, and the last backup."""

    items: list[Kept]
    disk_total: int
    disk_free: int
    backup: Backup
