"""`python -m ops.process NAME`: one process alone, as `hotline137 run` and the containers start it.

It imports no more than that process needs: after a fault, each second until it works again counts.
"""

import importlib
import os
import sys

from ops import log
from settings import SettingsError, load

MODULES = {
    "ivr": "ivr.server",
    "dialer": "dialer.process",
    "clerk": "clerk.process",
    "api": "api.server",
}


def run(name: str) -> None:
    """Work until told to stop."""
    os.umask(0o077)  # the state folder holds citizens' numbers and voices
    log.set_up()
    try:
        importlib.import_module(MODULES[name]).serve(load())
    except SettingsError as error:
        sys.exit(f"Wrong settings:\n{error}")
    except KeyboardInterrupt:
        return


if __name__ == "__main__":
    run(sys.argv[1])
