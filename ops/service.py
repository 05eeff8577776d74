"""`python -m ops.service start|prepare|asterisk|reload`: helpers of systemd's units (ops/deb/units).

`start` is `prepare` that waits for a database that is away. `unpack FOLDER VERSION` unpacks a package's
Asterisk. `asterisk` runs as a user who may not read the settings, so `prepare` writes its start file.
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
from ops import asterisk
from ops.doctor.findings import shorten_error
from ops.run import CannotRun, prepare
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
        {"start": _start, "prepare": _put_in_force, "reload": _reload}[what]()
    except (CannotRun, SettingsError, asterisk.NoAsterisk, OtherVersion, VoiceError) as error:
        sys.exit(f"hotline137 cannot start:\n{error}")


def _start() -> None:
    """Prepare; while the database is away wait for it, for as long as it takes.

    A boot may bring the database's machine, network or disk after this one.
    """
    while True:
        try:
            _put_in_force()
        except SQLAlchemyError as error:
            if not is_away(error):
                raise
            _wait_for_database(error)
        else:
            return


def _wait_for_database(error: SQLAlchemyError) -> None:
    """Return once the database of the settings in force answers."""
    last = _load_last()
    engine = connect((last[0] if last else load()).database, connections=1)
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
    """Prepare prompts, tables and Asterisk's configuration; calls of a running system go on."""
    for account in prepare(settings):
        say(f"{account.username:<10} {account.password}   {account.what}")
    found = asterisk.get(settings, say)
    start = _start_file(settings.state_dir / "asterisk")
    start.parent.mkdir(parents=True, exist_ok=True)
    start.write_text(json.dumps({"argv": found.argv(_config(settings)), "log": settings.log}))
    render(settings, modules=found.modules, data=found.data)


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
    last = _load_last()
    settings = last[0] if last else load()
    command = asterisk.get(settings, say).command
    asked = [*command, "-C", str(_config(settings)), "-rx", "core reload"]
    sys.exit(subprocess.run(asked, check=False).returncode)


def _config(settings: Settings) -> Path:
    return settings.state_dir / "asterisk" / "etc" / "asterisk.conf"


if __name__ == "__main__":
    main()
