"""Whether the tables are this version's, for who asks often: without Alembic, which is large and talks."""

import re
from functools import cache
from importlib import resources

from sqlalchemy import Connection, inspect, text

_REVISION = re.compile(r'^(down_)?revision = (?:"(\w+)"|None)', re.MULTILINE)
_TABLE = "alembic_version"


@cache
def newest() -> frozenset[str]:
    """The last migrations of this version: those that no other one follows."""
    revisions: set[str] = set()
    followed: set[str] = set()
    for file in (resources.files("db") / "migrations" / "versions").iterdir():
        if file.name.endswith(".py"):
            for down, name in _REVISION.findall(file.read_text("utf-8")):
                (followed if down else revisions).add(name)
    return frozenset(revisions - followed)


def is_newest(connection: Connection) -> bool:
    """Whether the database has seen them, and none that is not known here."""
    if not inspect(connection).has_table(_TABLE):
        return False
    seen = connection.scalars(text(f"SELECT version_num FROM {_TABLE}"))  # noqa: S608  (a constant)
    return frozenset(seen) == newest()
