"""The migrations make exactly the tables that the models describe, on both databases."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, Engine, MetaData, event, inspect, select, text
from sqlalchemy.exc import IntegrityError, OperationalError, ProgrammingError

from db import migrate
from db.engine import connect, reading, writing
from db.models import Base, Callback, Confirmation, ConfirmationKind, Desk, OutboundCall, Request, Round, User
from db.states import CallbackState
from tests.kit.postgres import Postgres
from tests.kit.schema import shape


@pytest.fixture
def empty(empty_database: str) -> Iterator[Engine]:
    engine = connect(empty_database)
    yield engine
    engine.dispose()


def statements(engine: Engine) -> dict[str, str]:
    """Return SQLite's own statement of each index: conditions and directions that no inspector shows."""
    if engine.dialect.name != "sqlite":
        return {}
    with engine.connect() as connection:
        rows = connection.execute(
            text("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql <> ''")
        )
        return {name: " ".join(sql.split()) for name, sql in rows}


def test_upgrade_of_an_empty_database_makes_it_current(empty: Engine) -> None:
    assert not migrate.is_current(empty)
    migrate.upgrade(empty)
    assert migrate.is_current(empty)
    assert set(shape(empty)) == set(Base.metadata.tables)


def test_simultaneous_upgrades_of_an_empty_database_succeed(
    empty: Engine,
) -> None:
    url = empty.url.render_as_string(hide_password=False)
    machine = f"from db import engine, migrate; migrate.upgrade(engine.connect({url!r}))"
    machines = [
        subprocess.Popen([sys.executable, "-c", machine], stderr=subprocess.PIPE, text=True) for _ in range(3)
    ]

    said = [each.communicate(timeout=120)[1] for each in machines]

    assert [each.returncode for each in machines] == [0, 0, 0], said
    assert migrate.is_current(empty)


def test_second_upgrade_changes_nothing(empty: Engine) -> None:
    migrate.upgrade(empty)
    before = shape(empty), statements(empty)
    migrate.upgrade(empty)
    assert (shape(empty), statements(empty)) == before
    assert migrate.is_current(empty)


def test_upgraded_schema_matches_the_models_by_alembic(
    engine: Engine,
) -> None:
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []


def test_constraints_of_the_models_match_the_migrations(engine: Engine, empty: Engine) -> None:
    Base.metadata.create_all(empty)
    migrated = shape(engine)
    assert migrated["callbacks"]["checks"] and migrated["registrations"]["indexes"]
    assert migrated == shape(empty)
    assert statements(engine) == statements(empty)


def test_upgrade_of_an_unknown_version_is_refused(
    empty: Engine,
) -> None:
    migrate.upgrade(empty)
    with empty.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0999'"))
    before = shape(empty)
    with pytest.raises(migrate.OtherVersion, match=r"another version \(0999\)"):
        migrate.upgrade(empty)
    assert shape(empty) == before
    assert not migrate.is_current(empty)


@pytest.fixture
def second_migration(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str], None]:
    """Makes the statements of one migration that follows the first one; there are no others."""

    def given(*statements: str) -> None:
        scripts = tmp_path / "migrations"
        (scripts / "versions").mkdir(parents=True)
        source = Path(migrate.__file__).parent / "migrations"
        (scripts / "env.py").write_text((source / "env.py").read_text())
        (scripts / "versions" / "0001.py").write_text((source / "versions/0001_first_tables.py").read_text())
        (scripts / "versions" / "0002.py").write_text(
            "from alembic import op\nrevision = '0002'\ndown_revision = '0001'\n"
            "def upgrade() -> None:\n" + "".join(f"    op.execute({each!r})\n" for each in statements)
        )
        config = migrate._config()
        config.set_main_option("script_location", str(scripts))
        monkeypatch.setattr(migrate, "_config", lambda: config)

    return given


def test_migration_that_fails_halfway_is_rolled_back(
    empty: Engine, second_migration: Callable[..., None]
) -> None:
    second_migration("CREATE TABLE half (id INTEGER)", "nonsense")
    with pytest.raises(Exception, match="nonsense"):
        migrate.upgrade(empty)
    assert inspect(empty).get_table_names() == []
    assert not migrate.is_current(empty)


