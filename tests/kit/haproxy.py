"""HAProxy before several api, as our sample has it, without TLS."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx

from tests.kit.ports import free_port
from tests.kit.process import Program, need

SAMPLE = Path(__file__).parents[2] / "ops" / "balancer" / "haproxy.cfg"


@contextmanager
def balanced(folder: Path, first: str, second: str, asterisk: str = "127.0.0.1:8088") -> Iterator[str]:
    """The one address of two, and of the Asterisk behind `/ws`."""
    port, admission = free_port(), free_port()
    text = SAMPLE.read_text()
    lua = folder / "phone-admission.lua"
    lua.write_text(SAMPLE.with_name(lua.name).read_text().replace("127.0.0.1:8136", f"127.0.0.1:{admission}"))
    for old, new in {
        ":443 ssl crt /etc/haproxy/137.city.example.pem": f"127.0.0.1:{port}",
        "X-Forwarded-Proto https": "X-Forwarded-Proto http",
        "api1.city.example:8137": first.removeprefix("http://"),
        "api2.city.example:8137": second.removeprefix("http://"),
        "asterisk.city.example:8088": asterisk,
        "/etc/haproxy/phone-admission.lua": str(lua),
        "bind 127.0.0.1:8136": f"bind 127.0.0.1:{admission}",
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
