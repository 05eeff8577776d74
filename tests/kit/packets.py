"""Takes packets away, as a network does that has gone: by the packet filter, for UDP ports of ours alone."""

import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from tests.kit.ports import Ports
from tests.kit.process import need


@contextmanager
def lost(ports: Ports, but: Ports | None = None, share: float = 1) -> Iterator[None]:
    """Nothing that goes to or comes from these ports arrives until the end, but between them and `but`.

    Of a smaller `share` so many packets are lost, by chance.
    """
    by_chance = ["-m", "statistic", "--mode", "random", "--probability", str(share)] if share < 1 else []
    with ExitStack() as cleanup:
        for end, other in (("--sport", "--dport"), ("--dport", "--sport")):
            not_with = ["!", other, _written(but)] if but else []
            which = ["-i", "lo", "-p", "udp", end, _written(ports), *not_with, *by_chance]
            rule = ["INPUT", *which, "-j", "DROP"]
            _filter("-I", *rule)
            cleanup.callback(_filter, "-D", *rule)
        yield


def _written(ports: Ports) -> str:
    return f"{ports.first}:{ports.last}"


def _filter(*words: str) -> None:
    subprocess.run([need("iptables", "iptables"), "-w", *words], check=True, capture_output=True)
