"""Takes packets away, as a network does that has gone: by the packet filter, for UDP ports of ours alone."""

import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from tests.kit.process import need


@contextmanager
def lost(ports: str) -> Iterator[None]:
    """Nothing that goes to or comes from these ports (`40000` or `40000:40100`) arrives until the end."""
    with ExitStack() as cleanup:
        for end in ("--sport", "--dport"):
            rule = ["INPUT", "-i", "lo", "-p", "udp", end, ports, "-j", "DROP"]
            _filter("-I", *rule)
            cleanup.callback(_filter, "-D", *rule)
        yield


def _filter(*words: str) -> None:
    subprocess.run([need("iptables", "iptables"), "-w", *words], check=True, capture_output=True)
