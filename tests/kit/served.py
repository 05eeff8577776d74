"""The API and the pages, served as they are in use, by a thread of the test process."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from api.server import server
from settings import Settings
from tests.kit.process import until


@contextmanager
def served(settings: Settings) -> Iterator[str]:
    """The address, at which they are until the end."""
    serving, listening = server(settings)
    running = threading.Thread(target=serving.run, args=([listening],))
    running.start()
    try:
        until(lambda: serving.started or not running.is_alive(), "the server is ready")
        assert serving.started, "the server did not start"
        yield f"http://{settings.http}"
    finally:
        serving.handle_exit(signal.SIGTERM, None)
        running.join(30)
        assert not running.is_alive(), "the server does not stop"
