"""The API and the pages, served as they are in use, by a thread of the test process."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from api.server import Server, make_server
from settings import Settings
from tests.kit.process import until


@contextmanager
def running(settings: Settings) -> Iterator[Server]:
    """The server, which serves until the end."""
    serving, listening = make_server(settings)
    thread = threading.Thread(target=serving.run, args=([listening],))
    thread.start()
    try:
        until(lambda: serving.started or not thread.is_alive(), "the server is ready")
        assert serving.started, "the server did not start"
        yield serving
    finally:
        serving.handle_exit(signal.SIGTERM, None)
        thread.join(30)
        assert not thread.is_alive(), "the server does not stop"


@contextmanager
def served(settings: Settings) -> Iterator[str]:
    """The address, at which they are until the end."""
    with running(settings):
        yield f"http://{settings.http}"
