"""Command hotline137 run: set everything up, then keep it running.

Callers wait for it: modules that only an empty installation needs are imported only there.
"""

import contextlib
import fcntl
import os
import socket
import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, NoReturn

from sqlalchemy import Engine, column, select, table

from db.engine import connect, now, reading, writing
from db.migrate import OtherVersion, upgrade
from dialplan.render import render
from ops import asterisk
from ops.supervise import Plan, become, say
from prompts.render import build
from prompts.sources import VoiceError
from settings import (
    Settings,
    SettingsError,
    describe_origin,
    explain_bad_links,
    list_old_names,
    load,
)

if TYPE_CHECKING:
    from ops import sample

PROCESS = ["-m", "ops.process"]
"""Command line of each of our processes, before its name."""
KEEPER = ["-m", "ops.supervise"]
"""Command line of their keeper."""


class CannotRun(Exception):
    """Something is missing or in the way; the text says what to do."""


def start() -> None:
    """Run the command; after a fault end with the reason."""
    os.umask(0o077)  # the state folder holds citizens' numbers and voices
    try:
        run(load())
    except SettingsError as error:
        _fail(f"Wrong settings:\n{error}", 2)
    except (CannotRun, asterisk.NoAsterisk, OtherVersion, VoiceError) as error:
        _fail(str(error), 1)


def _fail(why: str, code: int) -> NoReturn:
    import typer

    typer.secho(why, fg="red", err=True)
    sys.exit(code)


def run(settings: Settings) -> None:
    """Set up, then become the keeper of everything until Ctrl-C. Raises CannotRun, NoAsterisk."""
    with _only_one(settings):
        accounts = prepare(settings)
        _ports_free(settings)
        found = asterisk.get(settings, say)
        config = render(settings, modules=found.modules, data=found.data)
        running = settings.state_dir / "asterisk" / "run"
        for stale in ("asterisk.pid", "asterisk.ctl"):
            (running / stale).unlink(missing_ok=True)
        ours = [sys.executable, "-u", *PROCESS]
        programs = [(name, [*ours, name]) for name in ("ivr", "dialer", "scheduler", "api")]
        plan = Plan(
            programs=[("asterisk", found.argv(config)), *programs],
            console=str(running / "asterisk.ctl"),
            log=settings.log,
            host=settings.http.host,
            port=settings.http.port,
            welcome=_welcome(settings, accounts, _first_visit(settings)),
        )
        become(plan, KEEPER)


def prepare(settings: Settings) -> list["sample.Account"]:
    """Prepare prompts, database and sample data. Return the sample accounts if they were created now.

    Raises CannotRun if the state folder is another node's, or the node's name another machine's.
    """
    prepare_files(settings)
    return prepare_database(settings)


def prepare_files(settings: Settings) -> None:
    """Say where the settings are from, and speak the prompts that are missing."""
    say(f"settings: {describe_origin(settings)}")
    for said in filter(None, (*list_old_names(settings), explain_bad_links(settings))):
        say(said)
    if settings.sip_tls_certificate:
        from ops.doctor import certificates  # few cities have a certificate, and the module is large

        for said in certificates.list_faults(settings):
            say(said)
    settings.state_dir.mkdir(parents=True, exist_ok=True)
    say("prompts")
    build(settings)


def prepare_database(settings: Settings) -> list["sample.Account"]:
    """Migrate the tables, claim the node's name, and fill in sample data if asked for.

    Returns the sample accounts if they were created now. Raises CannotRun as `prepare` does.
    """
    say("database")
    engine = connect(settings.database)
    upgrade(engine)
    claim_state_folder(settings, engine)
    claim_node_name(settings, engine)
    accounts: list[sample.Account] = []
    if settings.sample and not _is_there(engine, "officials"):
        from ops.sample import fill

        with writing(engine) as session:
            accounts = fill(session, settings.of_city, trial=settings.browser_phone)
    engine.dispose()
    return accounts


def _is_there(engine: Engine, kind: str) -> bool:
    """Return whether the table has a row.

    The table is named by text, because loading the models takes a while.
    """
    with reading(engine) as session:
        return session.scalar(select(column("id")).select_from(table(kind)).limit(1)) is not None


