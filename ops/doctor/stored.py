"""Checks of the database and of its records: processes, the trunk, text messages."""

import os
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from sqlalchemy import Engine, func, select, text
from sqlalchemy.orm import Session

from db.engine import connect, now, reading, writing
from db.models import Desk, Event, Heartbeat, LedgerEntry, TrunkState
from db.trusted_time import STEP, find_doubt
from db.version import is_newest, may_run
from hotline import heartbeats
from hotline.messages import delivery_reports
from hotline.nodes import administration as machines
from hotline.nodes import leases
from hotline.trunk import selection, status
from hotline.trunk.status import Is
from ops.doctor.findings import (
    LATE_S,
    Finding,
    Known,
    fail,
    find_missing_connection,
    report_ok,
    shorten_error,
    warn,
)
from settings import Settings
from settings.trunks import Trunk

_PROCESSES = ("asterisk", "ivr", "dialer", "scheduler")
_APART, _FAR_APART = timedelta(seconds=2), timedelta(seconds=30)
_STALE = timedelta(hours=1)
_NONE_YET = "it is not there yet"


def read_facts(settings: Settings) -> Known:
    """Return the facts for all checks; a database without an answer in time counts as away."""
    found: list[Known] = [Known(settings, runs=False, why=f"no answer within {LATE_S:.0f} s")]
    asking = threading.Thread(target=lambda: found.append(_ask(settings)), daemon=True)
    asking.start()
    asking.join(LATE_S)
    known = found[-1]
    return known if known.runs else replace(known, runs=_serves(settings))


def _ask(settings: Settings) -> Known:
    if (path := find_sqlite_file(settings)) and not path.exists():
        return Known(settings, why=_NONE_YET)  # a connection would create the file
    try:
        engine = connect(settings.database)
        with reading(engine) as session:
            at, server = now(session), _server(session)
            if not may_run(session.connection()):
                return Known(settings, engine, at=at, server=server, why="its tables are of another version")
            beats = {name: heartbeats.is_alive(session, name) for name in _PROCESSES}
            stuck = heartbeats.find_stuck_job(session) if beats["scheduler"] else None
        return Known(
            settings,
            engine,
            runs=any(beats.values()),
            beats=beats,
            stuck=stuck[0] if stuck else "",
            at=at,
            server=server,
        )
    except Exception as error:  # any reason is the finding
        return Known(settings, why=shorten_error(error))


def find_sqlite_file(settings: Settings) -> Path | None:
    """Return the database's file; None for PostgreSQL."""
    kind, _, path = settings.database.partition(":///")
    return Path(path) if kind == "sqlite" else None


def _server(session: Session) -> str:
    if session.get_bind().dialect.name == "sqlite":
        return f"SQLite {session.scalar(text('SELECT sqlite_version()'))}"
    return f"PostgreSQL {session.scalar(text('SHOW server_version'))}"


def _serves(settings: Settings) -> bool:
    asking = HTTPConnection(*settings.http, timeout=2)
    try:
        asking.request("GET", "/livez")
        return asking.getresponse().status == 204
    except (OSError, HTTPException):
        return False
    finally:
        asking.close()


def check_database(known: Known) -> Iterator[Finding]:
    """Check that the database answers, has this version's tables, and accepts writes."""
    if known.why == _NONE_YET:
        yield warn("database", _NONE_YET, "hotline137 run (or prepare) makes it")
    elif known.engine is None:
        yield find_missing_connection("database", known.why) or fail(
            "database", known.why, "start PostgreSQL; HOTLINE_DATABASE_URL, its password; a full disk?"
        )
    elif known.why:
        yield fail("database", f"{known.server}: {known.why}", "hotline137 db upgrade")
    else:
        yield _written(known.engine, known.server)
        with reading(known.engine) as session:
            if not is_newest(session.connection()):
                yield warn(
                    "database", "its tables are the next version's already", "upgrade this machine, too"
                )


def _written(engine: Engine, server: str) -> Finding:
    try:
        with writing(engine) as session:
            heartbeats.beat(session, "doctor")
            session.flush()
            session.delete(session.get_one(Heartbeat, "doctor"))
    except Exception as error:
        return find_missing_connection("database", error) or fail(
            "database",
            f"{server} takes nothing: {shorten_error(error)}",
            "a full disk, its rights, who locks it?",
        )
    return report_ok("database", f"{server}, tables that fit, and it takes what is written")


