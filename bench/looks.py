"""The cost of the dialer's queries with 100,000 closed callbacks against 1,000, on both databases.

The dialer repeats these queries while nothing changes, some in every turn, some only in calm ones. Its own
code runs here, in a live round with one desk in conversation and one waiting citizen. Asterisk is absent,
since no query asks it for anything. All closed callbacks are of this round and this hour, which is the worst
case. The quickest of many times counts: it holds the query's cost, not the machine's other work.
"""

import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Engine, insert, text

from db.engine import connect, now, reading, writing
from db.migrate import upgrade
from db.models import Callback, Desk, Official, OfficialKind, PlacedCall, Registration, Round
from db.states import CallbackState, Outcome, RegistrationState
from dialer.call_ahead import CallAhead
from dialer.caps import Caps
from dialer.confirmations import Confirmations
from dialer.desk_calls import DeskCalls
from dialer.outbound_calls import OutboundCalls
from dialer.rooms import Rooms
from dialer.supervising import Supervising
from dialer.third_party import Guests
from dialer.tone import Tone
from dialer.trial_calls import TrialCalls
from hotline.callbacks import placing
from hotline.trunk import call_caps
from settings import CITY, QuietHours, Settings
from tests.kit import brief
from tests.kit.brief import sized
from tests.kit.postgres import Postgres

SIZES = sized((1_000, 100_000), (10, 100))
REPETITIONS = sized(40, 1)
GOAL_MS = 5.0
WAITING = 200
_BATCH = 5_000
_SECOND = timedelta(seconds=1)


class Look(NamedTuple):
    """One task of the dialer that finds nothing to do, and its milliseconds at each size."""

    name: str
    ms: list[float]


class NoAsterisk:
    """An Asterisk that refuses every action: no query of the dialer asks it for anything."""

    def request(self, action: str, **_keys: object) -> None:
        """Refuse the action, which a query would not need."""
        raise AssertionError(f"a look asked Asterisk for {action}")


def looks(engine: Engine, settings: Settings) -> dict[str, Callable[[], object]]:
    """The dialer's tasks by name."""
    ami: Any = NoAsterisk()
    caps = Caps(settings, engine)
    outbound_calls = OutboundCalls(settings, engine, ami, caps)
    call_ahead, tone = CallAhead(settings, engine, caps), Tone(engine, ami)

    def to_place() -> None:
        with reading(engine) as session:
            placing.list_to_place(session)

    def room() -> None:
        with reading(engine) as session:
            call_caps.find_capacity(session, settings)

    def sound_due() -> None:
        tone._next_look = 0.0
        tone.sound_due()

    return {
        "match": call_ahead.match,
        "third persons": Guests(settings, engine, ami, caps).send_all,
        "rooms": Rooms(engine, ami).send_all,
        "supervising": Supervising(engine, ami).send_all,
        "to place": to_place,
        "let go": call_ahead.let_go,
        "keep ready": call_ahead.keep_ready,
        "caps": room,
        "desks' telephones": DeskCalls(settings, engine, ami, caps).place_asked,
        "heads-up calls let go": outbound_calls.let_go,
        "confirmations": Confirmations(settings, engine, ami, caps).place_due,
        "codes by call": lambda: outbound_calls.place_due(awaited=True, leads=True),
        "test calls": TrialCalls(settings, engine, ami, caps, trunk_of={}.get).place_due,
        "heads-up calls, calls of what is solved": lambda: outbound_calls.place_due(
            awaited=False, leads=True
        ),
        "tone": sound_due,
    }


def a_round(engine: Engine) -> int:
    """Make a live round with one desk in conversation, one citizen waiting for it, and many in the line."""
    with writing(engine) as session:
        at = now(session)
        day = timedelta(days=1)
        office = Official(kind=OfficialKind.MAYOR, office_fa="شهردار", office_en="Mayor", clip="office-mayor")
        round_ = Round(
            official=office,
            **dict.fromkeys(("announce_at", "registration_from", "starts_at", "opened_at"), at - day),
            **dict.fromkeys(("registration_until", "ends_at"), at + day),
        )
        session.add(round_)
        session.flush()
        desk = Desk(id=1, phone_connected=True, channel="PJSIP/desk-1", round_id=round_.id)
        places = [
            Registration(
                round_id=round_.id,
                number=f"+98913{n:07}",
                ticket=f"{n:07}",
                registered_at=at,
                state=RegistrationState.CALLING if n < 2 else RegistrationState.WAITING,
            )
            for n in range(WAITING)
        ]
        session.add_all([desk, *places])
        session.flush()
        for n, state in enumerate((CallbackState.TALKING, CallbackState.WAITING)):
            session.add(
                Callback(
                    registration=places[n],
                    round_id=round_.id,
                    desk_id=desk.id if state is CallbackState.TALKING else None,
                    token=f"live-{n}",
                    state=state,
                    **dict.fromkeys(("claimed_at", "called_at", "placed_at", "talking_at"), at),
                )
            )
        return round_.id