@pytest.mark.parametrize("backend", ["postgresql"])
def test_migration_outlives_the_statement_timeout(
    empty_database: str, second_migration: Callable[..., None]
) -> None:
    engine = connect(empty_database)

    @event.listens_for(engine, "connect")
    def impatient(connection: Any, _record: Any) -> None:
        connection.execute("SET statement_timeout = 100").connection.commit()

    second_migration("SELECT pg_sleep(0.3)")
    migrate.upgrade(engine)
    assert migrate.is_current(engine)
    with engine.connect() as connection, pytest.raises(OperationalError, match="statement timeout"):
        connection.execute(text("SELECT pg_sleep(0.3)"))  # as for everybody else, from then on
    engine.dispose()


@pytest.mark.parametrize("backend", ["postgresql"])
def test_migration_of_a_table_in_use_gives_up_on_lock_timeout(
    empty: Engine, second_migration: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    upgrade_to(empty, "0001")
    monkeypatch.setitem(migrate._LIMITS, "lock_timeout", 100)
    second_migration("ALTER TABLE desks ADD COLUMN more INTEGER")
    with empty.connect() as reader:
        reader.execute(text("SELECT count(*) FROM desks"))
        with pytest.raises(OperationalError, match="lock timeout"):
            migrate.upgrade(empty)
    migrate.upgrade(empty)
    assert migrate.is_current(empty)


# A database of the first version, in use


_STATES_OF_OLD = ["claimed", "dialing", "ringing", "answered", "waiting", "talking", "ended", "closed"]


def upgrade_to(engine: Engine, revision: str) -> None:
    config = migrate._config()
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def fill(connection: Connection, old: MetaData) -> None:
    """A round with a citizen, a desk, a person and a callback for each state that the first version knew."""
    at = datetime(2026, 11, 24, 8, 30, 15, 123456, tzinfo=UTC)
    if connection.dialect.name == "sqlite":
        at = at.replace(tzinfo=None)
    hours = [at + timedelta(hours=hour) for hour in range(6)]
    names = ("announce_at", "registration_from", "registration_until", "starts_at", "ends_at")
    insert = {name: table.insert() for name, table in old.tables.items()}
    connection.execute(
        insert["officials"],
        [{"id": 1, "kind": "mayor", "office_fa": "شهردار", "office_en": "Mayor", "clip": "m"}],
    )
    round_ = {
        "official_id": 1,
        "languages": "fa",
        "minutes": 6,
        "reason": "",
        "changes": 0,
        "is_operators_line": False,
    }
    times = dict(zip(names, hours, strict=False))
    connection.execute(
        insert["rounds"],
        [
            {"id": 7, **round_, **times, "opened_at": hours[3], "ended_at": None},
            {"id": 8, **round_, **times, "opened_at": hours[3], "ended_at": hours[4]},
        ],
    )
    for number, state in enumerate(_STATES_OF_OLD, start=1):
        closed = state == "closed"
        connection.execute(
            insert["desks"], [{"id": number, "phone": "sip", "phone_connected": number % 2 == 0}]
        )
        user = {"id": number + 20, "username": f"u{number}", "name": "اپراتور", "role": "operator"}
        connection.execute(insert["users"], [{**user, "password_hash": "x", "desk_id": number}])
        place = {
            "id": number + 40,
            "round_id": 7,
            "number": f"+98913000000{number}",
            "ticket": f"{number:07}",
        }
        place |= {"language": "fa", "state": "waiting" if closed else "calling", "moved_up": 0}
        place |= {"moved_reason": "", "rounds_missed": number, "rounds_unanswered": 0, "attempts": number}
        connection.execute(insert["registrations"], [{**place, "registered_at": at}])
        callback = {"id": number + 60, "registration_id": number + 40, "round_id": 7, "desk_id": number}
        callback |= {"user_id": number + 20, "token": f"callback-{number:032}", "state": state}
        callback |= {"outcome": "busy" if closed else None, "claimed_at": at}
        moments = ("called_at", "placed_at", "answered_at", "talking_at", "ended_at")
        came = {name: at if number > place + 1 else None for place, name in enumerate(moments)}
        connection.execute(insert["callbacks"], [{**callback, **came}])
    fact = {"fact": "round_cancelled", "round_id": 8, "details": "{}", "digest": "0" * 64, "at": at}
    connection.execute(insert["ledger"], [{"id": number, **fact} for number in (1, 2)])


def rows(connection: Connection, tables: MetaData) -> dict[str, list[dict[str, Any]]]:
    """Every row of these tables, by the columns that they had."""
    return {
        name: sorted(
            (dict(row._mapping) for row in connection.execute(select(table))),
            key=repr,
        )
        for name, table in tables.tables.items()
        if name != "alembic_version"
    }


def begin_use(empty: Engine) -> MetaData:
    """Upgrade to the first version, fill its tables and return them."""
    upgrade_to(empty, "0001")
    old = MetaData()
    old.reflect(empty)
    with empty.begin() as connection:
        fill(connection, old)
    return old


@pytest.fixture
def in_use(empty: Engine) -> tuple[Engine, MetaData]:
    """A database of the first version with rows in every table that has changed since, and its tables."""
    return empty, begin_use(empty)


@pytest.fixture(scope="module")
def engines() -> Iterator[dict[str, Engine]]:
    """The engine of each upgraded database of this module, by its kind."""
    engines: dict[str, Engine] = {}
    yield engines
    for engine in engines.values():
        engine.dispose()


@pytest.fixture
def upgraded(
    engines: dict[str, Engine],
    backend: str,
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
) -> Engine:
    """A database of the first version in use, upgraded once for all tests: none of them commits."""
    if backend not in engines:
        if backend == "sqlite":
            url = f"sqlite:///{tmp_path_factory.mktemp('upgraded') / 'hotline.db'}"
        else:
            server: Postgres = request.getfixturevalue("postgres")
            url = server.create_database("upgraded")
        engines[backend] = connect(url)
        begin_use(engines[backend])
        migrate.upgrade(engines[backend])
    return engines[backend]


def test_upgrade_from_the_first_version_keeps_every_row(
    in_use: tuple[Engine, MetaData],
) -> None:
    engine, old = in_use
    with engine.connect() as connection:
        before = rows(connection, old)
    assert len(before["callbacks"]) == len(_STATES_OF_OLD)
    assert before["line_counts"], "kept by triggers"
    migrate.upgrade(engine)
    with engine.connect() as connection:
        assert rows(connection, old) == before
    with writing(engine) as session:
        states = {c.state for c in session.scalars(select(Callback)).unique()}
        assert states == set(CallbackState) - {
            CallbackState.SCREENING,
            CallbackState.HELD,
            CallbackState.PARTING,
        }
        assert {r.recorded for r in session.scalars(select(Round))} == {False}
        assert {d.round_id for d in session.scalars(select(Desk))} == {None}
        assert {u.pin_hash for u in session.scalars(select(User))} == {None}


def test_upgrade_from_the_first_version_gives_the_current_schema(
    in_use: tuple[Engine, MetaData], engine: Engine
) -> None:
    upgraded, _ = in_use
    migrate.upgrade(upgraded)
    assert shape(upgraded) == shape(engine)
    if upgraded.dialect.name == "sqlite":
        with upgraded.connect() as connection:
            assert connection.execute(text("PRAGMA integrity_check")).scalar_one() == "ok"
    assert statements(upgraded) == statements(engine)


@pytest.mark.parametrize(
    "against",
    [
        "UPDATE callbacks SET desk_id = 1 WHERE id = 62",  # one live callback per desk
        "UPDATE callbacks SET registration_id = 41 WHERE id = 62",  # and per registration
        "UPDATE callbacks SET state = 'flying' WHERE id = 62",
        "UPDATE callbacks SET state = 'closed' WHERE id = 62",  # without an outcome
        "UPDATE callbacks SET outcome = 'busy' WHERE id = 62",
        "UPDATE callbacks SET state = 'screening' WHERE id = 65",  # by no desk
        "UPDATE callbacks SET desk_id = NULL WHERE id = 66",  # speaks
        "UPDATE callbacks SET desk_id = 99 WHERE id = 62",
        "UPDATE callbacks SET screen_desk_id = 99 WHERE id = 62",
        "UPDATE callbacks SET token = (SELECT token FROM callbacks WHERE id = 61) WHERE id = 62",
        "UPDATE desks SET round_id = 99 WHERE id = 1",
        "UPDATE desks SET hears_desk_id = 99 WHERE id = 1",
        "DELETE FROM desks WHERE id = 1",
        "UPDATE ledger SET fact = 'closed' WHERE id = 1",  # rows are only ever appended
        "DELETE FROM ledger WHERE id = 2",
        "INSERT INTO ledger VALUES (3, '2026-11-24 08:30:15.123456', 'dreamt', 8, NULL, NULL, '{}', '')",
        "INSERT INTO turn_near_calls (registration_id, round_id, due_at, answer) "
        "VALUES (41, 7, '2026-11-24 08:30:15.123456', 'maybe')",
    ],
)
def test_upgraded_database_refuses_invalid_rows(upgraded: Engine, against: str) -> None:
    refusals = (IntegrityError, ProgrammingError)  # a constraint's, and a trigger's of PostgreSQL
    with pytest.raises(refusals), upgraded.begin() as connection:
        connection.execute(text(against))


def test_upgraded_database_still_counts_waiting_registrations(
    in_use: tuple[Engine, MetaData],
) -> None:
    engine, _ = in_use
    count = text("SELECT sum(waiting) FROM line_counts WHERE level = 0")
    migrate.upgrade(engine)
    with engine.begin() as connection:
        assert connection.scalar(count) == 1
        connection.execute(text("UPDATE registrations SET state = 'waiting' WHERE id = 41"))
        assert connection.scalar(count) == 2


def insert(engine: Engine, table: str, **values: Any) -> None:
    columns, slots = ", ".join(values), ", ".join(f":{name}" for name in values)
    with engine.begin() as connection:
        connection.execute(text(f"INSERT INTO {table} ({columns}) VALUES ({slots})"), values)


AT = "2026-11-24 08:30:15.123456"


def test_open_move_of_the_version_before_is_dropped(empty: Engine) -> None:
    upgrade_to(empty, "0114")
    asked = {"asked_at": AT, "not_before": AT, "asked_by": "+989130000001", "number": "+989130000002"}
    for id_, kind in enumerate(("number", "registration", "cancellation"), start=1):
        insert(empty, "confirmations", id=id_, kind=kind, **asked)
    migrate.upgrade(empty)
    with reading(empty) as session:
        open_ = session.scalars(select(Confirmation.kind).where(Confirmation.decided_at.is_(None)))
        assert set(open_) == {ConfirmationKind.REGISTRATION, ConfirmationKind.CANCELLATION}
        (dropped,) = session.scalars(select(Confirmation).where(Confirmation.decided_at.is_not(None)))
        assert (dropped.agreed, dropped.decided_at) == (None, dropped.asked_at)


def test_waiting_solved_call_moves_into_the_queue(empty: Engine) -> None:
    upgrade_to(empty, "0119")
    request = {"category": 1, "language": "fa", "state": "replied", "made_at": AT, "written": "x"}
    names = ("waits", "rings", "told", "over")
    for id_, name in enumerate(names, start=1):
        insert(empty, "requests", id=id_, tracking=name, number="+983132221234", replied_at=AT, **request)
        call = {"token": "solved-1", "placed_at": AT} if name == "rings" else {}
        call |= {"told_at": AT} if name == "told" else {"ended_at": AT} if name == "over" else {}
        insert(empty, "solved_calls", request_id=id_, replied_at=AT, due_at=AT, tries=id_, **call)
    migrate.upgrade(empty)
    with reading(empty) as session:
        moved = session.scalars(select(OutboundCall).order_by(OutboundCall.request_id)).all()
        replied = session.scalars(select(Request.replied_at)).first()
        assert [(each.request_id, each.attempts, each.token, each.answer) for each in moved] == [
            (1, 1, None, None),
            (2, 2, "solved-1", None),
            (3, 3, None, "told"),
        ]
        assert {each.asked_at for each in moved} == {replied}
        assert not session.scalar(text("SELECT count(*) FROM solved_calls WHERE ended_at IS NULL"))


def test_heads_up_call_moves_into_the_queue(empty: Engine) -> None:
    upgrade_to(empty, "0119")
    times = ("announce_at", "registration_from", "registration_until", "starts_at", "ends_at")
    insert(empty, "officials", id=1, kind="mayor", office_fa="x", office_en="x", clip="x")
    round_ = {"languages": "fa", "minutes": 6, "reason": "", "changes": 0, "is_operators_line": False}
    hours = {time: f"2026-11-24 0{hour}:30:00.000000" for hour, time in enumerate(times)}
    insert(empty, "rounds", id=7, official_id=1, **round_, **hours)
    order = {"moved_up": 0, "moved_reason": "", "rounds_missed": 0, "rounds_unanswered": 0, "attempts": 0}
    calls: list[dict[str, str]] = [{}, {"token": "near-2", "placed_at": AT}]
    calls += [{"token": "near-3", "placed_at": AT, "answer": "next_round", "ended_at": AT}, {"ended_at": AT}]
    for id_, call in enumerate(calls, start=1):
        place = {"number": f"+98913000000{id_}", "ticket": f"{id_}", "language": "fa", "state": "waiting"}
        insert(empty, "registrations", id=id_, round_id=7, registered_at=AT, **place, **order)
        insert(empty, "turn_near_calls", registration_id=id_, round_id=7, due_at=AT, **call)
    migrate.upgrade(empty)
    with reading(empty) as session:
        moved = session.scalars(select(OutboundCall).order_by(OutboundCall.registration_id)).all()
        assert [(each.number, each.token, each.answer, each.ended_at is None) for each in moved] == [
            ("+989130000001", None, None, True),
            ("+989130000002", "near-2", None, True),
            ("+989130000003", None, "next_round", False),
            ("+989130000004", None, None, False),
        ]
        assert not session.scalar(text("SELECT count(*) FROM turn_near_calls WHERE ended_at IS NULL"))


def test_code_to_be_spoken_moves_into_the_queue(empty: Engine) -> None:
    upgrade_to(empty, "0119")
    code = {"number": "+989130000001", "language": "fa", "salt": "x", "asked_at": AT, "expires_at": AT}
    ways: list[tuple[str, dict[str, str]]] = [("sms", {}), ("call", {}), ("call", {"ended_at": AT})]
    ways += [("call", {"token": "code-1", "placed_at": AT}), ("call", {"placed_at": AT, "declined_at": AT})]
    for id_, (way, more) in enumerate(ways, start=1):
        insert(empty, "citizen_codes", id=id_, way=way, browser=f"{id_}", **code, **more)
    migrate.upgrade(empty)
    with reading(empty) as session:
        moved = session.scalars(select(OutboundCall).order_by(OutboundCall.code_id)).all()
    assert [(each.code_id, each.token, each.answer) for each in moved] == [
        (2, None, None),
        (4, "code-1", None),
        (5, None, "refused"),
    ]


def test_report_once_public_proves_nothing_after_upgrade(empty: Engine) -> None:
    upgrade_to(empty, "0117")
    report = {"category": 1, "language": "fa", "state": "new", "made_at": AT, "written": "x"}
    names = ["", "released", "withdrawn", "private", "released with a number"]
    for id_ in range(1, 5):
        number = "+989130000001" if id_ == 4 else None
        insert(empty, "requests", id=id_, tracking=f"{id_}", number=number, call_id=names[id_], **report)
    for id_ in (1, 4):
        insert(empty, "releases", request_id=id_, text="x", with_point=False, who="mod", at=AT)
    insert(empty, "audit", at=AT, who="mod", action="request-withdrawn", subject="request 2", reason="")
    migrate.upgrade(empty)
    with reading(empty) as session:
        calls = session.scalars(select(Request.call_id).order_by(Request.id)).all()
    assert calls == [None, None, "private", "released with a number"]
