"""Migration of a database's tables to this version, by Alembic.

Alembic is large: a start with nothing to migrate does not import it.
"""

from importlib import resources
from typing import TYPE_CHECKING

from sqlalchemy import Engine

from db.version import is_newest, is_next

if TYPE_CHECKING:
    from alembic.config import Config

_LIMITS = {"statement_timeout": 0, "idle_in_transaction_session_timeout": 0, "lock_timeout": 15_000}
"""PostgreSQL's limits for a migration, in milliseconds; 0 is none. No transaction of ours holds a lock so
long."""

_ONE_AT_A_TIME = (
    "SET LOCAL lock_timeout = 0",
    "SET LOCAL statement_timeout = 0",
    "SELECT pg_advisory_xact_lock(hashtextextended('migrations', 0))",
)
"""Several machines may start at one time; all but the first then find nothing to do."""

_PATIENCE_S = 60
"""Seconds that a second process on SQLite waits for the first one's migrations, even on a busy machine."""


class OtherVersion(Exception):
    """The database's version is unknown here: newer, or from before the first release."""


def _config() -> "Config":
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(resources.files("db") / "migrations"))
    return config


def upgrade(engine: Engine) -> None:
    """Run every migration that `engine`'s database lacks, all or none.

    The next release's tables stay as they are: this version runs on them. A statement may take long on a
    large table, but nobody waits behind one that waits for a lock. Raises OtherVersion, and changes nothing
    then.
    """
    with engine.execution_options(patience_s=_PATIENCE_S).begin() as connection:
        if connection.dialect.name == "postgresql":
            from db.postgres import remove_time_limit  # noqa: PLC0415  (nor needs SQLite its driver)

            remove_time_limit(connection)
            for statement in _ONE_AT_A_TIME:
                connection.exec_driver_sql(statement)
            for name, milliseconds in _LIMITS.items():
                connection.exec_driver_sql(f"SET LOCAL {name} = {milliseconds}")
        if is_newest(connection):
            return
        from alembic import command  # noqa: PLC0415
        from alembic.runtime.migration import MigrationContext  # noqa: PLC0415
        from alembic.script import ScriptDirectory  # noqa: PLC0415

        config = _config()
        known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
        seen = frozenset(MigrationContext.configure(connection).get_current_heads())
        if is_next(seen):
            return  # another machine is at the next version already
        if unknown := seen - known:
            raise OtherVersion(
                f"the database is of another version ({', '.join(sorted(unknown))}), newer than this one or "
                "from before the first release; run that version, or name another in HOTLINE_DATABASE_URL"
            )
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def is_known(name: str) -> bool:
    """Return whether a database of that version can be migrated to this one."""
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    known = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
    return set(name.split(",")) <= known


def is_current(engine: Engine) -> bool:
    """Return whether the database has exactly this version's migrations."""
    from alembic.runtime.migration import MigrationContext  # noqa: PLC0415
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    with engine.connect() as connection:
        heads = MigrationContext.configure(connection).get_current_heads()
    return set(heads) == set(ScriptDirectory.from_config(_config()).get_heads())
