"""An Asterisk's manager interface that does on command what a real one cannot be made to do.

It keeps a list of channels as Asterisk would: Originate adds one, a hang-up takes it away. By default it
answers every action as Asterisk does. A test may have it refuse, keep silent or cut the connection.
"""

import socket
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Self

from dialplan.variables import CAPPED_CAUSE
from settings.addresses import Address
from tests.kit.process import until

PATIENCE_S = 30.0
"""How long a test waits before it fails."""

Headers = dict[str, str]

_CAUSES = {0: 19, 100: 19, 180: 19, 403: 21, 404: 1, 408: 18, 480: 19, 486: 17, 500: 38, 503: 34, 603: 21}
"""With which cause an Asterisk ends a call to which the network said this (seen on 22.10.1)."""


class FakeManager:
    """Listens at `address`; takes the user `dialer` with `secret`."""

    def __init__(self, address: Address, secret: str = "secret") -> None:
        self.secret = secret
        self.banner = b"Asterisk Call Manager/10.0.0\r\n"
        self.actions: list[Headers] = []
        """Every action that came, in order; each was done before it is here, and is answered afterwards."""
        self.channels: dict[str, Headers] = {}
        """The channels that live, by unique id, with what CoreShowChannels says of them."""
        self.met: dict[str, str] = {}
        """The caller whom each channel was originated to meet."""
        self.unanswered: set[str] = set()
        """Actions that get no answer (but are done)."""
        self.refused: dict[str, str] = {}
        """Actions that are refused (and not done), with the message."""
        self.cut_on: set[str] = set()
        """Actions upon which the connection is cut (and which are done)."""
        self.trunk_is = "NonQualified"
        """The trunk status that it reports when asked,"""
        self.latency = ""
        """and how long it took, in millionths of a second."""
        self.passwords: dict[str, str] | None = None
        """The passwords of desks' phones in the dialplan; None: an Asterisk of the version before."""
        self.is_booted = True
        """Whether it has booted by the time somebody logs in."""
        self.endless_lists = False
        """Whether the end of a list of channels is not told."""
        self.piecemeal = False
        """Whether it sends every byte by itself."""
        self.before: dict[str, Callable[[], None]] = {}
        self.after: dict[str, Callable[[], None]] = {}
        """Actions of the test just before and after an action is answered; all is sent in one piece."""
        self.address = address
        self._accepted: list[socket.socket] = []
        self._wires: list[socket.socket] = []
        """The connections over which the banner was sent: nothing goes before it."""
        self._sending = threading.RLock()
        self._held: bytes | None = None
        self._changed = threading.Condition()
        self._do: dict[str, Callable[[Headers], str]] = {
            "Login": self._login,
            "Ping": lambda _: "",
            "Originate": self._originate,
            "Hangup": self._needs_channel,
            "Redirect": self._needs_channel,
            "Setvar": self._needs_channel,
            "CoreShowChannels": lambda _: "",
            "Getvar": lambda _: "",
        }

    def __enter__(self) -> Self:
        self._listener = socket.create_server(self.address)
        self._thread = threading.Thread(target=self._accept)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()
        self._thread.join()

    # --- what a test sees ---

    def named(self, name: str) -> list[Headers]:
        """The actions of this name that came."""
        return [action for action in self.actions if action["Action"] == name]

    def wait_for(self, name: str, count: int = 1) -> list[Headers]:
        """The actions of this name, once so many have come."""
        with self._changed:
            came = self._changed.wait_for(lambda: len(self.named(name)) >= count, PATIENCE_S)
        assert came, f"{len(self.named(name))} of {count} {name}"
        return self.named(name)

    # --- what a test has it do ---

    def cut(self) -> None:
        """End every connection now."""
        for wire in list(self._accepted):  # and none that is made anew meanwhile
            with suppress(OSError):  # it may have ended
                wire.shutdown(socket.SHUT_RDWR)

    def send(self, data: bytes) -> None:
        """Send these bytes, whatever they are, over the connection that came last, once there is one."""
        self._await_somebody()
        with self._sending:
            if self._held is not None:
                self._held += data
            else:
                self._put(self._wires[-1], data)

    def _await_somebody(self) -> None:
        until(lambda: self._wires, "somebody is connected", PATIENCE_S)

    def _put(self, wire: socket.socket, data: bytes) -> None:
        with suppress(OSError):  # the other side may have gone
            for piece in [data[i : i + 1] for i in range(len(data))] if self.piecemeal else [data]:
                wire.sendall(piece)

    def event(self, name: str, **headers: str) -> None:
        """Send an event."""
        self.send(_packet(f"Event: {name}\r\nPrivilege: call,all", headers))

    def ringing(self, channel_id: str, trunk: str = "trunk") -> None:
        """The phone at the other end rings: a channel of its own, which the second half of ours dialled."""
        leg = f"PJSIP/{trunk}-0000002a"
        self.channels[leg_of(channel_id)] = {
            "Channel": leg,
            "ChannelStateDesc": "Ringing",
            "Application": "AppDial",
            "Linkedid": channel_id,
        }
        self.event("DialState", DialStatus="RINGING", Uniqueid=f"{channel_id};2", DestChannel=leg)

    def stage(self, channel_id: str, stage: str, application: str = "") -> None:
        """The dialplan tells how far a callback has come."""
        self.channels.pop(leg_of(channel_id), None)
        context = _CONTEXTS.get(stage, "callback")
        now = {"ChannelStateDesc": "Up", "Application": application, "Context": context}
        self.channels[channel_id] |= now
        self.event("UserEvent", Uniqueid=channel_id, UserEvent="HotlineStage", Stage=stage)

    def joins(self, channel_id: str, channel: str, room: str = "desk-1", context: str = "room") -> None:
        """A channel enters a room, by this context of the dialplan."""
        self.channels[channel_id] = {
            "Channel": channel,
            "ChannelStateDesc": "Up",
            "Application": "ConfBridge",
            "Exten": room.removeprefix("desk-"),
            "Context": context,
        }
        self.event("ConfbridgeJoin", Conference=room, Channel=channel, Uniqueid=channel_id)

    def goes_on(self, channel_id: str, trunk: str, sip: int) -> None:
        """This trunk said so, and the next one is asked."""
        said = {"UserEvent": "HotlineTrunk", "Trunk": trunk, "Sip": str(sip)}
        self.event("UserEvent", Uniqueid=f"{channel_id};2", **said)

    def refuses(self, channel_id: str, sip: int, trunk: str = "trunk") -> None:
        """Nobody picks up: this is what the network said last (0: nothing at all), and our call ends."""
        said = {"UserEvent": "HotlineSaid", "Trunk": trunk, "Sip": str(sip)}
        self.event("UserEvent", Uniqueid=f"{channel_id};2", **said)
        self.hangs_up(channel_id, _CAUSES[sip])

    def hangs_up(
        self, channel_id: str, cause: int = 16, *, leg_late: bool = False, tech_cause: str = ""
    ) -> None:
        """End a channel. Of a call of ours the phone's leg ends first, then the half that dialled. That half
        says «normal» of every call that was answered (seen on 22.10.1). `leg_late`: the leg ends last.
        `tech_cause`: the leg's cause where a re-INVITE was not answered (408; seen on 22.10.1). No list of
        channels is made between its end and its event.
        """
        self._await_somebody()
        with self._sending:
            self._hangs_up(channel_id, cause, leg_late, tech_cause)

    def _hangs_up(self, channel_id: str, cause: int, leg_late: bool, tech_cause: str) -> None:
        self.channels.pop(leg_of(channel_id), None)
        gone = self.channels.pop(channel_id, {})
        channel = gone.get("Channel", "Local/x@dial-00000001;1")
        ours = channel.startswith("Local/")
        told = 16 if ours else cause
        if ours and not leg_late and cause != CAPPED_CAUSE:  # then no phone was dialled
            self._leg_ends(channel_id, cause, tech_cause)
        if ours:
            dialled = 16 if gone.get("ChannelStateDesc") == "Up" else cause
            other_half = f"{channel.removesuffix(';1')};2"
            self._hangup(other_half, f"{channel_id};2", channel_id, dialled)
        self._hangup(channel, channel_id, channel_id, told)
        if leg_late:
            self._leg_ends(channel_id, cause, tech_cause)

    def _leg_ends(self, channel_id: str, cause: int, tech_cause: str) -> None:
        why = {"TechCause": tech_cause} if tech_cause else {}
        self._hangup("PJSIP/trunk-0000002a", leg_of(channel_id), channel_id, cause, **why)

    def _hangup(self, channel: str, channel_id: str, call: str, cause: int, **why: str) -> None:
        self.event("Hangup", Channel=channel, Uniqueid=channel_id, Linkedid=call, Cause=str(cause), **why)

    # --- the interface ---

    def _accept(self) -> None:
        served: list[threading.Thread] = []
        while True:
            try:
                wire, _ = self._listener.accept()
            except OSError:
                break
            wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._accepted.append(wire)
            thread = threading.Thread(target=self._serve, args=(wire,))
            thread.start()
            served.append(thread)
        self.cut()
        for thread in served:
            thread.join()

    def _serve(self, wire: socket.socket) -> None:
        with wire:
            with self._sending:
                self._put(wire, self.banner)
                self._wires.append(wire)
            stream = wire.makefile("rb")
            with suppress(OSError):  # it may be cut
                while action := _read(stream.readline):
                    self._take(action, wire)

    def _take(self, action: Headers, wire: socket.socket) -> None:
        name = action["Action"]
        error = self.refused.get(name) or self._do[name](action)
        with self._changed:
            self.actions.append(action)
            self._changed.notify_all()
        with self._in_one_piece():
            self.before.get(name, _nothing)()
            if name in self.cut_on:
                wire.shutdown(socket.SHUT_RDWR)
            elif name not in self.unanswered and wire is self._wires[-1]:  # else nobody is there any more
                self._answer(action, error)
            self.after.get(name, _nothing)()

    @contextmanager
    def _in_one_piece(self) -> Iterator[None]:
        with self._sending:
            self._held = b""
            yield
            held, self._held = self._held, None
            self.send(held)

    def _answer(self, action: Headers, error: str) -> None:
        same = {key: action[key] for key in ("ActionID",) if key in action}
        status = "Error" if error else "Success"
        if action["Action"] == "Getvar":
            asked = action["Variable"].rpartition(",")[2]
            # Seen on 22.10.1: «0» while there is none yet; an unknown function has no value.
            is_able = "" if self.passwords is None else "0"
            values = {"status)": self.trunk_is, "rtt)": self.latency, "rxcount)": str(len(self.actions))}
            values["DB_EXISTS(desks/auth)"] = is_able
            values["HOTLINE_MEETS"] = self.met.get(action.get("Channel", ""), "")
            same["Value"] = values.get(asked, "trunk-alive@@1")
        self.send(_packet(f"Response: {status}", same | {"Message": error or "as you wish"}))
        if not error and action["Action"] == "Login" and self.is_booted:
            self.event("FullyBooted", Status="Fully Booted")
        if not error and action["Action"] == "CoreShowChannels":
            for channel_id, channel in list(self.channels.items()):
                for row in _rows(channel_id, channel):
                    self.event("CoreShowChannel", **row, **same)
            if not self.endless_lists:
                self.event("CoreShowChannelsComplete", EventList="Complete", **same)

    def _login(self, action: Headers) -> str:
        right = (action["Username"], action["Secret"]) == ("dialer", self.secret)
        return "" if right else "Authentication failed"

    def _originate(self, action: Headers) -> str:
        local = action.get("Channel", "").removeprefix("Local/").removesuffix("/n")
        account, _, context = local.partition("@")
        if context == "desk-password":  # it has ended when the answer comes, and nothing is told of it
            assert self.passwords is not None, "that context needs func_db"
            self.passwords[account] = action["Variable"].partition("=")[2]
            return ""
        channel = {"Channel": "Local/x@dial-00000001;1", "ChannelStateDesc": "Down", "Application": ""}
        channel_id = action.get("ChannelId", "named.by.asterisk")
        self.channels[channel_id] = channel
        name, _, caller = action.get("Variable", "").partition(",")[0].partition("=")
        self.met[channel_id] = caller if name == "HOTLINE_MEETS" else ""
        return ""

    def _needs_channel(self, action: Headers) -> str:
        known = {*self.channels, *(channel["Channel"] for channel in list(self.channels.values()))}
        return "" if action["Channel"] in known else "No such channel"


