"""One address between two proxies, by ops/keepalived: it moves when it must, and only then. They need root.

With `-s` they print for how long a carrier was answered by nobody.
"""

import signal
import time
from collections.abc import Callable, Iterator

import pytest

from settings import load
from tests.kit.process import until
from tests.kit.sip_peer import Call
from tests.kit.trunk_file import make_trunk
from tests.kit.two_proxies import CARRIER, NODE, OWN, SHARED, TwoProxies

_TAKES_S = 3.0

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwoProxies]:
    settings = load(
        _env_file=None,
        state_dir=tmp_path_factory.mktemp("state"),
        sip_proxy=f"{SHARED}:5060",
        sip_nodes=f"one={NODE}:5060",
        trunks=make_trunk(host=f"{CARRIER}:5060", allowed=(CARRIER,)),
    )
    with TwoProxies(settings) as town:
        yield town


@pytest.fixture(autouse=True)
def calm(town: TwoProxies) -> None:
    """One has the address, the other waits for it, both are well."""
    until(lambda: len(town.holders()) == 1 and _answers(town), "one of both answers", 60)


def _answers(town: TwoProxies) -> bool:
    return any(each > time.monotonic() - 0.5 for each in town.asking.yes)


def _other(name: str) -> str:
    return next(each for each in OWN if each != name)


def _after(town: TwoProxies, what: str, does: Callable[[], object], then: Callable[[], bool]) -> None:
    """Until it has come about, and the address answers again."""
    since = time.monotonic()
    does()
    until(then, what, 60)
    done = time.monotonic()
    until(lambda: town.asking.yes[-1] > done, f"answered after this: {what}", 60)
    print(f"\n{what}: nobody answered for {town.asking.pause(since):.1f} s")  # noqa: T201


def _found_well(town: TwoProxies, name: str, since: int) -> bool:
    """Whether its keepalived has seen its Kamailio answer, after so much of its log."""
    return "VRRP_Script(kamailio) succeeded" in town.machines[name].log()[since:]


def _stays(town: TwoProxies, name: str) -> None:
    """No event tells that nothing happens: for longer than keepalived would need to take it away."""
    time.sleep(_TAKES_S)
    assert town.holder() == name


def _call(town: TwoProxies) -> Call:
    call = Call(town.carrier, (SHARED, 5060), f"sip:137@{SHARED}")
    call.ask("INVITE")
    assert call.status == "200"
    return call


def test_dead_machine_hands_the_address_over_and_calls_can_end(
    town: TwoProxies,
) -> None:
    call, dead = _call(town), town.holder()
    left = _other(dead)

    _after(town, "its power goes", lambda: town.power_off(dead), lambda: town.holders() == [left])

    assert call.ask("BYE") and _call(town)
    assert "BYE" in [request.method for _, request in town.node.requests]
    _after(
        *(town, "it is back", lambda: town.boot(dead)),
        lambda: "Entering BACKUP STATE" in town.machines[dead].log().rpartition("Starting VRRP child")[2],
    )
    _stays(town, left)


@pytest.mark.parametrize("how", ["hangs", "is gone"])
def test_failed_kamailio_moves_the_address_for_good(town: TwoProxies, how: str) -> None:
    sick = town.holder()
    machine, said = town.machines[sick], len(town.machines[sick].log())
    breaks, mends = {
        "hangs": (machine.hang, lambda: machine.hang(signal.SIGCONT)),
        "is gone": (lambda: machine.kamailio.stop(signal.SIGKILL), machine.start_kamailio),
    }[how]

    _after(town, f"its Kamailio {how}", breaks, lambda: town.holders() == [_other(sick)])
    _after(town, "it is well", mends, lambda: _found_well(town, sick, said))

    _stays(town, _other(sick))


def test_double_kamailio_failure_leaves_the_address_in_place(town: TwoProxies) -> None:
    said = {name: len(machine.log()) for name, machine in town.machines.items()}
    for machine in town.machines.values():
        machine.hang()
    until(
        lambda: all("from 100 to 40" in town.machines[name].log()[since:] for name, since in said.items()),
        "both have seen it",
    )
    assert len(town.holders()) == 1

    def well() -> bool:
        return all(_found_well(town, name, since) for name, since in said.items())

    _after(
        *(town, "both are well", lambda: [each.hang(signal.SIGCONT) for each in town.machines.values()]),
        well,
    )


def test_restart_of_a_crashed_keepalived_leaves_one_address(
    town: TwoProxies,
) -> None:
    crashed = town.holder()
    machine = town.machines[crashed]

    _after(town, "its keepalived crashes", machine.crash, lambda: sorted(town.holders()) == sorted(OWN))
    _after(
        *(town, "its keepalived is started", machine.start_keepalived),
        lambda: town.holders() == [_other(crashed)],
    )


def test_healed_network_split_leaves_one_address(
    town: TwoProxies,
) -> None:
    _after(town, "cut off from each other", lambda: town.apart(True), lambda: len(town.holders()) == 2)
    _after(town, "they hear each other", lambda: town.apart(False), lambda: len(town.holders()) == 1)


def test_orderly_shutdown_moves_the_address(town: TwoProxies) -> None:
    left = town.machines[town.holder()]
    _after(
        *(town, "it is shut down", left.keepalived.stop),
        lambda: town.holders() == [_other(left.name)],
    )
    left.start_keepalived()
