"""Which calls are ended with a node's lease."""

from uuid import uuid4

from asterisk.ami.event import Event

from dialer.ami import AmiError, NotAccepted
from dialer.hang_up import Ends, hang_up_placed
from dialplan.variables import Context
from hotline import call_deadlines


class Manager:
    """Asterisk's, which has these channels."""

    def __init__(self, *channels: str) -> None:
        self.channels, self.ended = [{"Uniqueid": each} for each in channels], list[str]()
        self.redirected = dict[str, tuple[str, float]]()
        self.fault: AmiError | None = None

    def live_channels(self) -> list[Event]:
        return [Event("CoreShowChannel", each) for each in self.channels]

    def request(self, name: str, **keys: str) -> None:
        if self.fault:
            raise self.fault
        if name == "Redirect":
            self.redirected[keys["Channel"]] = keys["Context"], float(keys["Exten"])
        else:
            self.ended.append(keys["Channel"])


def ends(manager: Manager, *, conversations: bool = False, apology_s: float = 0.0) -> Ends:
    until = call_deadlines.read_clock() + apology_s
    return hang_up_placed(manager, conversations=conversations, apology_until=until)  # type: ignore[arg-type]


def test_expired_lease_ends_all_calls_but_rescues() -> None:
    call, code, rescue = (f"{kind}{uuid4().hex}" for kind in ("callback-", "code-7-", "rescue-"))
    manager = Manager(call, f"{call};2", code, rescue, f"{rescue};2", "1764441234.17")
    manager.channels += [{"Uniqueid": "1764441234.18", "Context": "on-the-line"}]
    assert ends(manager) == (set(manager.ended), frozenset(), False)
    assert manager.ended == sorted([call, code, "1764441234.18"]), "who waits will be called back by another"


def test_expired_lease_spares_a_called_citizen_in_danger() -> None:
    in_danger, other = (f"left-{uuid4().hex}" for _ in range(2))
    manager = Manager(f"{in_danger};2", other, f"{other};2")
    manager.channels += [{"Uniqueid": in_danger, "Context": "rescue"}]
    assert ends(manager) == ({other}, frozenset(), False)
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
    assert ends(manager, conversations=True) == ({alone, rings}, {citizen, guest, telephone}, False)
    assert manager.ended == sorted([alone, rings]), "whom the desk has left is called by another node"
    ends(manager)
    assert {citizen, guest, telephone} < set(manager.ended)


def test_citizen_who_waits_hears_an_apology_in_time() -> None:
    waits, held, alone, rings = (f"callback-{uuid4().hex}" for _ in range(4))
    manager = Manager(f"{waits};2", rings, f"{rings};2", f"desk-3-{uuid4().hex}")
    manager.channels += [{"Uniqueid": waits, "Context": Context.WAITING}, speaks(alone, "room", "desk-4")]
    manager.channels += [{"Uniqueid": held, "Context": Context.HELD}]
    manager.channels += [{"Uniqueid": "1764441234.18", "Context": Context.ON_THE_LINE}]
    found = ends(manager, conversations=True, apology_s=4.5)
    wait = {waits, held, alone, "1764441234.18"}
    assert found.kept is None and found.ended >= wait, "they have not ended yet"
    assert manager.redirected.keys() == wait and not wait & {*manager.ended}
    assert rings in manager.ended and len(manager.ended) == 2
    assert all(where == Context.CUT_OFF and 4 < s <= 4.5 for where, s in manager.redirected.values())

    manager.channels = [{"Uniqueid": waits, "Context": Context.CUT_OFF}, {"Uniqueid": f"{waits};2"}]
    manager.ended.clear()
    manager.redirected.clear()
    assert ends(manager, conversations=True, apology_s=0.1) == (frozenset(), None, True)
    assert not manager.ended and not manager.redirected, "it is not begun anew"
    assert ends(manager, conversations=True).kept == frozenset() and manager.ended == [waits]


def test_apology_that_would_be_late_is_a_hang_up() -> None:
    waits = f"callback-{uuid4().hex}"
    manager = Manager(f"{waits};2")
    manager.channels += [{"Uniqueid": waits, "Context": Context.WAITING}]
    assert ends(manager, apology_s=1.0) == ({waits}, frozenset(), False)
    assert manager.ended == [waits] and not manager.redirected
