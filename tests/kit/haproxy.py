"""HAProxy before several api, as our sample has it, without TLS."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx

from tests.kit.ports import free_port
from tests.kit.process import Program, need

SAMPLE = Path(__file__).parents[2] / "ops" / "balancer" / "haproxy.cfg"


@contextmanager
def balanced(folder: Path, first: str, second: str) -> Iterator[str]:
    """The one address of two."""
    port = free_port()
    text = SAMPLE.read_text()
    for old, new in {
        ":443 ssl crt /etc/haproxy/137.city.example.pem": f"127.0.0.1:{port}",
        "X-Forwarded-Proto https": "X-Forwarded-Proto http",
        "api1.city.example:8137": first.removeprefix("http://"),
        "api2.city.example:8137": second.removeprefix("http://"),
        "asterisk.city.example": "127.0.0.1",
    }.items():
        assert old in text, old
        text = text.replace(old, new)
    file = folder / "haproxy.cfg"
    file.write_text(text)
    program = Program([need("haproxy", "haproxy"), "-f", file], folder=folder, log=folder / "haproxy")

    def answers() -> bool:
        with suppress(httpx.TransportError):
            return httpx.get(f"http://127.0.0.1:{port}/livez").status_code == 204
        return False

    try:
        program.ready(answers)
        yield f"http://127.0.0.1:{port}"
    finally:
        program.stop()
