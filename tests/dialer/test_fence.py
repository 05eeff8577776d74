"""Which calls are ended with a node's lease."""

from uuid import uuid4

from asterisk.ami.event import Event

from dialer.lease import hang_up_placed


class Manager:
    """Asterisk's, which has these channels."""

    def __init__(self, *channels: str) -> None:
        self.channels, self.ended = channels, list[str]()

    def live_channels(self) -> list[Event]:
        return [Event("CoreShowChannel", {"Uniqueid": each}) for each in self.channels]

    def request(self, _name: str, **keys: str) -> None:
        self.ended.append(keys["Channel"])


def test_given_calls_of_all_kinds_when_the_lease_is_over_then_all_are_ended_but_those_to_the_rescuers() -> (
    None
):
    call, code, rescue = (f"{kind}{uuid4().hex}" for kind in ("callback-", "code-7-", "rescue-"))
    manager = Manager(call, f"{call};2", code, rescue, f"{rescue};2", "1764441234.17")
    assert hang_up_placed(manager)  # type: ignore[arg-type]
    assert manager.ended == sorted([call, code])
