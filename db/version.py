"""Whether this code runs on the tables, for frequent checks: without Alembic, which is large and
logs much.
"""

import re
from functools import cache
from importlib import resources

from sqlalchemy import Connection, inspect, text

_REVISION = re.compile(r'^(down_)?revision = (?:"(\w+)"|None)', re.MULTILINE)
_NUMBER = re.compile(r"\d{4}")
_TABLE = "alembic_version"


@cache
def list_newest() -> frozenset[str]:
    """Return the last migrations of this version, which no other one follows."""
    revisions: set[str] = set()
    followed: set[str] = set()
    for file in (resources.files("db") / "migrations" / "versions").iterdir():
        if file.name.endswith(".py"):
            for down, name in _REVISION.findall(file.read_text("utf-8")):
                (followed if down else revisions).add(name)
    return frozenset(revisions - followed)


def may_run(connection: Connection) -> bool:
    """Return whether this code runs on these tables: its own version's, or the next release's, which only
    add.

    So machines can be upgraded one after the other (docs/decisions/0044-one-version-back.md).
    """
    seen = _seen(connection)
    return seen == list_newest() or is_next(seen)


def is_newest(connection: Connection) -> bool:
    """Return whether the database has exactly this version's migrations."""
    return _seen(connection) == list_newest()


def is_next(seen: frozenset[str]) -> bool:
    """Return whether a database's `seen` migrations are those of the release after this one."""
    return bool(seen) and {_release(name) for name in seen} == {max(map(_release, list_newest())) + 1}


def _seen(connection: Connection) -> frozenset[str]:
    if not inspect(connection).has_table(_TABLE):
        return frozenset()
    return frozenset(connection.scalars(text(f"SELECT version_num FROM {_TABLE}")))  # noqa: S608  (a constant)


def _release(revision: str) -> int:
    """Return the release of a revision: "0203" is the third migration of release 2."""
    return int(revision[:2]) if _NUMBER.fullmatch(revision) else -1
