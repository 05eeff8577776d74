"""The common ground of the tests: each has its own folder, ports and fresh database."""

import gc
import os
import secrets
import shutil
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from argon2 import PasswordHasher
from fastapi import FastAPI
from sqlalchemy import Engine, event
from sqlalchemy.orm import Session

from api.app import create
from db.engine import connect
from db.migrate import upgrade
from hotline.people import accounts
from prompts.catalogue import list_languages, list_texts
from settings import Settings, load
from settings.addresses import Address
from tests.kit import both_ends
from tests.kit.databases import on_both
from tests.kit.fake_asterisk import FakeAsterisk, answering
from tests.kit.fake_channel import CLIP_SAMPLES
from tests.kit.ports import free_port
from tests.kit.postgres import Postgres
from tests.kit.reused_database import ReusedDatabase
from tests.kit.sql_cache import never_sync, share
from tests.kit.trunk_file import make_trunk

__all__ = ["on_both"]

# Red means a change, never another chance; `make explore` takes chances of its own.
_EVERYWHERE = hypothesis.settings.get_profile("default")  # whatever else the machine would like
hypothesis.settings.register_profile("same", _EVERYWHERE, derandomize=True, deadline=None)
hypothesis.settings.register_profile("explore", _EVERYWHERE, print_blob=True, deadline=None)
hypothesis.settings.load_profile("same")

_LONG = ("bench", "faults", "pages", "system")
"""Folders whose tests start whole systems or browsers: each is marked `long`."""
_TEMPLATE = "migrated"
_TRUE_HASHING = {"_HASHER": accounts._HASHER, "_NOBODYS": accounts._NOBODYS}


def pytest_addoption(parser: pytest.Parser) -> None:
    """`make check` leaves out what needs a server or much time."""
    parser.addoption("--quick", action="store_true", help="on SQLite alone, without the long stories")


def pytest_configure() -> None:
    """Lower the priority of all that a worker starts, and skip protections against thieves and power cuts."""
    both_ends.give_way()
    never_sync()
    quick = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    accounts._HASHER, accounts._NOBODYS = quick, quick.hash(secrets.token_hex())


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> both_ends.BothEnds:
    """With `-n`, in each of its forms."""
    return both_ends.BothEnds(config, log)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Keep garbage collection off during collection: it was a quarter of the tests' work."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()
        gc.set_threshold(20_000, 20, 10)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark the long tests, drop what `--quick` leaves out, and order the rest by tests.kit.both_ends."""
    for item in items:
        if item.path.relative_to(config.rootpath).parts[1] in _LONG:
            item.add_marker(pytest.mark.long)
    if config.getoption("--quick"):
        slow = [item for item in items if not _is_quick(item)]
        config.hook.pytest_deselected(items=slow)
        items[:] = [item for item in items if _is_quick(item)]
    both_ends.be_patient(items)
    items.sort(key=lambda item: both_ends.turn(item.nodeid.split("::")[0]))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test that fails on a running system shows the end of what that one logged."""
    report = yield
    if report.failed:
        from tests.kit.system import System  # here: it is much, for most tests

        systems = [one for one in getattr(item, "funcargs", {}).values() if isinstance(one, System)]
        report.sections += [("what the system said", system.last_words()) for system in systems]
    return report


def _is_quick(item: pytest.Item) -> bool:
    params = getattr(item, "callspec", None)
    on_postgres = params is not None and params.params.get("backend") == "postgresql"
    return not (on_postgres or item.get_closest_marker("long"))


@pytest.fixture(autouse=True)
def _umask() -> Iterator[None]:
    """A command that is played in the tests' own process hides what is written after it, too."""
    before = os.umask(0o022)
    os.umask(before)
    yield
    os.umask(before)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server of this test process."""
    with Postgres() as server:
        yield server


@pytest.fixture(scope="session")
def reused(postgres: Postgres) -> ReusedDatabase:
    """A migrated database in PostgreSQL."""
    _migrate(postgres.create_database(_TEMPLATE))
    return ReusedDatabase(postgres, _TEMPLATE)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite database to copy."""
    path = tmp_path_factory.mktemp("template") / "hotline.db"
    _migrate(f"sqlite:///{path}")
    return path