def close(engine: Engine, round_id: int, first: int, last: int) -> None:
    """Add closed callbacks `first` to `last - 1` to the round, each with its desk and its placed call."""
    with writing(engine) as session:
        at = now(session) - 3600 * _SECOND
        for start in range(first, last, _BATCH):
            numbered = range(start, min(last, start + _BATCH))
            times = [at + 3000 * _SECOND * n / SIZES[-1] for n in numbered]
            session.execute(
                insert(Callback),
                [
                    {
                        **{"registration_id": 3 + n % (WAITING - 2), "round_id": round_id, "desk_id": 1},
                        **{"token": f"closed-{n}", "state": CallbackState.CLOSED},
                        **{"outcome": Outcome.REACHED, "claimed_at": began, "called_at": began},
                        **{"placed_at": began, "answered_at": began + 9 * _SECOND},
                        **{"confirmed_at": began + 14 * _SECOND, "talking_at": began + 20 * _SECOND},
                        "ended_at": began + 300 * _SECOND,
                    }
                    for n, began in zip(numbered, times, strict=True)
                ],
            )
            session.execute(
                insert(PlacedCall),
                [
                    {"token": f"closed-{n}", "number": f"+98914{n:07}", "at": began, "ended_at": began}
                    for n, began in zip(numbered, times, strict=True)
                ],
            )


def measure(
    engine: Engine, settings: Settings, sizes: tuple[int, ...] = SIZES, repetitions: int = REPETITIONS
) -> list[Look]:
    """Return the cost of each query at each size."""
    upgrade(engine)
    round_id, there = a_round(engine), 0
    found: dict[str, list[float]] = {}
    for size in sizes:
        close(engine, round_id, there, size)
        there = size
        if engine.dialect.name == "postgresql":
            with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.execute(text("VACUUM ANALYZE"))
        for name, look in looks(engine, settings).items():
            found.setdefault(name, []).append(min(_times_ms(look, repetitions)))
    return [Look(name, ms) for name, ms in found.items()]


def _times_ms(look: Callable[[], object], repetitions: int) -> Iterator[float]:
    look()
    for _ in range(repetitions):
        began = time.perf_counter()
        look()
        yield (time.perf_counter() - began) * 1e3


def _tell(database: str, found: list[Look]) -> bool:
    print(f"\n{database}\n{'the look, best of ' + str(REPETITIONS):<28}", end="")
    print("".join(f"{f'{size:,}: ms':>14}" for size in SIZES), f"{'ratio':>8}")
    for name, ms in found:
        print(f"{name:<28}{''.join(f'{one:>14.2f}' for one in ms)} {ms[-1] / ms[0]:>8.2f}")
    return all(ms[-1] <= GOAL_MS for _, ms in found)


def long_ago() -> QuietHours:
    """Return an hour of the city that is not now, for the queries of the day."""
    past = datetime.now(CITY) - timedelta(hours=12)
    return QuietHours(past.time(), (past + timedelta(hours=1)).time())


def main() -> int:
    """Print the tables; return 1 if a query is too slow."""
    settings = Settings(quiet_hours=long_ago())
    with tempfile.TemporaryDirectory() as folder:
        engine = connect(f"sqlite:///{Path(folder) / 'hotline.db'}")
        good = _tell("SQLite", measure(engine, settings))
        engine.dispose()
    with Postgres() as server:
        engine = connect(server.create_database("looks"))
        good &= _tell("PostgreSQL", measure(engine, settings))
        engine.dispose()
    print(f"\ngoal: each at most {GOAL_MS} ms: {'reached' if good else 'NOT reached'}")
    return 0 if good else 1


if __name__ == "__main__":
    brief.play(main)
