"""Many who register, one after the other, whatever happens to the database; and what each was told."""

import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import pairwise
from typing import Self

from sqlalchemy import Engine, select
from sqlalchemy.exc import DBAPIError, TimeoutError

from db.engine import reading, writing
from db.models import Registration
from hotline.line import registration
from tests.factories import a_number
from tests.kit.process import until

_ENOUGH = 20


class Callers:
    """Callers who register by the rules, unless another way is given: it says the ticket, or none."""

    def __init__(
        self, engine: Engine, round_id: int, *, way: Callable[[], tuple[str, str] | None] | None = None
    ) -> None:
        self._engine, self._round_id = engine, round_id
        self._way = way
        self._stop = threading.Event()
        self._pool = ThreadPoolExecutor(4)
        self.spoken: dict[str, str] = {}
        """Each ticket by its number, and below, when each was told."""
        self.times: list[float] = []

    def __enter__(self) -> Self:
        self._works = [self._pool.submit(self._by(self._call)) for _ in range(3)]
        if self._way:
            self._works.append(self._pool.submit(self._by(self._way)))
        self.go_on(30.0)
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._pool.shutdown()

    def _by(self, way: Callable[[], tuple[str, str] | None]) -> Callable[[], None]:
        def work() -> None:
            while not self._stop.wait(random.uniform(0.005, 0.03)):
                if told := way():
                    self.spoken.update([told])
                    self.times.append(time.monotonic())

        return work

    def _call(self) -> tuple[str, str] | None:
        number = a_number()
        while not self._stop.is_set():
            with suppress(DBAPIError, TimeoutError):  # the caller is asked to call again, and does
                with writing(self._engine) as session:
                    told = registration.register(session, round_id=self._round_id, number=number)
                return number, told.ticket
            time.sleep(random.uniform(0.01, 0.1))
        return None

    def go_on(self, within: float) -> None:
        """Until enough more of them were told something."""
        before = len(self.spoken)
        until(lambda: len(self.spoken) > before + _ENOUGH, "registrations go on", within)

    def longest_pause(self, since: float) -> float:
        """In which nobody was told anything."""
        times = sorted([since, *(each for each in self.times if each > since)])
        return max(after - before for before, after in pairwise(times))

    def assert_nothing_is_lost(self) -> None:
        """Every ticket that was spoken is there, and nobody is in the line twice."""
        self._stop.set()
        for each in self._works:
            each.result(60.0)
        with reading(self._engine) as session:
            rows = session.execute(select(Registration.number, Registration.ticket)).all()
        assert len({number for number, _ in rows}) == len(rows)
        assert self.spoken.items() <= {number: ticket for number, ticket in rows}.items()
