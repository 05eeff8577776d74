"""The samples of every proxy, without TLS, before one API or two, and an Asterisk (or what stands for it)."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

import httpx

from tests.kit.ports import free_port
from tests.kit.process import Program, need

OURS = "https://137.city.example"
PROJECT = Path(__file__).parents[2]
SAMPLES = PROJECT / "ops" / "balancer"
_NGINX = """
daemon off;
user {user};
pid nginx.pid;
error_log stderr;
events {{ worker_connections 8192; }}
http {{
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
{sample}
}}
"""


@contextmanager
def behind_haproxy(
    folder: Path, api: str, asterisk: str = "127.0.0.1:8088", second: str = ""
) -> Iterator[str]:
    """The sample for several api; `second` is the other one, if there is another."""
    port, admission = free_port(), free_port()
    lua = folder / "phone-admission.lua"
    lua.write_text(_replaced((SAMPLES / lua.name).read_text(), {"127.0.0.1:8136": f"127.0.0.1:{admission}"}))
    text = _replaced(
        (SAMPLES / "haproxy.cfg").read_text(),
        {
            ":443 ssl crt /etc/haproxy/137.city.example.pem": f"127.0.0.1:{port}",
            "X-Forwarded-Proto https": "X-Forwarded-Proto http",
            "api1.city.example:8137": api.removeprefix("http://"),
            "api2.city.example:8137": (second or api).removeprefix("http://"),
            "asterisk.city.example:8088": asterisk,
            "/etc/haproxy/phone-admission.lua": str(lua),
            "bind 127.0.0.1:8136": f"bind 127.0.0.1:{admission}",
        },
    )
    file = folder / "haproxy.cfg"
    file.write_text(text)
    with _running([need("haproxy", "haproxy"), "-f", file], folder, port) as url:
        yield url


@contextmanager
def behind_caddy(folder: Path, api: str, asterisk: str) -> Iterator[str]:
    """The sample for several api."""
    port, host = free_port(), api.removeprefix("http://")
    text = _replaced(
        (SAMPLES / "Caddyfile").read_text(),
        {
            "137.city.example {": f"http://127.0.0.1:{port} {{",
            "api1.city.example:8137": host,
            "api2.city.example:8137": host,
            "asterisk.city.example:8088": asterisk,
        },
    )
    with _caddy(folder, f"{{\n\tadmin off\n}}\n{text}", port) as url:
        yield url


@contextmanager
def behind_front(folder: Path, api: str, asterisk: str) -> Iterator[str]:
    """The containers' Caddy."""
    port = free_port()
    text = _replaced(
        (PROJECT / "ops" / "containers" / "Caddyfile").read_text(),
        {
            "{$CADDY_SITE} {\n\t{$CADDY_TLS}": f"http://127.0.0.1:{port} {{",
            "{$CADDY_SITE}": OURS.removeprefix("https://"),
            "api:8137": api.removeprefix("http://"),
            "asterisk:8088": asterisk,
        },
    )
    with _caddy(folder, text, port) as url:
        yield url


@contextmanager
def behind_nginx(folder: Path, api: str, asterisk: str) -> Iterator[str]:
    """The sample of docs/operate/proxy.md."""
    port = free_port()
    page = (PROJECT / "docs" / "operate" / "proxy.md").read_text()
    sample = _replaced(
        page.split("```nginx\n")[1].split("```")[0],
        {
            "listen 443 ssl": f"listen 127.0.0.1:{port}",
            "/var/log/nginx/137.log": str(folder / "access.log"),
            "127.0.0.1:8137": api.removeprefix("http://"),
            "127.0.0.1:8088": asterisk,
        },
    )
    file = folder / "nginx.conf"
    user = "root" if os.geteuid() == 0 else "nobody"
    file.write_text(_NGINX.format(sample=sample, user=user))
    with _running([need("nginx", "nginx"), "-p", folder, "-e", "stderr", "-c", file], folder, port) as url:
        yield url


PROXIES: Mapping[str, Callable[[Path, str, str], AbstractContextManager[str]]] = {
    "haproxy": behind_haproxy,
    "caddy": behind_caddy,
    "front": behind_front,
    "nginx": behind_nginx,
}
"""Each takes a folder, the API's URL and Asterisk's address, and gives the URL before both."""


def _replaced(text: str, words: Mapping[str, str]) -> str:
    for old, new in words.items():
        assert old in text, old
        text = text.replace(old, new)
    return text


@contextmanager
def _caddy(folder: Path, text: str, port: int) -> Iterator[str]:
    file = folder / "Caddyfile"
    file.write_text(text)
    with _running(
        [need("caddy", "caddy"), "run", "--adapter", "caddyfile", "--config", file], folder, port
    ) as url:
        yield url


@contextmanager
def _running(command: list[str | Path], folder: Path, port: int) -> Iterator[str]:
    home = {"HOME": str(folder), "XDG_DATA_HOME": str(folder)}
    program = Program(command, folder=folder, log=folder / "proxy.log", env=home)

    def answers() -> bool:
        with suppress(httpx.TransportError):
            return httpx.get(f"http://127.0.0.1:{port}/livez").status_code == 204
        return False

    try:
        program.ready(answers)
        yield f"http://127.0.0.1:{port}"
    finally:
        program.stop()