def check_clock(known: Known) -> Iterator[Finding]:
    """Compare this machine's clock with the database's, and with the last written time."""
    if known.engine is None or known.why or known.at is None:
        return
    with reading(known.engine) as session:
        began, at, ended = datetime.now(UTC), now(session), datetime.now(UTC)
        newest_event = session.scalar(select(func.max(Event.at)).where(Event.id > _last(session) - 50))
        doubt = find_doubt(session)
        newest_fact = session.scalar(select(LedgerEntry.at).order_by(LedgerEntry.id.desc()).limit(1))
        first_ahead = select(func.min(LedgerEntry.id)).where(LedgerEntry.at > at + STEP)
        ahead_from = session.scalar(first_ahead) if newest_fact and newest_fact > at + STEP else None
        before = ahead_from and session.get(LedgerEntry, ahead_from - 1)
    if ahead_from and newest_fact:
        since = f"since {before.at:%Y-%m-%d %H:%M} UTC " if before else ""
        yield warn(
            "ledger",
            f"{since}(entry {ahead_from}) it is dated ahead, up to {newest_fact:%Y-%m-%d %H:%M} UTC:"
            " the clock was ahead and has been set back; the order holds",
            "set it by NTP (chrony); if a round lost its line: hotline137 round take-back",
        )
    if doubt:
        leap = f"it leapt from {doubt.trusted_at:%Y-%m-%d %H:%M} UTC, or this machine was off"
        yield warn(
            "clock",
            f"{leap}: nothing is closed or deleted until {doubt.until:%H:%M} UTC",
            "set it by NTP (chrony); if a round lost its line: hotline137 round take-back",
        )
    apart = max(began - at, at - ended, timedelta(0))
    if apart > _FAR_APART:
        yield fail("clock", f"{apart.total_seconds():.0f} s from the database's", "set both by NTP (chrony)")
    elif apart > _APART:
        yield warn("clock", f"{apart.total_seconds():.1f} s from the database's", "set both by NTP (chrony)")
    elif newest_event and newest_event > at + _FAR_APART:
        behind = (newest_event - at).total_seconds()
        yield fail("clock", f"{behind:.0f} s behind what was written last: it was set back", "set it by NTP")
    else:
        yield report_ok("clock", "the database's is the same, and nothing was written after now")


def _last(session: Session) -> int:
    return session.scalar(select(func.max(Event.id))) or 0


def check_processes(known: Known) -> Iterator[Finding]:
    """Check the heartbeats of the processes."""
    if not known.beats:
        return
    if not known.runs:
        start = "systemctl start hotline137.target, or hotline137 run; its log: docs/operate/night.md"
        if _has_run(known):
            yield fail("processes", "the system does not run: nobody can call 137", start)
        else:
            yield warn("processes", "the system has not run yet", start)
        return
    silent = [name for name, alive in known.beats.items() if not alive]
    for name in silent:
        yield fail(name, "has not said lately that it works", f"the log for {name}; docs/operate/night.md")
    if known.stuck:
        yield warn("scheduler", f"its job {known.stuck} does not come to its end", "the log for scheduler")
    if not silent and not known.stuck:
        yield report_ok("processes", f"{', '.join(known.beats)} work")


def _has_run(known: Known) -> bool:
    if known.engine is None:
        return False
    with reading(known.engine) as session:
        return any(session.get(Heartbeat, heartbeats.find_row(each)) for each in _PROCESSES)


def check_nodes(known: Known) -> Iterator[Finding]:
    """Check the nodes, if there are several."""
    if known.engine is None or known.why:
        return
    with reading(known.engine) as session:
        found = machines.list_states(session)
        sip = leases.find_other_machine(session, known.settings)
    if sip:
        yield fail(
            f"node {known.settings.node}", f"another machine at {sip} has this name, too", "HOTLINE_NODE"
        )
    for name, state in found.items() if len(found) > 1 else ():
        if state == "gone":
            yield warn(f"node {name}", "gone; if for good: hotline137 node remove", "docs/operate/nodes.md")
        else:
            yield report_ok(f"node {name}", state)


