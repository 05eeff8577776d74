"""The real Asterisk with our dialplan, and nothing else of ours: its AGI is the test's to answer."""

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from dialplan.render import render
from ops import asterisk
from tests.kit.ports import free_port, free_range, give_back
from tests.kit.process import Program
from tests.kit.system import settings_of, share
from tests.kit.trunk_file import write_trunk


class LoneAsterisk:
    """Calls to `hotline` lead into the dialplan, which asks at `settings.agi`. Use it in a `with`."""

    def __init__(self, trunk: Mapping[str, object] | None = None, **environment: str) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="asterisk-"))
        self.trunk_port = free_port()
        write_trunk(self.folder, **{"host": f"127.0.0.1:{self.trunk_port}", **(trunk or {})})
        self._rtp = free_range(200)
        self.settings = settings_of(
            {
                "HOTLINE_STATE_DIR": str(self.folder),
                "HOTLINE_SIP": f"127.0.0.1:{free_port()}",
                "HOTLINE_ASTERISK_HTTP": f"127.0.0.1:{free_port()}",
                "HOTLINE_AGI": f"127.0.0.1:{free_port()}",
                "HOTLINE_AMI": f"127.0.0.1:{free_port()}",
                "HOTLINE_RTP_PORTS": str(self._rtp),
                "HOTLINE_MAX_CALLS": "40",
                "HOTLINE_DESKS": "40",
                **environment,
            }
        )

    @property
    def hotline(self) -> str:
        """Return the address that a phone dials."""
        return f"sip:137@{self.settings.sip}"

    def log(self) -> str:
        """Return the output so far."""
        return (self.folder / "asterisk.log").read_text(errors="replace")

    def __enter__(self) -> Self:
        try:
            share(self.settings)
            self._argv = self.render()
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def render(self) -> list[str]:
        """Write its configuration anew; gives the command that starts it."""
        found = asterisk.get(self.settings, lambda _text: None)
        return [*found.argv(render(self.settings, modules=found.modules, data=found.data))]

    def restart(self) -> None:
        """End it and start it again, with what its own folders hold."""
        self._program.stop(patience=5)
        (self.folder / "asterisk.log").unlink()
        self._start()

    def _start(self) -> None:
        self._program = Program(self._argv, folder=self.folder, log=self.folder / "asterisk.log")
        self._program.ready(lambda: "Asterisk Ready" in self.log(), timeout=60)

    def __exit__(self, *_: object) -> None:
        if hasattr(self, "_program"):
            self._program.stop(patience=5)
        give_back(self._rtp)
        shutil.rmtree(self.folder, ignore_errors=True)