@pytest.fixture
def empty_database(request: pytest.FixtureRequest, backend: str, tmp_path: Path) -> str:
    """The URL of a database without tables."""
    if backend == "sqlite":
        return f"sqlite:///{tmp_path / 'empty.db'}"
    server: Postgres = request.getfixturevalue("postgres")
    return server.create_database("empty")


@pytest.fixture
def database(request: pytest.FixtureRequest, backend: str, tmp_path: Path) -> str:
    """The URL of a fresh, migrated database."""
    if backend == "sqlite":
        path = tmp_path / "hotline.db"
        shutil.copyfile(request.getfixturevalue("sqlite_template"), path)
        return f"sqlite:///{path}"
    reused: ReusedDatabase = request.getfixturevalue("reused")
    return reused.fresh()


@pytest.fixture
def engine(database: str) -> Iterator[Engine]:
    """An engine on a fresh, migrated database."""
    engine = connect(database)
    if engine.dialect.name == "postgresql":  # who holds a lock may wait for the processor for long
        event.listen(engine, "connect", _may_be_idle)
    yield engine
    engine.dispose()


def _may_be_idle(connection: Any, _record: object) -> None:
    connection.execute("SET idle_in_transaction_session_timeout = 0")
    connection.commit()


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    """A transaction for the whole test; after `commit()` the next one begins by itself."""
    with Session(engine, expire_on_commit=False) as session:
        yield session
        session.commit()


@pytest.fixture(scope="session")
def ports() -> dict[str, Any]:
    """Ports that nothing else on the machine uses, for each setting that names some."""
    names = ("http", "sip", "asterisk_http", "agi", "ami")
    trunks = make_trunk(host=f"127.0.0.1:{free_port()}")
    return {"trunks": trunks} | {name: Address("127.0.0.1", free_port()) for name in names}


@pytest.fixture
def own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting comes from the shell."""
    for name in [name for name in os.environ if name.startswith("HOTLINE_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def settings(database: str, tmp_path: Path, ports: dict[str, Any], own_environment: None) -> Settings:
    """Settings of an installation that nothing else on the machine touches."""
    never = "00:00-00:00"  # whatever the hour at which the tests run
    with pytest.MonkeyPatch.context() as reading:
        # `own_environment` has left none there, and to look for each takes three times as long as to check.
        reading.setattr(Settings, "settings_customise_sources", _as_given)
        return load(
            _env_file=None,
            state_dir=tmp_path / "state",
            database_url=database,
            quiet_hours=never,
            second_factor_roles=(),  # tests of it say so
            **ports,
        )


def _as_given(_settings: type, init_settings: Any, *_: Any, **__: Any) -> tuple[Any, ...]:
    """Settings come from what `load` is given alone."""
    return (init_settings,)


@pytest.fixture
def true_hashing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Passwords and PINs cost as much as in the field."""
    for name, value in _TRUE_HASHING.items():
        monkeypatch.setattr(accounts, name, value)


@pytest.fixture
def app(settings: Settings, engine: Engine) -> FastAPI:
    """The API on this test's database."""
    return create(settings)


@pytest.fixture(scope="session")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with each language's clips, of which two are one command."""
    folder = tmp_path_factory.mktemp("prompts")
    for language in list_languages():
        (folder / language).mkdir()
        for clip in list_texts(language):
            (folder / language / f"{clip}.alaw").write_bytes(bytes(CLIP_SAMPLES))
    return folder


@pytest.fixture
def asterisk(settings: Settings, engine: Engine, clips: Path) -> Iterator[FakeAsterisk]:
    """A fake Asterisk, whose calls the scripts answer on this test's database."""
    settings.state_dir.mkdir(exist_ok=True)
    settings.prompts_dir.symlink_to(clips)
    with answering(settings, engine) as asterisk:
        yield asterisk


def _migrate(url: str) -> None:
    engine = connect(url)
    upgrade(engine)
    share(engine)
    engine.dispose()
