"""`python -m ops.process NAME`: one process alone, as `hotline137 run` and the containers start it.

The program imports only the modules of that process: after a fault each second counts.
"""

import gc
import importlib
import os
import sys
from pathlib import Path
from types import ModuleType

from ops import log
from settings import Settings, SettingsError, last_good, load

MODULES = {
    "ivr": "ivr.server",
    "dialer": "dialer.process",
    "scheduler": "scheduler.process",
    "api": "api.server",
}
OLD_NAMES = {"clerk": "scheduler"}
"""Names of version 0.3.0, which a city's own units and Compose files may still say; the next version drops
them."""


def run(name: str) -> None:
    """Work until told to stop."""
    name = OLD_NAMES.get(name, name)
    os.umask(0o077)  # the state folder holds citizens' numbers and voices
    log.set_up()
    try:
        settings = _load()
        log.set_up(name, settings.log)
        _module(name).serve(settings)
    except SettingsError as error:
        sys.exit(f"Wrong settings:\n{error}")
    except KeyboardInterrupt:
        return


def _load() -> Settings:
    """Return the settings that `ops.service prepare` put in force, under systemd; else the files'."""
    by_systemd = "HOTLINE_LAST_GOOD" in os.environ
    last = last_good.load_last(Path(os.environ["HOTLINE_STATE_DIR"])) if by_systemd else None
    return last[0] if last else load()


def _module(name: str) -> ModuleType:
    """Import the process's own module.

    Imported modules stay, so they are excluded from garbage collection.
    """
    gc.disable()
    module = importlib.import_module(MODULES[name])
    gc.freeze()
    gc.enable()
    return module


if __name__ == "__main__":
    run(sys.argv[1])
