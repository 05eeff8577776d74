"""Slow checks that nobody else makes in time: the ends of certificates, and the order of the ledger."""

import logging
from datetime import timedelta

from sqlalchemy import Engine

from db.engine import now, reading
from hotline import certificates, inspections
from hotline.clock import is_quiet
from hotline.ledger.verify import verify
from settings import Settings

log = logging.getLogger("scheduler")

_EACH_NIGHT = timedelta(hours=20)
_LATEST = timedelta(days=2)
"""A check that no quiet hour has come for is made by day."""


def inspect_certificates(_engine: Engine, settings: Settings) -> None:
    """Record the end of each certificate. One whose address does not answer now keeps its last end."""
    ends = certificates.list_ends(settings)
    found = {name: end.timestamp() if end else 0.0 for name, end in ends.items()}
    wanted = {*certificates.list_addresses(settings), *ends}
    known = {name: end for name, end in inspections.read(settings).certificates.items() if name in wanted}
    inspections.write(settings, certificates={**known, **found})


def inspect_ledger(engine: Engine, settings: Settings) -> None:
    """Verify the whole ledger once a night, and record how many problems it has.

    It takes two minutes for a million entries.
    """
    with reading(engine) as session:
        at = now(session)
    age = abs(at.timestamp() - inspections.read(settings).ledger_at)
    due = _EACH_NIGHT if is_quiet(at, settings.quiet_hours) else _LATEST
    if age < due.total_seconds():
        return
    problems = verify(engine).problems
    if problems:
        log.error("the ledger is not in order: %d problems; hotline137 ledger verify", len(problems))
    inspections.write(settings, ledger_at=at.timestamp(), ledger_problems=len(problems))
