"""JSON of stored data."""

from datetime import datetime

from pydantic import BaseModel

from hotline.backups import Why
from hotline.reports.retention_overview import Kind


class RetentionRow(BaseModel):
    """One kind of stored data: its retention in `days` (null: none) by `setting`, its count, size and age.

    `size` is in bytes, null for rows. `count` is null if this machine cannot count.
    """

    kind: Kind
    setting: str
    days: int | None
    count: int | None
    size: int | None
    oldest: datetime | None


class Backup(BaseModel):
    """The last backup, the last good one, and whether there is one each night.

    `asked_at`: since when a person waits for a backup. `why`: the reason of a failure; `error`: its text for
    engineers.
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
    """All kinds of stored data, the disk's bytes, and the last backup."""

    items: list[RetentionRow]
    disk_total: int
    disk_free: int
    backup: Backup