def check_trunks(known: Known) -> Iterator[Finding]:
    """Check the trunks, by the dialer's records."""
    ours = known.settings.trunks
    if known.settings.has_sample_trunk:
        yield warn("trunk", f"{ours[0].host} is the sample's", "HOTLINE_TRUNKS; docs/operate/trunk.md")
        return
    names = {each.name: "trunk" if len(ours) == 1 else f"trunk {each.name}" for each in ours}
    if known.engine is None or known.why or not known.runs:
        for each in ours:
            yield report_ok(names[each.name], f"{each.host}; how it is shows once the system runs")
        return
    with reading(known.engine) as session:
        told, found = status.list_statuses(session, [*names]), selection.find_states(session, names)
    down = [told[each.name] for each in ours if told[each.name].state is Is.DOWN]
    if len(down) == len(ours):
        hosts, since = (
            ", ".join(str(each.host) for each in ours),
            min(word.since for word in down if word.since),
        )
        yield fail("trunk", f"{hosts} takes no calls since {since:%Y-%m-%d %H:%M}Z", "call the carrier")
    others = "; calls go by the others" if len(down) < len(ours) else ""
    for each in ours:
        yield from _of_trunk(names[each.name], each, told[each.name], found.get(each.name), others)


def _of_trunk(
    name: str, each: Trunk, word: status.Status, row: TrunkState | None, others: str
) -> Iterator[Finding]:
    if row and row.registered is False:
        do = "its user and secret; the carrier; docs/operate/trunk.md"
        yield fail(name, f"{each.host} does not take our registration: it cannot call us", do)
    if word.state is Is.DOWN:
        said = f"answered {row.said}" if row and row.said else "says nothing"
        since = f"{word.since:%Y-%m-%d %H:%M}Z"
        if others or (row and row.down_since):
            yield warn(name, f"{each.host} {said}, since {since}{others}", "docs/operate/trunk.md")
    elif word.state is Is.UNHEARD:
        yield warn(
            name, f"{each.host}: nothing was heard of it yet", "a test call (/setup); docs/operate/trunk.md"
        )
    elif row and row.answers:
        took = "" if row.latency_ms is None else f" within {row.latency_ms:.0f} ms"
        yield report_ok(name, f"{each.host} answers{took}")
    else:
        yield report_ok(name, f"{each.host} takes calls; it does not answer OPTIONS, which says nothing")


def check_text_messages(known: Known) -> Iterator[Finding]:
    """Check that text messages can be sent, and the remaining credit."""
    settings = known.settings
    providers = [name for name in (settings.sms_provider, *settings.sms_next) if name]
    if not providers:
        yield warn("text messages", "no provider is set: citizens get none", "docs/text-messages.md")
        return
    if known.engine is None or known.why:
        return
    with reading(known.engine) as session:
        found = {account.provider: account for account in delivery_reports.list_accounts(session)}
        at = now(session)
    for name in providers:
        account = found.get(name)
        if account is None or account.asked_at < at - _STALE:
            yield report_ok("text messages", f"{name}: what is left there is not known")
        elif account.error:
            yield fail("text messages", f"{name}: {account.error}", "its key and its rights at the provider")
        elif delivery_reports.is_low(account, settings.sms_least_credit):
            yield warn("text messages", f"{name}: {account.credit:g} left", "fill the account")
        else:
            left = "" if account.credit is None else f", {account.credit:g} left"
            yield report_ok("text messages", f"{name} lets us in{left}")


def check_database_files(known: Known) -> Iterator[Finding]:
    """Check that the running process can write SQLite's files."""
    path = find_sqlite_file(known.settings)
    for each in (path, Path(f"{path}-wal"), Path(f"{path}-shm")) if path else ():
        if each.exists() and not os.access(each, os.W_OK):
            yield fail("permissions", f"{each} cannot be written", f"chown it to who runs hotline137: {each}")


def check_desk_phones(known: Known) -> Iterator[Finding]:
    """Name the desks whose SIP phone has no key, and is not admitted any more."""
    if known.engine is None:
        return
    keyless = Desk.phone == "sip", Desk.number.is_(None), Desk.sip_key.is_(None)
    with reading(known.engine) as session:
        desks = session.scalars(select(Desk.id).where(*keyless).order_by(Desk.id)).all()
    if desks:
        yield fail(
            "desks",
            f"the SIP phone of desk {', '.join(map(str, desks))} has no key: its room does not let it in",
            "hotline137 desk-phone N shows what it dials (1 and eight digits); docs/desks.md",
        )
