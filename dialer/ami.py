"""Connection to Asterisk's manager interface: asterisk-ami 0.1.7 with repaired socket handling."""

import contextlib
import logging
import math
import queue
import re
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from asterisk.ami import AMIClient
from asterisk.ami.action import Action, LoginAction
from asterisk.ami.event import Event

from settings.addresses import Address

log = logging.getLogger("dialer")

_READ_S = 5.0
_PING_S = 1.0
"""How long Asterisk may be silent before the dialer pings it."""
_ANSWERS_S = 2.5
"""Silence after which Asterisk counts as hung or very slow. After twice _READ_S the dialer reconnects."""
_CONNECT_S = 3.0
_RETRY_S = 0.5
_BUFFER = 1 << 16
_OTHER_LINE_BREAKS = re.compile("[\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")


class AmiError(Exception):
    """Asterisk refused an action or gave no answer in time."""


class NotAccepted(AmiError):
    """Asterisk answered, and the answer was no."""


class Ami(AMIClient):  # type: ignore[misc]
    """Connection that reconnects by itself.

    Events arrive in `events` in Asterisk's order. Asterisk tells each login once it has booted. Only then
    `connected` is set: while it boots it has neither its channels nor its functions. The pseudo event
    `Resync` arrives with it. All earlier knowledge may be out of date then. Repairs of the package:
    a read timeout sends a ping, and whole packets are sent. Values with line breaks are refused, and a lost
    answer raises.
    """

    def __init__(self, address: Address, username: str, secret: str) -> None:
        super().__init__(address=address.host, port=address.port, timeout=_READ_S, buffer_size=_BUFFER)
        self.events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self.connected = threading.Event()
        self._login = (username, secret)
        self._sending = threading.Lock()
        self._stopped = threading.Event()
        self._awaited: set[threading.Event] = set()
        self.may_place_for: Callable[[], float] = lambda: math.inf
        """Return the seconds from now in which calls may be placed (dialer.lease); 0 forbids calls."""
        self._heard_at = -math.inf
        self.last_word_at: float | None = None
        """Time (time.monotonic()) of Asterisk's last word before the connection was lost; None if never lost.
        """
        self.add_event_listener(self._keep)

    def _keep(self, event: Event, source: object) -> None:
        if event.name == "FullyBooted":
            self.connected.set()
            event = Event("Resync")
        self.events.put(event)

    def run(self) -> None:
        """Stay connected until stop(); meant for a thread of its own."""
        while not self._stopped.is_set():
            try:
                self.connect()
                self.listen()
            except (OSError, AmiError, StopIteration) as error:
                log.warning("no connection to Asterisk: %s", error or type(error).__name__)
            finally:
                if self.connected.is_set():
                    self.last_word_at = self._heard_at
                self.connected.clear()
                self._close()
                for waiting in self._awaited.copy():
                    waiting.set()  # no answer can come over this connection any more
            self._stopped.wait(_RETRY_S)

    def hangs(self) -> bool:
        """Return whether Asterisk is connected but answers nothing."""
        return self.connected.is_set() and time.monotonic() - self._heard_at >= _ANSWERS_S

    def stop(self) -> None:
        """End the connection and run()."""
        self._stopped.set()
        self._close()

    def connect(self) -> None:
        """Open the socket; the package's own `connect` would start a second reading thread."""
        self.finished = threading.Event()
        self._socket = socket.create_connection((self._address, self._port), timeout=_CONNECT_S)
        self._socket.settimeout(min(_PING_S, _READ_S))
        self._heard_at = time.monotonic()
        if self._stopped.is_set():  # stop() has closed only the former socket
            self._close()

    def listen(self) -> None:
        """Log in and read packets until the connection ends. Raises OSError, AmiError."""
        packets = self._next_pack()
        if not self.asterisk_start_regex.match(next(packets)):
            raise AmiError("the other end is not Asterisk's manager interface")
        self.send_action(LoginAction(*self._login), self._logged_in)
        for packet in packets:
            self.fire_recv_pack(packet)
        raise AmiError("Asterisk ended the connection")

    def _logged_in(self, response: Any) -> None:
        if response.is_error():
            log.error("Asterisk refused the manager account")
            self._close()

    def _next_pack(self) -> Any:
        data, separator = b"", b"\r\n"
        while True:
            while separator in data:
                packet, _, data = data.partition(separator)
                separator = b"\r\n\r\n"
                yield self._decode_pack(packet)
            try:
                received = self._socket.recv(_BUFFER)
            except TimeoutError:
                if time.monotonic() - self._heard_at >= 2 * _READ_S:
                    raise AmiError("Asterisk does not answer") from None
                self.send(Action("Ping"))
                continue
            if not received:
                return
            self._heard_at = time.monotonic()
            data += received

    def _decode_pack(self, pack: bytes) -> str:
        # The package splits lines at these characters, too: a caller's name could inject headers.
        return _OTHER_LINE_BREAKS.sub(" ", str(super()._decode_pack(pack)))

    def send(self, pack: Action) -> None:
        """Send one whole action. Raises AmiError for a value that would inject a header."""
        values = [pack.name, *pack.keys, *pack.keys.values(), *pack.variables, *pack.variables.values()]
        if any(c in str(value) for value in values for c in "\r\n"):
            raise AmiError("a line break in an action")
        with self._sending:
            self._socket.sendall(f"{pack}\r\n".encode(self.encoding))

    def request(self, name: str, **keys: object) -> None:
        """Send an action and wait for Asterisk's yes.

        Raises NotAccepted; AmiError if the result is unknown.
        """
        if name == "Originate" and self.may_place_for() <= 0:
            raise AmiError("this node's lease is over: no call is placed")
        self._ask(name, keys)

    def value(self, function: str, channel: str = "") -> str:
        """Return the value of a dialplan function, of `channel` if it needs one. Raises as `request`."""
        of = {"Channel": channel} if channel else {}
        return str(self._ask("Getvar", {"Variable": function, **of}).keys.get("Value", ""))

    def _ask(self, name: str, keys: Mapping[str, object]) -> Any:
        answered = threading.Event()
        answers: list[Any] = []

        def answer(response: Any) -> None:
            answers.append(response)
            answered.set()

        if not self.connected.is_set():
            raise AmiError("not connected")
        with self._awaiting(answered):
            try:
                self.send_action(Action(name, dict(keys)), answer)
            except OSError as error:
                raise AmiError(str(error)) from error
            answered.wait(_READ_S)
        if not answers:
            raise AmiError(f"no answer to {name}")
        if answers[0].is_error():
            raise NotAccepted(f"{name}: {answers[0].keys.get('Message', 'refused')}")
        return answers[0]

    @contextlib.contextmanager
    def _awaiting(self, event: threading.Event) -> Iterator[None]:
        """Set the event when the connection ends within this block, so that no wait lasts for ever."""
        self._awaited.add(event)
        try:
            yield
        finally:
            self._awaited.discard(event)

    def live_channels(self) -> list[Event]:
        """Return all live channels as CoreShowChannel events. Raises AmiError."""
        action_id = f"channels-{uuid.uuid4().hex}"  # nobody else can guess it
        found: list[Event] = []
        ends: list[Event] = []
        complete = threading.Event()

        def listener(event: Event, source: object) -> None:
            if event.keys.get("ActionID") != action_id:
                return
            if event.name == "CoreShowChannel":
                found.append(event)
            elif event.name == "CoreShowChannelsComplete":
                ends.append(event)
                complete.set()

        self.add_event_listener(listener)
        try:
            with self._awaiting(complete):
                self.request("CoreShowChannels", ActionID=action_id)
                complete.wait(_READ_S)
        finally:
            self.remove_event_listener(listener)
        if not ends:
            raise AmiError("no end to CoreShowChannels")
        return found

    def _close(self) -> None:
        with contextlib.suppress(OSError, AttributeError):
            self._socket.shutdown(socket.SHUT_RDWR)
        with contextlib.suppress(OSError, AttributeError):
            self._socket.close()
