"""The version before, as a city left it: its tables, by its migrations, and rows of a working day.

`python -m tests.kit.released` writes the rows anew for a version that is about to be released. Run it on that
version's last commit, with VERSION and REVISION changed (docs/decisions/0044-one-version-back.md).
"""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from alembic import command
from sqlalchemy import JSON, Connection, Engine, MetaData, Table, text

from db import migrate
from db.engine import connect

VERSION, REVISION = "0.3.0", "0001"
ROWS = Path(__file__).parents[1] / "db" / "versions" / f"{VERSION}.sql"
_COUNTED = "line_counts"
"""The table that triggers count from the line."""
_OF_THE_DATABASE = ("alembic_version", "sqlite_sequence")


def tables_of(engine: Engine, revision: str = REVISION) -> MetaData:
    """Make that version's tables in an empty database; what it then knows of them."""
    config = migrate._config()
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
    made = MetaData()
    made.reflect(engine)
    made.remove(made.tables["alembic_version"])
    return made


def in_use(engine: Engine, folder: Path) -> MetaData:
    """The same, with all its rows. In the folder is made what PostgreSQL is filled from."""
    made = tables_of(engine)
    if engine.dialect.name == "sqlite":
        with closing(sqlite3.connect(str(engine.url.database))) as wire:
            wire.executescript(ROWS.read_text("utf-8"))
        return made
    source = connect(f"sqlite:///{folder / 'released.db'}")
    in_use(source, folder)
    with source.connect() as out, engine.begin() as into:
        into.execute(text("SET LOCAL session_replication_role = replica"))  # no trigger, no foreign key
        for table in made.tables.values():
            _copy(out, into, table)
    source.dispose()
    return made


def _copy(out: Connection, into: Connection, table: Table) -> None:
    """PostgreSQL reads each value as it would be typed."""
    columns = [column for column in table.columns if column.computed is None]
    rows = [
        {column.name: _typed(row[column.name], column.type) for column in columns}
        for row in out.execute(text(f'SELECT * FROM "{table.name}"')).mappings()
    ]
    names = ", ".join(f'"{column.name}"' for column in columns)
    into.execute(table.delete())
    into.execute(
        text(
            f'INSERT INTO "{table.name}" ({names}) '
            f'SELECT {names} FROM json_populate_recordset(NULL::"{table.name}", :rows)'
        ),
        {"rows": json.dumps(rows)},
    )
    if (counted := table.autoincrement_column) is not None:
        given = {"table": table.name, "column": counted.name}
        into.execute(
            text(
                "SELECT setval(pg_get_serial_sequence(:table, :column), "
                f'coalesce(max({counted.name}), 0) + 1) FROM "{table.name}"'
            ),
            given,
        )


def _typed(value: Any, type_: Any) -> Any:
    if isinstance(value, bytes):
        return f"\\x{value.hex()}"
    return json.loads(value) if isinstance(type_, JSON) and value is not None else value


def _write() -> None:
    """The rows of the seeded city, by which screenshots are made, too."""
    from tests.kit import seed_city  # of the code that is released: whoever only reads needs none of it

    path = ROWS.with_suffix(".db")
    engine = connect(f"sqlite:///{path}")
    tables_of(engine, "head")
    seed_city.fill(engine)
    engine.dispose()
    left_out = [f'INSERT INTO "{name}"' for name in (_COUNTED, *_OF_THE_DATABASE)]
    with closing(sqlite3.connect(path)) as wire:
        said = [
            line
            for line in wire.iterdump()
            if line.startswith("INSERT") and not line.startswith(tuple(left_out))
        ]
    emptied = [f'DELETE FROM "{name}";' for name in ("subjects", "categories", "desk_words")]
    ROWS.write_text("\n".join(["BEGIN;", *emptied, *said, "COMMIT;", ""]), "utf-8")
    for suffix in ("", "-wal", "-shm"):
        Path(f"{path}{suffix}").unlink(missing_ok=True)


if __name__ == "__main__":
    _write()
