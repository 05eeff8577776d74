"""Which calls are ended with a node's lease."""

from uuid import uuid4

from asterisk.ami.event import Event

from dialer.ami import AmiError, NotAccepted
from dialer.hang_up import hang_up_placed


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


def test_given_calls_of_all_kinds_when_the_lease_is_over_then_all_are_ended_but_those_to_the_rescuers() -> (
    None
):
    call, code, rescue = (f"{kind}{uuid4().hex}" for kind in ("callback-", "code-7-", "rescue-"))
    manager = Manager(call, f"{call};2", code, rescue, f"{rescue};2", "1764441234.17")
    manager.channels += [{"Uniqueid": "1764441234.18", "Context": "on-the-line"}]
    assert hang_up_placed(manager)  # type: ignore[arg-type]
    assert manager.ended == sorted([call, code, "1764441234.18"]), "who waits will be called back by another"


def test_given_who_was_called_and_is_in_danger_when_the_lease_is_over_then_their_call_goes_on() -> None:
    in_danger, other = (f"left-{uuid4().hex}" for _ in range(2))
    manager = Manager(f"{in_danger};2", other, f"{other};2")
    manager.channels += [{"Uniqueid": in_danger, "Context": "rescue"}]
    assert hang_up_placed(manager)  # type: ignore[arg-type]
    assert manager.ended == [other]


def test_given_a_call_when_asterisk_does_not_answer_then_it_is_told_again_but_not_if_the_call_is_gone() -> (
    None
):
    manager = Manager(f"callback-{uuid4().hex}")
    manager.fault = AmiError("no answer")
    assert not hang_up_placed(manager)  # type: ignore[arg-type]
    manager.fault = NotAccepted("no such channel")
    assert hang_up_placed(manager)  # type: ignore[arg-type]
