"""Change of a check that lists the words of an enum, for migrations, on both databases."""

import re

import sqlalchemy as sa
from alembic import op


def replace_words(table: str, check: str, column: str, *words: str) -> None:
    """Let a check accept these words: the old ones and the new ones, in the order of the enum.

    Raises ValueError if SQLite's table has no such check.
    """
    listed = ", ".join(f"'{word}'" for word in words)
    accepted = f"{column} IN ({listed})"
    if op.get_bind().dialect.name == "postgresql":
        op.drop_constraint(check, table)
        op.create_check_constraint(check, table, accepted)
    else:
        _rewrite(table, rf"(CONSTRAINT {check} CHECK \(){column} IN \([^)]*\)", accepted)


def _rewrite(table: str, old: str, new: str) -> None:
    """Change SQLite's text of the table, as its documents allow for a check that only grows (ALTER TABLE, 8).

    A new table instead would delete the rows that refer to the old one, and its triggers.
    """
    bind = op.get_bind()
    stored = {"name": table, "type": "table"}
    text = bind.scalar(sa.text("SELECT sql FROM sqlite_master WHERE type = :type AND name = :name"), stored)
    changed, count = re.subn(old, rf"\g<1>{new}", text or "")
    if count != 1:
        raise ValueError(f"the table {table} has no such check: {old}")
    version = bind.scalar(sa.text("PRAGMA schema_version"))
    op.execute("PRAGMA writable_schema = ON")
    update = "UPDATE sqlite_master SET sql = :sql WHERE type = :type AND name = :name"
    bind.execute(sa.text(update), {"sql": changed, **stored})
    op.execute(f"PRAGMA schema_version = {version + 1}")
    op.execute("PRAGMA writable_schema = OFF")
