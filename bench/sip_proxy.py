"""The time that Kamailio adds until a real Asterisk answers, and how soon it notices that a node is gone."""

import random
import statistics
import tempfile
import time
from pathlib import Path

from settings import load
from tests.kit import brief
from tests.kit.brief import must_hold, sized
from tests.kit.kamailio import Kamailio
from tests.kit.lone_asterisk import LoneAsterisk
from tests.kit.ports import free_port
from tests.kit.process import until
from tests.kit.sip_peer import Call, Node, Peer
from tests.kit.trunk_file import make_trunk

CALLS = sized(300, 5)
TRIES = sized(20, 1)
CARRIER = "127.0.0.4"
NOTICED_S = 3.0


def _kamailio(folder: Path, carrier: Peer, *ports: int) -> Kamailio:
    nodes = " ".join(f"node{number}=127.0.0.1:{port}" for number, port in enumerate(ports))
    return Kamailio(
        load(
            _env_file=None,
            state_dir=folder,
            sip_proxy=f"127.0.0.1:{free_port()}",
            sip_nodes=nodes,
            sip_proxy_calls_per_second=5000,
            trunks=make_trunk(host=f"{CARRIER}:{carrier.port}", allowed=(CARRIER,)),
        )
    )


def _answered(folder: Path, carrier: Peer) -> dict[str, list[float]]:
    """Return milliseconds until a call is answered, direct and through the proxy in turn."""
    with (
        LoneAsterisk(
            trunk={"host": f"{CARRIER}:{carrier.port}", "allowed": [CARRIER, "127.0.0.1"]},
            HOTLINE_CALLERS_PER_NUMBER="40",
        ) as asterisk,
        _kamailio(folder, carrier, asterisk.settings.sip.port) as kamailio,
    ):
        ways = {"straight": tuple(asterisk.settings.sip), "by Kamailio": kamailio.address}
        took: dict[str, list[float]] = {way: [] for way in ways}
        for _ in range(CALLS):
            for way, to in ways.items():
                call = Call(carrier, to, f"sip:137@{to[0]}:{to[1]}")
                call.ask("INVITE")
                must_hold(call.status == "200", f"the call is answered, not {call.status}")
                took[way].append(call.took * 1000)
                call.ask("BYE")
    return took


def _noticed(folder: Path, carrier: Peer) -> list[float]:
    """Return seconds from a node's last answer until the proxy leaves it out."""
    found = []
    gone, other = Node(free_port()), Node(free_port())
    with gone, other, _kamailio(folder, carrier, gone.port, other.port) as kamailio:

        def there(count: int) -> bool:
            return kamailio.nodes().count("FLAGS: A") == count

        for _ in range(TRIES):
            until(lambda: there(2), "both are there")
            time.sleep(random.random())  # at any moment between two probes
            gone.silent, began = True, time.monotonic()
            until(lambda: there(1), "it is left out", every=0.02)
            found.append(time.monotonic() - began)
            gone.well()
    return found


def main() -> int:
    """Print both tables; return 1 if a goal is missed."""
    with tempfile.TemporaryDirectory() as folder, Peer(CARRIER, free_port()) as carrier:
        took, noticed = _answered(Path(folder), carrier), _noticed(Path(folder), carrier)
    print("| until a caller is answered, ms | p50 | p95 |\n|---|---|---|")
    for way, each in took.items():
        ranked = sorted(each)
        print(f"| {way} | {statistics.median(ranked):.1f} | {ranked[len(ranked) * 95 // 100]:.1f} |")
    ratio = statistics.median(took["by Kamailio"]) / statistics.median(took["straight"])
    print(f"| ratio | {ratio:.2f} | |")
    print(f"a gone node is left out after {min(noticed):.1f} to {max(noticed):.1f} s; goal: {NOTICED_S:g}")
    return int(max(noticed) > NOTICED_S)


brief.play(main)
