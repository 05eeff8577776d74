"""A certified provider of OpenID Connect (the Node package oidc-provider) on a free port, with a browser."""

import json
import re
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Queue
from typing import Any, Self
from urllib.parse import parse_qs, urljoin

import httpx

from tests.kit.oidc_provider import CLIENT, SECRET
from tests.kit.ports import free_port
from tests.kit.process import Program, folder_in_memory, need

_ROOT = Path(__file__).parents[2]
_PROMPT = re.compile(r'name="prompt" value="(\w+)"')
_XSRF = re.compile(r'name="xsrf" value="(\w+)"')


class CertifiedProvider:
    """`accounts` is who there is now, by subject; `logouts` gets the tokens of its log-outs."""

    def __init__(self, back: str) -> None:
        self._back, self._folder = back, folder_in_memory("oidc-", needs=64 << 20)
        self._file = self._folder / "accounts.json"
        self.port = free_port()
        self.logouts: Queue[str] = Queue()
        self._listener = ThreadingHTTPServer(("127.0.0.1", free_port()), self._handler())
        self._thread = threading.Thread(target=self._listener.serve_forever, kwargs={"poll_interval": 0.05})
        self._starter = ThreadPoolExecutor(1)  # the kernel ends it with the thread that started it
        self.accounts({})

    @property
    def issuer(self) -> str:
        """Its address and name."""
        return f"http://127.0.0.1:{self.port}"

    def accounts(self, there: dict[str, dict[str, Any]]) -> None:
        """From now on these are all; written at once, for it reads them at any moment."""
        new = self._file.with_suffix(".new")
        new.write_text(json.dumps(there))
        new.replace(self._file)

    def way_back(self, browser: httpx.Client, leave: str, subject: str) -> str:
        """Sign the person in and agree. Return the address to which the provider sends this browser."""
        url, answer = leave, browser.get(leave)
        for _ in range(12):
            if answer.is_redirect:
                url = urljoin(url, answer.headers["location"])
                if url.startswith(self._back):
                    return url
                answer = browser.get(url)
                continue
            prompt = _PROMPT.search(answer.text)
            assert prompt, answer.text
            form = {"prompt": prompt[1], "login": subject, "password": "any"}
            answer = browser.post(url, data=form)
        raise AssertionError(f"it does not send back: {url}")

    def sign_out(self, browser: httpx.Client) -> str:
        """Sign this browser's person out at the provider. Return the log-out token that we are sent."""
        page = browser.get(f"{self.issuer}/session/end")
        xsrf = _XSRF.search(page.text)
        assert xsrf, page.text
        browser.post(f"{self.issuer}/session/end/confirm", data={"xsrf": xsrf[1], "logout": "yes"})
        return self.logouts.get(timeout=20)

    def start(self) -> None:
        """Start it (again): it has forgotten all sessions."""
        script = _ROOT / "tests" / "kit" / "oidc_provider.mjs"
        logout = f"http://127.0.0.1:{self._listener.server_port}/"
        arguments = [str(self.port), self._file, CLIENT, SECRET, self._back, logout]
        command: list[str | Path] = [need("node", "nodejs"), script, *arguments]
        log = self._folder / "log"
        log.unlink(missing_ok=True)
        self._program = self._starter.submit(Program, command, folder=_ROOT / "web", log=log).result()
        self._program.ready(lambda: "ready" in log.read_text())

    def stop(self) -> None:
        """It is away."""
        self._program.stop()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        logouts = self.logouts

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()
                logouts.put(parse_qs(body)["logout_token"][0])

            def log_message(self, *_: object) -> None:
                pass

        return Handler

    def __enter__(self) -> Self:
        self._thread.start()
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._program.stop()
        self._starter.shutdown()
        self._listener.shutdown()
        self._listener.server_close()
        self._thread.join()
        shutil.rmtree(self._folder, ignore_errors=True)
