"""baresip as a program: its configuration, its control socket, the files it plays and writes."""

import json
import socket
import struct
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np
import soundfile

from tests.kit.ports import Ports, free_port, free_range, give_back
from tests.kit.process import Program, need
from tests.kit.sound import Recording

PLAY_SECONDS = 300
"""A call ends when the sound it plays is over, so every sound is repeated until it is this long."""
SILENT_SECONDS = 900
"""The silence of a phone that plays nothing: a desk's, in a round of many conversations."""

_Found = TypeVar("_Found")


class CommandError(RuntimeError):
    """The phone could not do it, for example answer where no call is."""


class Account(NamedTuple):
    """A phone's account at a registrar (`host:port`)."""

    user: str
    password: str
    registrar: str


class Baresip:
    """A running baresip. `on_event` gets each of its events, in another thread, before a waiter looks."""

    def __init__(
        self,
        folder: Path,
        here: tuple[str, int],
        sound: Path | None,
        on_event: Callable[[dict[str, Any]], None],
    ) -> None:
        self.changed = threading.Condition()
        self._on_event = on_event
        self._answers: dict[str, dict[str, Any]] = {}
        control = free_port()
        self.sound_ports = free_range(20)
        _configure(folder, here, control, self.sound_ports)
        endless(sound, folder / "play.wav")
        program = [need("baresip", "baresip-core"), "-f", folder]
        self.program = Program(program, folder=folder, log=folder / "log")
        try:
            self.program.ready(lambda: self._connect(control))
        except BaseException:
            self.stop()
            raise
        threading.Thread(target=self._listen, daemon=True).start()

    def stop(self) -> None:
        """End it, and let others have its ports."""
        self.program.stop(patience=0.5)
        give_back(self.sound_ports)

    def command(self, command: str, params: str = "") -> str:
        """Send a command; its answer, or an error with baresip's words."""
        token = f"{command}-{time.monotonic_ns()}"
        text = json.dumps({"command": command, "params": params, "token": token}).encode()
        self._control.sendall(b"%d:%s," % (len(text), text))
        answer = self.wait(lambda: self._answers.pop(token, None), f"an answer to {command}")
        if not answer["ok"]:
            raise CommandError(f"{command} {params}: {answer['data'].strip()}")
        return str(answer["data"])

    def wait(self, found: Callable[[], _Found | None], what: str, timeout: float = 30.0) -> _Found:
        """Wait until an event makes `found()` true, and give what it found."""
        with self.changed:
            if value := self.changed.wait_for(found, timeout):
                return value
        raise TimeoutError(f"not within {timeout:g} s: {what}")

    def _connect(self, control: int) -> bool:
        try:
            self._control = socket.create_connection(("127.0.0.1", control))
        except ConnectionRefusedError:
            return False
        return True

    def _listen(self) -> None:
        """Read what baresip tells: netstrings of JSON."""
        stream = self._control.makefile("rb")
        with self._control, stream:
            while length := b"".join(iter(lambda: stream.read(1).strip(b":"), b"")):
                message = json.loads(stream.read(int(length)))
                stream.read(1)
                with self.changed:
                    if "response" in message:
                        self._answers[message.get("token", "")] = message
                    else:
                        self._on_event(message)
                    self.changed.notify_all()


def _configure(folder: Path, here: tuple[str, int], control: int, sound: Ports) -> None:
    """Accounts are made later, by command: the event of an early registration would be missed."""
    (folder / "accounts").touch()
    modules = Path(need("baresip", "baresip-core")).parent.parent / "lib/baresip/modules"
    (folder / "config").write_text(
        f"sip_listen {here[0]}:{here[1]}\n"
        f"net_interface {here[0]}\n"
        "call_max_calls 100\n"
        "call_hold_other_calls no\n"
        f"rtp_ports {sound}\n"
        "jitter_buffer_type off\n"
        f"audio_source aufile,{folder}/play.wav\n"
        "audio_player aubridge,nobody\n"
        "audio_alert aubridge,nobody\n"
        f"module_path {modules}\n"
        "module g711.so\nmodule opus.so\nmodule sndfile.so\nmodule aufile.so\nmodule aubridge.so\n"
        "module_tmp account.so\nmodule_app menu.so\nmodule_app ctrl_tcp.so\n"
        f"ctrl_tcp_listen 127.0.0.1:{control}\n"
        f"snd_path {folder}\n"
    )


def endless(sound: Path | None, target: Path) -> None:
    """Write the sound over and over; silence is a hole in the file and takes no space."""
    samples, rate = soundfile.read(sound, dtype="int16") if sound else (np.zeros(0, np.int16), 8000)
    size = 2 * rate * (PLAY_SECONDS if len(samples) else SILENT_SECONDS)
    header = struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        *(b"RIFF", 36 + size, b"WAVE", b"fmt ", 16, 1, 1, rate, 2 * rate, 2, 16, b"data", size),
    )
    with target.open("wb") as file:
        file.write(header)
        if len(samples):
            file.write(np.resize(samples, rate * PLAY_SECONDS).tobytes())
        file.truncate(len(header) + size)


def read_wav(path: Path) -> Recording:
    """Read a wav that is still being written: its header does not know the length yet."""
    data = path.read_bytes()
    if len(data) < 44:
        return Recording(np.zeros(0, np.float32), 8000)
    rate = struct.unpack_from("<I", data, 24)[0]
    samples = np.frombuffer(data, "<i2", count=(len(data) - 44) // 2, offset=44)
    return Recording(samples.astype(np.float32) / 32768, rate)
