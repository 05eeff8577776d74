"""A citizen behind somebody else's Asterisk: registers through it, and is called back through it."""

from collections.abc import Callable

from tests.kit.caller import Caller
from tests.kit.operator import Operator
from tests.kit.system import System


def there_and_back(
    system: System, desk: Operator, *, citizen_port: int, dials: str, log: Callable[[], str]
) -> str:
    """The citizen of this port dials 137 at `dials` and is called back; who that call said it was from.

    `log` is what the Asterisk between has to say if the number that arrives is not the citizen's.
    """
    number = system.number()
    with system.only_round() as round_id, Caller(system, number, port=citizen_port) as citizen:
        call = citizen.dial(f"sip:137@{dials}")
        citizen.wait_for("established", call=call)
        citizen.at("greeting", "1")
        citizen.at("confirm-number", "1")
        citizen.at("registered")
        citizen.hangup()
        (place,) = system.registrations(round_id)
        assert place.number == f"+98{number[1:]}", log()[-3000:]

        callback = desk.claim(round_id)
        desk.call(callback)
        citizen.wait_for_call(40)
        citizen.answer()
        citizen.at("callback-press-one", "1")
        desk.wait_for(callback, "talking")
        peer = str(citizen.calls[-1].peer)
        citizen.hangup()
        desk.wait_for(callback, "ended")
    return peer
