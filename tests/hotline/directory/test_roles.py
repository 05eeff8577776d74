"""The city's file that says what the members of a group are here."""

from pathlib import Path

import pytest
from sqlalchemy import Engine

from db.engine import reading, writing
from db.models import Official, OfficialKind, Role
from hotline.directory import roles
from hotline.directory.roles import RolesError
from tests.factories import a_department
from tests.kit.databases import on_one  # noqa: F401  (fixture)

GOOD = """
[[role]]
group = "chiefs"
role = "administrator"
[[role]]
group = "water"
role = "department"
department = "{department}"
head = true
[[role]]
group = "district 4"
role = "official"
district = 4
[[role]]
group = "mayor's"
role = "official"
official = "شهردار"
[[role]]
group = "gone"
role = "department"
department = "of which there is none"
"""


def test_first_matching_group_gives_the_role(engine: Engine, tmp_path: Path) -> None:
    with writing(engine) as session:
        department = a_department(session)
        manager = Official(
            kind=OfficialKind.DISTRICT_MANAGER, district=4, office_fa="م", office_en="m", clip="x"
        )
        mayor = Official(kind=OfficialKind.MAYOR, office_fa="شهردار", office_en="Mayor", clip="x")
        session.add_all([manager, mayor])
        session.flush()
        expected = (department.id, manager.id, mayor.id)
    file = tmp_path / "roles.toml"
    file.write_text(GOOD.format(department=department.name_fa))
    grants = roles.read(file)
    assert roles.grant(grants, {"nobody's"}) is None
    first = roles.grant(grants, {"district 4", "chiefs"})
    assert first is not None and first.role is Role.ADMINISTRATOR
    with reading(engine) as session:
        _, water, district, mayors, gone = grants
        assert water.values(session)["department_id"] == expected[0]
        assert water.values(session)["heads_department"] is True
        assert district.values(session)["official_id"] == expected[1]
        assert mayors.values(session)["official_id"] == expected[2]
        with pytest.raises(RolesError, match="no department"):
            gone.values(session)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "at least one"),
        ("role = 3", "at least one"),
        ("[[role]]\ngroup = 'g'", "'role'"),
        ("[[role]]\ngroup = 'g'\nrole = 'emperor'", "emperor"),
        ("[[role]]\ngroup = ' '\nrole = 'operator'", "a group has a name"),
        ("[[role]]\ngroup = 'g'\nrole = 'operator'\nfloor = 3", "unknown: floor"),
        ("[[role]]\ngroup = 'g'\nrole = 'department'", "a department belongs"),
        ("[[role]]\ngroup = 'g'\nrole = 'operator'\nhead = true", "a department belongs"),
        ("[[role]]\ngroup = 'g'\nrole = 'auditor'\ndistrict = 4", "belongs to the role official"),
        ("[[role]]\ngroup = 'g'\nrole = 'official'\ndistrict = '4'", "a number"),
        ("[[role", "roles.toml"),
    ],
)
def test_impossible_roles_file_is_refused_with_the_position(tmp_path: Path, text: str, why: str) -> None:
    (tmp_path / "roles.toml").write_text(text)
    with pytest.raises(RolesError, match=why):
        roles.read(tmp_path / "roles.toml")
    with pytest.raises(RolesError):
        roles.read(tmp_path / "none.toml")
    with pytest.raises(RolesError):
        roles.read(None)
