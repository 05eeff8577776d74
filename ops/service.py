"""`python -m ops.service prepare|asterisk|reload`: what systemd's units (ops/deb/units) start beside our own
processes; `unpack FOLDER VERSION`: the Asterisk that a package carries.
"""

import os
import subprocess
import sys
from pathlib import Path

from db.migrate import OtherVersion
from dialplan.render import render
from ops import asterisk
from ops.keep_all import say
from ops.run import CannotRun, prepare
from prompts.sources import VoiceError
from settings import Settings, SettingsError, load


def main() -> None:
    """Do what the command line says. Ends with the reason where something is wrong."""
    os.umask(0o077)  # the state folder holds citizens' numbers and voices
    what, *arguments = sys.argv[1:]
    try:
        if what == "unpack":
            asterisk.unpack(Path(arguments[0]).absolute(), arguments[1])
            return
        {"prepare": _prepare, "asterisk": _run_asterisk, "reload": _reload}[what](load())
    except (CannotRun, SettingsError, asterisk.NoAsterisk, OtherVersion, VoiceError) as error:
        sys.exit(f"hotline137 cannot start:\n{error}")


def _prepare(settings: Settings) -> None:
    """Prompts, tables, Asterisk's configuration; also under a running system, whose calls go on."""
    for account in prepare(settings):
        say(f"{account.username:<10} {account.password}   {account.what}")
    found = asterisk.get(settings, say)
    if concern := found.concern():
        say(concern)
    render(settings, modules=found.modules, data=found.data)


def _run_asterisk(settings: Settings) -> None:
    """Become the parent that keeps it working."""
    for stale in ("asterisk.pid", "asterisk.ctl"):
        (settings.state_dir / "asterisk" / stale).unlink(missing_ok=True)
    argv = asterisk.get(settings, say).argv(_config(settings))
    keeper = [sys.executable, "-u", "-m", "ops.keep", "asterisk", *argv]
    # The parent reads no file of settings: it needs nothing but Python.
    os.execve(sys.executable, keeper, os.environ | {"HOTLINE_LOG": settings.log})  # noqa: S606


def _reload(settings: Settings) -> None:
    """Take the configuration in that is there now; a port or an address needs a restart."""
    command = asterisk.get(settings, say).command
    asked = [*command, "-C", str(_config(settings)), "-rx", "core reload"]
    sys.exit(subprocess.run(asked, check=False).returncode)


def _config(settings: Settings) -> Path:
    return settings.state_dir / "asterisk" / "etc" / "asterisk.conf"


if __name__ == "__main__":
    main()