def claim_state_folder(settings: Settings, engine: Engine) -> None:
    """Mark the state folder as this node's. Raises CannotRun if a node at work elsewhere uses it.

    Two nodes would overwrite each other's configuration of Asterisk and limit of callers. A machine with a
    new node name keeps its folder.
    """
    mark = settings.state_dir / "node"
    marked = mark.read_text().strip() if mark.exists() else settings.node
    if marked != settings.node:
        _is_no_others(settings, engine, marked)
    mark.write_text(settings.node)


def _is_no_others(settings: Settings, engine: Engine, marked: str) -> None:
    from db.models import Node
    from hotline.nodes.leases import is_live

    with reading(engine) as session:
        other = session.get(Node, marked)
        if other and other.sip != str(settings.sip) and is_live(other, now(session)):
            raise CannotRun(
                f"{settings.state_dir} is the state folder of node {marked}, at work at {other.sip}. "
                f"Give node {settings.node} one of its own: HOTLINE_STATE_DIR (docs/operate/nodes.md)."
            )


def claim_node_name(settings: Settings, engine: Engine) -> None:
    """Identify this machine, and wait until no other one works under this node's name.

    A restarted machine does not wait; one that lost its state folder waits for its old lease. The identity is
    written here, because not every process may write to the state folder (docker-compose.yml). Raises
    CannotRun if another machine keeps the name.
    """
    from hotline.nodes import node_identity

    node_identity.get_identity(settings)
    if settings.database.startswith("sqlite"):
        return
    from hotline.nodes.leases import GRACE, LEASE, find_other_machine

    until = time.monotonic() + (LEASE + GRACE).total_seconds() + 1
    while True:
        with reading(engine) as session:
            sip = find_other_machine(session, settings)
        if sip is None:
            return
        if time.monotonic() > until:
            raise CannotRun(node_identity.describe_conflict(settings, sip))
        time.sleep(1)


@contextlib.contextmanager
def _only_one(settings: Settings) -> Iterator[None]:
    settings.state_dir.mkdir(parents=True, exist_ok=True)
    with (settings.state_dir / "run.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CannotRun(f"{settings.state_dir} is in use: hotline137 runs there already") from None
        os.set_inheritable(lock.fileno(), True)  # the keeper that this process becomes inherits it
        yield


def _ports_free(settings: Settings) -> None:
    addresses = {
        "HOTLINE_HTTP": (settings.http, socket.SOCK_STREAM),
        "HOTLINE_ASTERISK_HTTP": (settings.asterisk_http, socket.SOCK_STREAM),
        "HOTLINE_AGI": (settings.agi, socket.SOCK_STREAM),
        "HOTLINE_AMI": (settings.ami, socket.SOCK_STREAM),
        "HOTLINE_SIP": (settings.sip, socket.SOCK_DGRAM),
    }
    for name, (address, kind) in addresses.items():
        with socket.socket(socket.AF_INET, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, int(kind == socket.SOCK_STREAM))
            try:
                probe.bind(address)
            except OSError as error:
                reason = os.strerror(error.errno or 0)
                raise CannotRun(f"{name}={address}: {reason}. Set {name} to another address.") from None


def _first_visit(settings: Settings) -> list[str]:
    engine = connect(settings.database)
    try:
        if _is_there(engine, "users"):
            return []
    finally:
        engine.dispose()
    from ops import first_visit

    return first_visit.make_lines(settings)


def _welcome(settings: Settings, accounts: list["sample.Account"], first_visit: list[str]) -> str:
    lines = ["", "Hotline 137 is ready.", f"  desk:   http://{settings.http}/"]
    if settings.browser_phone:
        lines.append(f"  phone:  http://{settings.http}/phone   (a citizen's phone in the browser: dial 137)")
    lines.append(f"  SIP:    137@{settings.sip} (UDP)")
    lines.append(f"  API:    http://{settings.http}/api/docs")
    if accounts:
        lines.append("  accounts made just now; the passwords are shown this once:")
        lines += [f"    {a.username:<10} {a.password}   {a.what}" for a in accounts]
    lines += first_visit
    return "\n".join([*lines, "  Ctrl-C stops everything.", ""])
