"""The real Kamailio with our configuration, on a port of its own."""

import json
import re
import shutil
import subprocess
from typing import Any, Self

from dialplan import kamailio
from settings import Settings
from tests.kit.process import Program, folder_in_memory, need

_MEMORY_MB = 32


class Kamailio:
    """Runs until the `with` ends; may be killed and started again."""

    def __init__(self, settings: Settings, *, memory_mb: int = _MEMORY_MB) -> None:
        assert settings.sip_proxy
        self.address = (settings.sip_proxy.host, settings.sip_proxy.port)
        self.folder = folder_in_memory("kamailio-", 1 << 28)
        for name, text in kamailio.render_files(settings, self.folder, run=self.folder).items():
            path = self.folder / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
        self._memory = str(memory_mb)
        self._config = self.folder / "kamailio.cfg"

    def check(self) -> str:
        """Return the output of `kamailio -c` for the configuration."""
        argv = [need("kamailio", "kamailio"), "-c", "-f", self._config]
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        return f"{done.returncode} {done.stdout}{done.stderr}"

    def start(self) -> None:
        """Run it, until it can be asked how it is."""
        argv = [need("kamailio", "kamailio"), "-f", self._config, "-m", self._memory, "-M", "4", "-DD", "-E"]
        pid = self.folder / "pid"
        pid.unlink(missing_ok=True)
        self._program = Program([*argv, "-P", pid], folder=self.folder, log=self.folder / "log")
        self.pid = self._program.pid
        self._program.ready(lambda: pid.exists() and self._answers())

    def _answers(self) -> bool:
        try:
            return bool(self.ask("core.uptime"))
        except (subprocess.CalledProcessError, json.JSONDecodeError):
            return False

    def kill(self) -> None:
        """Kill it as a power cut does."""
        self._program.stop(patience=0)

    def ask(self, command: str, *arguments: str) -> Any:
        """Return the text output of `kamcmd`."""
        socket = f"unix:{self.folder / 'kamailio_ctl'}"
        argv = [need("kamcmd", "kamailio"), "-s", socket, command, *arguments]
        return subprocess.run(argv, capture_output=True, text=True, check=True).stdout

    def nodes(self) -> str:
        """How the nodes are that it asks."""
        sets = re.split(r"\bID: ", self.ask("dispatcher.list"))
        return next(each for each in sets if each.startswith("1\n"))

    def log(self) -> str:
        """Return the output so far."""
        return (self.folder / "log").read_text(errors="replace")

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._program.stop(patience=2)
        shutil.rmtree(self.folder, ignore_errors=True)
