"""`python -m ops.process_parent NAME COMMAND…`: keep one process alive and working.

This program is the parent of the process in each container; `ops.supervise` keeps all of one machine. It
needs only Python, because Asterisk's container has no more.
"""

import asyncio
import os
import re
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from ops import asterisk_log
from ops.console import check_node
from ops.log import Form
from ops.supervisor import ASTERISK_INHERITS, Program, Supervisor


def main() -> None:
    """Run until told to stop."""
    name, *argv = sys.argv[1:]
    program = Program(name, argv)
    if name == "asterisk":
        os.umask(0o007)  # its group may read and write its recordings, too (settings.asterisk_files)
        program = Program(name, argv, _asked(argv), asterisk_log.format_event, inherits=ASTERISK_INHERITS)
    form: Form = "json" if os.environ.get("HOTLINE_LOG") == "json" else "console"
    asyncio.run(Supervisor([program], partial(print, flush=True), form).run())


def _asked(argv: Sequence[str]) -> Callable[[], str]:
    """Return the check of the Asterisk whose configuration file the command line names."""
    config = Path(argv[argv.index("-C") + 1]).read_text()
    found = re.search(r"(?m)^astrundir => (.+)$", config)
    if not found:
        raise SystemExit("no astrundir in Asterisk's configuration")
    return partial(check_node, Path(found[1]) / "asterisk.ctl")


if __name__ == "__main__":
    main()
