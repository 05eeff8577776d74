"""A database's own description of its tables, and what older code would miss in it."""

import re
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Engine, inspect

_WORD = re.compile(r"'((?:[^']|'')*)'(?:::[a-z ]+)?,? ?")

_MOST = re.compile(r"(?:AND|<=) (\d+)(?=\)*$)")


def shape(engine: Engine) -> dict[str, Any]:
    """Everything the database knows of each table: columns, keys, checks, indexes with their conditions."""
    seen = inspect(engine)
    return {
        table: {
            "columns": {
                c["name"]: (repr(c["type"]), c["nullable"], c["default"], c.get("computed"))
                for c in seen.get_columns(table)
            },
            "key": seen.get_pk_constraint(table)["constrained_columns"],
            "foreign": sorted(
                (f["constrained_columns"], f["referred_table"], f["referred_columns"])
                for f in seen.get_foreign_keys(table)
            ),
            "deleted with": sorted(
                f["constrained_columns"] for f in seen.get_foreign_keys(table) if f["options"].get("ondelete")
            ),
            "unique": sorted(u["column_names"] for u in seen.get_unique_constraints(table)),
            "checks": sorted((str(c["name"]), c["sqltext"]) for c in seen.get_check_constraints(table)),
            "indexes": sorted(
                (
                    str(i["name"]),
                    i["column_names"],
                    i.get("expressions", []),
                    i["unique"],
                    sorted((k, str(v)) for k, v in i.get("dialect_options", {}).items()),
                    sorted(i.get("column_sorting", {}).items()),
                )
                for i in seen.get_indexes(table)
            ),
        }
        for table in seen.get_table_names()
        if table != "alembic_version"
    }


def missed(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """Return what code for the tables `old` would miss in `new`: empty where they were only added to."""
    found = [f"table {name} is gone" for name in old.keys() - new.keys()]
    for name, table in new.items():
        if name in old:
            found += [f"{name}: {each}" for each in _missed_of(old[name], table)]
        else:
            found += [
                f"{name}.{columns}: old code cannot delete from {referred}"
                for columns, referred, _ in table["foreign"]
                if referred in old and columns not in table["deleted with"]
            ]
    return sorted(found)


def _missed_of(old: dict[str, Any], new: dict[str, Any]) -> Iterator[str]:
    for column, was in old["columns"].items():
        if new["columns"].get(column) != was:
            yield f"column {column} was {was}, is {new['columns'].get(column)}"
    for column, (_, nullable, default, computed) in new["columns"].items():
        if column not in old["columns"] and not (nullable or default or computed):
            yield f"column {column} must be given, and old code knows nothing of it"
    for what in ("key", "deleted with"):
        if old[what] != new[what]:
            yield f"{what} was {old[what]}, is {new[what]}"
    for what in ("foreign", "unique", "indexes"):
        yield from (f"{what} {each} is gone" for each in old[what] if each not in new[what])
    known = set(old["columns"])
    for columns, *_ in new["foreign"]:
        if set(columns) <= known and columns not in [one for one, *_ in old["foreign"]]:
            yield f"foreign key of {columns} is new"
    unique = [one for one in new["unique"] if one not in old["unique"]]
    unique += [one[1] for one in new["indexes"] if one[3] and one not in old["indexes"]]
    yield from (f"unique {one} is new" for one in unique if set(one) <= known)
    before, after = dict(old["checks"]), dict(new["checks"])
    for name, text in after.items():
        if name not in before:
            if not any(column not in known and column in text for column in new["columns"]):
                yield f"check {name} is new"
        elif not _as_wide(before[name], text):
            yield f"check {name} was {before[name]}, is {text}"


def _as_wide(old: str, new: str) -> bool:
    """Whether the new check is the old one, but for words more in its list, or a greater last number."""
    of_words = _WORD.sub("", old) == _WORD.sub("", new) and set(_WORD.findall(old)) <= set(_WORD.findall(new))
    most, more = _MOST.search(old), _MOST.search(new)
    return of_words or bool(
        most and more and _MOST.sub("", old) == _MOST.sub("", new) and int(most[1]) <= int(more[1])
    )
