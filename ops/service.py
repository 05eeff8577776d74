"""`python -m ops.service prepare|reload|tables|wait|asterisk`: helpers of systemd's units (ops/deb/units).

`prepare` needs no database, so that Asterisk and the pages start without one; `wait` is `tables` that waits
for it. `unpack FOLDER VERSION` unpacks a package's Asterisk. `asterisk` runs as a user who may not read the
settings, so `prepare` writes its start file.
"""

import json
import os
import subprocess
import sys
import time
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from db.engine import connect, is_away
from db.migrate import OtherVersion
from dialplan.render import render
from hotline import watchdog
from ops import asterisk, first_visit
from ops.doctor.findings import shorten_error
from ops.run import CannotRun, claim_node_name, claim_state_folder, prepare_database, prepare_files
from ops.supervise import say
from prompts.sources import VoiceError
from settings import Settings, SettingsError, last_good, load

WAITS = "the database is away; nobody can register until it answers"
"""Beginning of the line in the journal, and of the unit's status."""
_AGAIN_S = 2.0


def main() -> None:
    """Run the command; after a fault end with the reason."""
    os.umask(0o077)  # the state folder holds citizens' numbers and voices
    what, *arguments = sys.argv[1:]
    try:
        if what == "unpack":
            asterisk.unpack(Path(arguments[0]).absolute(), arguments[1])
            return
        if what == "asterisk":
            _run_asterisk(Path(os.environ["HOTLINE_STATE_DIR"]) / "asterisk")
            return
        {"prepare": _put_in_force, "reload": _reload, "tables": _migrate, "wait": _wait}[what]()
    except (CannotRun, SettingsError, asterisk.NoAsterisk, OtherVersion, VoiceError) as error:
        sys.exit(f"hotline137 cannot start:\n{error}")


def _migrate() -> None:
    """Migrate the tables, and say how whoever comes first signs in."""
    settings = _load_in_force()
    for account in prepare_database(settings):
        say(f"{account.username:<10} {account.password}   {account.what}")
    for line in first_visit.make_lines(settings):
        say(line)


def _wait() -> None:
    """Migrate the tables; while the database is away wait for it, for as long as it takes.

    A boot may bring the database's machine, network or disk after this one.
    """
    while True:
        try:
            _migrate()
        except SQLAlchemyError as error:
            if not is_away(error):
                raise
            _wait_for_database(error)
        else:
            return


def _wait_for_database(error: SQLAlchemyError) -> None:
    """Return once the database answers."""
    engine = connect(_load_in_force().database, connections=1)
    say(f"{WAITS}: {shorten_error(error)}")
    watchdog.report_status(f"{WAITS}: {shorten_error(error)}")
    while True:
        time.sleep(_AGAIN_S)
        with suppress(SQLAlchemyError), engine.begin():
            break
    engine.dispose()
    say("the database answers again")
    watchdog.report_status("the database answers again")


def _put_in_force() -> None:
    """Prepare with the settings as written; after a fault in them with those in force until now."""
    last = _load_last()
    try:
        settings = load()
        if last:
            _compare(settings, last[0])
        _prepare(settings)
    except (CannotRun, SettingsError, asterisk.NoAsterisk, VoiceError) as error:
        if last is None:
            raise
        say(f"REFUSED settings; those of {last[1]:%Y-%m-%d %H:%M} UTC stay in force. {error}")
        _prepare(last[0])
    else:
        last_good.keep(settings)


def _load_in_force() -> Settings:
    last = _load_last()
    return last[0] if last else load()


def _load_last() -> tuple[Settings, datetime] | None:
    folder = os.environ.get("HOTLINE_STATE_DIR")  # the units name it
    return last_good.load_last(Path(folder)) if folder else None


def _compare(settings: Settings, last: Settings) -> None:
    """Raises SettingsError if the system did not work with these settings, or another database is away."""
    if last_good.is_taken_back(settings):
        raise SettingsError("The system did not work with them: change them, or try again (hotline137 apply)")
    if settings.database == last.database:
        return
    try:
        with connect(settings.database).connect():
            return
    except SQLAlchemyError as error:
        raise SettingsError(f"HOTLINE_DATABASE_URL: {shorten_error(error)}") from None


def _prepare(settings: Settings) -> None:
    """Prepare prompts and Asterisk's configuration; calls of a running system go on."""
    prepare_files(settings)
    _claim(settings)
    found = asterisk.get(settings, say)
    start = _start_file(settings.state_dir / "asterisk")
    start.parent.mkdir(parents=True, exist_ok=True)
    start.write_text(json.dumps({"argv": found.argv(_config(settings)), "log": settings.log}))
    render(settings, modules=found.modules, data=found.data)


def _claim(settings: Settings) -> None:
    """Check that no other machine is this node, before Asterisk registers at the same trunks.

    A database without tables knows of none, nor does one that is away: `tables` asks it again. Raises
    CannotRun if another is, or if the state folder is another node's and nobody can say whether that works.
    """
    engine = connect(settings.database, connections=1)
    try:
        claim_state_folder(settings, engine)
    except SQLAlchemyError as error:
        if is_away(error):
            raise CannotRun(
                f"{settings.state_dir} is another node's, and the database does not say whether that works: "
                f"{shorten_error(error)}"
            ) from None
    with suppress(SQLAlchemyError):
        claim_node_name(settings, engine)
    engine.dispose()


def _run_asterisk(folder: Path) -> None:
    """Become the parent that keeps Asterisk working."""
    start = json.loads(_start_file(folder).read_text())
    for stale in ("asterisk.pid", "asterisk.ctl"):
        (folder / "run" / stale).unlink(missing_ok=True)
    keeper = [sys.executable, "-u", "-m", "ops.process_parent", "asterisk", *start["argv"]]
    os.execve(sys.executable, keeper, os.environ | {"HOTLINE_LOG": start["log"]})  # noqa: S606


def _start_file(folder: Path) -> Path:
    return folder / "etc" / "start.json"


def _reload() -> None:
    """Load the present configuration; a port or an address needs a restart."""
    settings = _load_in_force()
    command = asterisk.get(settings, say).command
    asked = [*command, "-C", str(_config(settings)), "-rx", "core reload"]
    sys.exit(subprocess.run(asked, check=False).returncode)


def _config(settings: Settings) -> Path:
    return settings.state_dir / "asterisk" / "etc" / "asterisk.conf"


if __name__ == "__main__":
    main()
