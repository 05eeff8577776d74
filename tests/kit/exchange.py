"""The telephone network behind the trunk: one SIP address, many citizens' phones.

It hands each request to the phone whose number was dialled and each answer back, unchanged. The phones tell
their own addresses in Contact. A request of a call that comes here all the same goes to the same phone. It
counts every INVITE, so a test can prove that a number rang once.
"""

import re
import socket
import threading
from typing import Self

from tests.kit.phone import Phone
from tests.kit.ports import free_port
from tests.kit.sipp import Message, SippPhone


class Exchange:
    """Point the trunk (`host`) at its `address`. A number nobody has answers 404."""

    def __init__(self, port: int | None = None) -> None:
        self.port = port or free_port()
        self.invites: list[tuple[str, Message]] = []
        """Every call in order, without retransmissions: the number as it was dialled, the INVITE."""
        self._phones: dict[str, int] = {}
        self._callers: dict[str, tuple[str, int]] = {}  # by Call-ID
        self._called: dict[str, int] = {}  # by Call-ID
        self._changed = threading.Condition()

    @property
    def address(self) -> str:
        """Its host:port."""
        return f"127.0.0.1:{self.port}"

    def connect(self, number: str, phone: Phone | SippPhone) -> None:
        """Give the number to a phone, in any notation: 0913…, +98913…"""
        self._phones[_subscriber(number)] = phone.port

    def rang(self, number: str) -> int:
        """How many calls the number got."""
        return sum(_subscriber(dialled) == _subscriber(number) for dialled, _ in self.invites)

    def wait_for_call(self, number: str, count: int = 1, timeout: float = 30.0) -> None:
        """Wait until the number got that many calls."""
        with self._changed:
            if not self._changed.wait_for(lambda: self.rang(number) >= count, timeout):
                raise TimeoutError(f"{number} rang {self.rang(number)} times in {timeout:g} s")

    def __enter__(self) -> Self:
        self._wire = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._wire.bind(("127.0.0.1", self.port))
        self._thread = threading.Thread(target=self._relay, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._wire.sendto(b"", ("127.0.0.1", self.port))  # an empty datagram ends it
        self._thread.join()
        self._wire.close()

    def _relay(self) -> None:
        while True:
            try:
                data, source = self._wire.recvfrom(65535)
            except ConnectionRefusedError:
                continue
            if not data:
                return
            message = Message(False, data.decode(errors="surrogateescape").replace("\r", ""))
            call = message.header("Call-ID")
            if message.first_line.startswith("SIP/2.0"):
                if call in self._callers:
                    self._wire.sendto(data, self._callers[call])
                continue
            method, uri, _ = message.first_line.split(" ", 2)
            number = re.sub(r"^sips?:|@.*$|;.*$", "", uri)
            phone = self._called.get(call, self._phones.get(_subscriber(number)))
            if method == "INVITE" and call not in self._callers:
                if phone is not None:
                    self._called[call] = phone
                with self._changed:
                    self.invites.append((number, message))
                    self._changed.notify_all()
            self._callers[call] = source
            if method == "OPTIONS" or (phone is None and method != "ACK"):
                status = "200 OK" if method == "OPTIONS" else "404 Not Found"
                self._wire.sendto(_answer(message, status), source)
            elif phone is not None:
                self._wire.sendto(data, ("127.0.0.1", phone))


def _subscriber(number: str) -> str:
    """The part that is the same in every notation of an Iranian number."""
    return re.sub(r"\D", "", number)[-10:]


def _answer(message: Message, status: str) -> bytes:
    lines = [f"SIP/2.0 {status}"]
    lines += [line for line in message.text.split("\n") if line.lower().startswith("via:")]
    for name in ("From", "To", "Call-ID", "CSeq"):
        lines.append(f"{name}: {message.header(name)}{';tag=exchange' if name == 'To' else ''}")
    text = "\r\n".join([*lines, "Content-Length: 0", "", ""])
    return text.encode(errors="surrogateescape")
