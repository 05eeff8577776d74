"""Stored data by kind, with its retention, and the last backup."""

from datetime import datetime

from fastapi import APIRouter

from api.access import InForce, MayInspect, Reading
from api.reports import retention_schemas
from hotline import backups
from hotline.recordings import disk
from hotline.reports import retention_overview
from settings import Settings

router = APIRouter(prefix="/kept", tags=["kept"])


@router.get("")
def show(_user: MayInspect, session: Reading, settings: InForce) -> retention_schemas.AllKept:
    """Every kind of stored data with its retention, count and size, and the last backup."""
    space = disk.find_disk(settings.state_dir)
    return retention_schemas.AllKept(
        items=[_view(each) for each in retention_overview.list_retentions(session, settings)],
        disk_total=space.total,
        disk_free=space.free,
        backup=find_last_backup(settings),
    )


def find_last_backup(settings: Settings) -> retention_schemas.Backup:
    """Return the result of the last backup."""
    last = backups.read(settings)
    return retention_schemas.Backup(
        wanted=settings.backup_dir is not None,
        encrypted=settings.backup_recipient != "",
        asked_at=backups.find_asked_at(settings),
        at=datetime.fromisoformat(last.at) if last else None,
        ok=last.ok if last else None,
        good_at=datetime.fromisoformat(last.good_at) if last and last.good_at else None,
        size=last.size if last else None,
        why=backups.explain_failure(last),
        error=last.error if last else None,
    )


def _view(each: retention_overview.RetentionRow) -> retention_schemas.RetentionRow:
    return retention_schemas.RetentionRow(
        kind=each.kind,
        setting=f"HOTLINE_{each.setting.upper()}" if each.setting else "",
        days=each.days,
        count=each.number,
        size=each.size,
        oldest=each.oldest,
    )
