"""Roles of the directory's groups, from the city's own file (`roles` in directory.toml).

    [[role]]
    group = "cn=137-operators,ou=groups,dc=city,dc=example"
    role = "operator"

The first matching entry counts. A person in none of the groups is refused.
"""

import tomllib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from db.models import Department, Official, OfficialKind, Role

_KEYS = {"group", "role", "department", "head", "official", "district"}


class RolesError(Exception):
    """The file is unreadable or invalid; the text says where."""


@dataclass(frozen=True)
class Grant:
    """The role that members of one group get."""

    group: str
    role: Role
    department: str = ""  # the department's name, in either language
    head: bool = False
    official: str = ""  # the office's name, in either language
    district: int | None = None  # or the district of the official

    def values(self, session: Session) -> dict[str, Any]:
        """Return the columns of User. Raises RolesError if the department or official does not exist."""
        department_id = official_id = None
        if self.department:
            named = or_(Department.name_fa == self.department, Department.name_en == self.department)
            department_id = session.scalar(select(Department.id).where(named))
            _there(department_id, f"no department {self.department!r}")
        if self.official or self.district is not None:
            of = Official.district == self.district
            if self.official:
                of = or_(Official.office_fa == self.official, Official.office_en == self.official)
            found = select(Official.id).where(of, Official.kind != OfficialKind.OPERATORS)
            official_id = session.scalar(found.order_by(Official.id).limit(1))
            _there(official_id, f"no official {self.official or self.district!r}")
        return {
            "role": self.role,
            "official_id": official_id,
            "department_id": department_id,
            "heads_department": self.head,
        }


def read(path: Path | None) -> Sequence[Grant]:
    """Read the whole file. Raises RolesError."""
    try:
        told = tomllib.loads(path.read_text(encoding="utf-8")) if path else {}
    except (OSError, ValueError) as error:
        raise RolesError(f"{path}: {error}") from None
    listed = told.get("role")
    if told.keys() - {"role"} or not isinstance(listed, list) or not listed:
        raise RolesError(f"{path}: it has [[role]] tables, at least one, and nothing else")
    return [_grant(path, number, table) for number, table in enumerate(listed, 1)]


def grant(grants: Sequence[Grant], groups: Collection[str]) -> Grant | None:
    """Return the first grant of one of these groups."""
    return next((each for each in grants if each.group in groups), None)


def _grant(path: Path | None, number: int, table: Any) -> Grant:
    try:
        made = _made(table)
    except (KeyError, TypeError, ValueError) as error:
        raise RolesError(f"{path}, [[role]] {number}: {error}") from None
    return made


def _made(table: dict[str, Any]) -> Grant:
    if unknown := table.keys() - _KEYS:
        raise ValueError(f"unknown: {', '.join(sorted(unknown))}")
    kinds = {"district": int, "head": bool}
    if not all(type(value) is kinds.get(key, str) for key, value in table.items()):
        raise ValueError("texts, but for head (true, false) and district (a number)")
    made = Grant(**{**table, "role": Role(table["role"])})
    if not made.group.strip():
        raise ValueError("a group has a name")
    if (made.role is Role.DEPARTMENT) != bool(made.department) or (made.head and not made.department):
        raise ValueError("a department belongs to the role department, and to no other")
    if made.role is not Role.OFFICIAL and (made.official or made.district is not None):
        raise ValueError("an official or a district belongs to the role official")
    return made


def _there(found: int | None, why: str) -> None:
    if found is None:
        raise RolesError(why)
