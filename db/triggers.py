"""What the database itself keeps right: the counts of every line, and a ledger that is only appended to.

A place in a line must cost the same at a million registrations as at a thousand, so it is summed from
counts, and the counts follow every change of a registration, whoever makes it.
"""

from sqlalchemy import Connection, text

from db.models import STRETCHES

_KEY = "round_id, level, moved_up, rounds_missed, stretch"
_LEVELS = ", ".join(f"({level}, {seconds})" for level, seconds in enumerate(STRETCHES))
_FOLLOWED = "state, round_id, moved_up, rounds_missed, registered_at"


def create(connection: Connection) -> None:
    """Create the triggers; the tables must be there."""
    statements = _SQLITE if connection.dialect.name == "sqlite" else _POSTGRESQL
    for statement in statements:
        connection.execute(text(statement))


def _count(row: str, by: int, seconds: str) -> str:
    return (
        f"INSERT INTO line_counts ({_KEY}, waiting) "  # noqa: S608
        f"SELECT {row}.round_id, column1, {row}.moved_up, {row}.rounds_missed, {seconds} / column2, {by} "
        f"FROM (VALUES {_LEVELS}) AS levels WHERE true ORDER BY column1 "
        f"ON CONFLICT ({_KEY}) DO UPDATE SET waiting = line_counts.waiting + excluded.waiting;"
    )


def _sqlite(name: str, when: str, row: str, by: int) -> str:
    # the fraction is cut off: SQLite would round .9996 up into the next second
    seconds = f"unixepoch(substr({row}.registered_at, 1, 19))"
    return (
        f"CREATE TRIGGER {name} AFTER {when} ON registrations WHEN {row}.state = 'waiting' "
        f"BEGIN {_count(row, by, seconds)} END"
    )


_SQLITE = [
    _sqlite("enters_line", "INSERT", "NEW", 1),
    _sqlite("leaves_line", "DELETE", "OLD", -1),
    _sqlite("changes_line_from", f"UPDATE OF {_FOLLOWED}", "OLD", -1),
    _sqlite("changes_line_to", f"UPDATE OF {_FOLLOWED}", "NEW", 1),
    *(
        f"CREATE TRIGGER {table}_no_{what.lower()} BEFORE {what} ON {table} "
        f"BEGIN SELECT RAISE(ABORT, '{table}: rows are only ever appended'); END"
        for table in ("ledger", "seals")
        for what in ("UPDATE", "DELETE")
    ),
]


def _postgresql_count(row: str, by: int) -> str:
    seconds = f"floor(extract(epoch FROM {row}.registered_at))::bigint"
    return f"IF {row}.state = 'waiting' THEN {_count(row, by, seconds)} END IF;"


_POSTGRESQL = [
    "CREATE FUNCTION count_line() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
    f"IF TG_OP <> 'INSERT' THEN {_postgresql_count('OLD', -1)} END IF; "
    f"IF TG_OP <> 'DELETE' THEN {_postgresql_count('NEW', 1)} END IF; "
    "RETURN NULL; END $$",
    f"CREATE TRIGGER count_line AFTER INSERT OR DELETE OR UPDATE OF {_FOLLOWED} ON registrations "
    "FOR EACH ROW EXECUTE FUNCTION count_line()",
    "CREATE FUNCTION only_appended() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
    "RAISE EXCEPTION '%: rows are only ever appended', TG_TABLE_NAME; END $$",
    *(
        f"CREATE TRIGGER only_appended BEFORE UPDATE OR DELETE ON {table} "
        "FOR EACH ROW EXECUTE FUNCTION only_appended()"
        for table in ("ledger", "seals")
    ),
]