_CONTEXTS = {"confirmed": "waiting", "held": "held", "held-over": "held-over", "parting": "parting"}


def leg_of(channel_id: str) -> str:
    """The id of the leg to the phone, which Asterisk itself gives."""
    return f"1764190000.{zlib.crc32(channel_id.encode())}"


def _rows(channel_id: str, channel: Headers) -> Iterator[Headers]:
    """A channel in the list; a Local channel has two halves, of which the second dials (seen on 22.10.1)."""
    yield {"Uniqueid": channel_id, **channel}
    if channel["Channel"].startswith("Local/"):
        yield {
            "Uniqueid": f"{channel_id};2",
            "Linkedid": channel_id,
            "Channel": f"{channel['Channel'].removesuffix(';1')};2",
            "ChannelStateDesc": "Up" if channel.get("ChannelStateDesc") == "Up" else "Ring",
            "Application": "Dial",
            "Context": "dial",
        }


def _nothing() -> None:
    pass


def _packet(first: str, headers: Headers) -> bytes:
    lines = [first, *(f"{key}: {value}" for key, value in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("utf-8", "surrogateescape")


def _read(readline: Callable[[], bytes]) -> Headers:
    """The next action; nothing at the end of the connection."""
    headers: Headers = {}
    while (line := readline().decode()) not in ("\r\n", ""):
        key, _, value = line.rstrip("\r\n").partition(": ")
        headers[key] = value
    return headers
