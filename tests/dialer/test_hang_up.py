"""Which calls are ended with a node's lease."""

from uuid import uuid4

from asterisk.ami.event import Event

from dialer.ami import AmiError, NotAccepted
from dialer.hang_up import Ends, hang_up_placed


class Manager:
    """Asterisk's, which has these channels."""

    def __init__(self, *channels: str) -> None:
        self.channels, self.ended = [{"Uniqueid": each} for each in channels], list[str]()
        self.fault: AmiError | None = None

    def live_channels(self) -> list[Event]:
        return [Event("CoreShowChannel", each) for each in self.channels]

    def request(self, _name: str, **keys: str) -> None:
        if self.fault:
            raise self.fault
        self.ended.append(keys["Channel"])


def ends(manager: Manager, *, conversations: bool = False) -> Ends:
    return hang_up_placed(manager, conversations=conversations)  # type: ignore[arg-type]


def test_expired_lease_ends_all_calls_but_rescues() -> None:
    call, code, rescue = (f"{kind}{uuid4().hex}" for kind in ("callback-", "code-7-", "rescue-"))
    manager = Manager(call, f"{call};2", code, rescue, f"{rescue};2", "1764441234.17")
    manager.channels += [{"Uniqueid": "1764441234.18", "Context": "on-the-line"}]
    assert ends(manager) == (set(manager.ended), frozenset())
    assert manager.ended == sorted([call, code, "1764441234.18"]), "who waits will be called back by another"


def test_expired_lease_spares_a_called_citizen_in_danger() -> None:
    in_danger, other = (f"left-{uuid4().hex}" for _ in range(2))
    manager = Manager(f"{in_danger};2", other, f"{other};2")
    manager.channels += [{"Uniqueid": in_danger, "Context": "rescue"}]
    assert ends(manager) == ({other}, frozenset())
    assert manager.ended == [other]


def test_unanswered_hang_up_is_repeated_unless_the_call_is_gone() -> None:
    manager = Manager(f"callback-{uuid4().hex}")
    manager.fault = AmiError("no answer")
    assert ends(manager).kept is None
    manager.fault = NotAccepted("no such channel")
    assert ends(manager).kept == frozenset()


def speaks(channel_id: str, context: str, room: str) -> dict[str, str]:
    """A channel in a desk's room."""
    data = f"{room},desk-room,citizen"
    return {"Uniqueid": channel_id, "Context": context, "Application": "ConfBridge", "ApplicationData": data}


def test_conversation_outlives_its_nodes_lease() -> None:
    citizen, guest, alone, rings = (
        f"{kind}{uuid4().hex}" for kind in ("callback-", "guest-7-", "callback-", "callback-")
    )
    telephone = f"desk-3-{uuid4().hex}"
    manager = Manager(f"{citizen};2", rings)
    manager.channels += [
        speaks(citizen, "room", "desk-3"),
        speaks(guest, "guest-room", "desk-3"),
        speaks(telephone, "from-desk", "desk-3"),
        speaks(alone, "room", "desk-4"),
        speaks("1764441234.19", "from-desk", "desk-5"),
    ]
    assert ends(manager, conversations=True) == ({alone, rings}, {citizen, guest, telephone})
    assert manager.ended == sorted([alone, rings]), "whom the desk has left is called by another node"
    ends(manager)
    assert {citizen, guest, telephone} < set(manager.ended)
