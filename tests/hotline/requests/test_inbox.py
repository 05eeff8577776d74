"""The inbox: its rows, and its departments."""

from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from db.engine import now
from db.models import AuditEntry, Official, OfficialKind, User
from hotline.errors import Refused
from hotline.requests import departments, inbox, lifecycle, work
from hotline.requests.inbox import Filter
from tests.factories import HOUR, a_department, a_number, a_request, a_user
from tests.hotline.requests.office import DAY, S
from tests.kit.databases import on_one  # noqa: F401  (fixture)


def test_paging_lists_each_request_once_urgent_first(
    session: Session,
) -> None:
    plain = [a_request(session) for _ in range(5)]
    denied = [a_request(session, S.REOPENED) for _ in range(2)]
    overdue = [a_request(session, S.REFERRED) for _ in range(3)]
    for late, request in enumerate(overdue):
        request.due_at = now(session) - (late + 1) * HOUR
    session.flush()
    seen: list[int] = []
    after = None
    for _ in range(6):
        found, after = inbox.list_page(session, Filter(), after=after, limit=2)
        seen += [r.id for r in found]
        if after is None:
            break
    wanted = [*reversed(denied), *reversed(overdue), *reversed(plain)]
    assert seen == [r.id for r in wanted]
    for broken in ("x", "1", "1-2-3", "1-x", "4-1", "-1-1", f"1-{10**30}"):
        with pytest.raises(Refused, match="invalid-input"):
            inbox.list_page(session, Filter(), after=broken, limit=2)


def test_list_counts_and_map_agree_for_each_filter(session: Session) -> None:
    department = a_department(session)
    late = a_request(session, S.REFERRED, category=4, district=9, department_id=department.id)
    late.due_at = now(session) - HOUR
    mine = a_request(session, category=4, district=9)
    work.reply(session, mine, who="u", reply="ترمیم شد")
    old = a_request(session, category=4, district=None)
    old.made_at -= 40 * DAY
    a_request(session, category=5, district=9)
    session.flush()

    def ids(**wanted: Any) -> set[int]:
        return {r.id for r in inbox.list_page(session, Filter(**wanted), after=None, limit=10)[0]}

    assert ids(category=4) == {late.id, mine.id, old.id}
    assert ids(category=4, states=[S.REPLIED]) == ids(mine="u") == {mine.id}
    assert ids(overdue=True) == ids(department_id=department.id) == {late.id}
    assert ids(category=4, since_days=30) == ids(category=4, district=9) == {late.id, mine.id}
    counts = inbox.count_requests(session, Filter(category=4, states=[S.NEW]))
    assert counts == ({S.REFERRED: 1, S.REPLIED: 1, S.NEW: 1}, 1, 0)
    assert set(inbox.count_by_district(session, Filter(category=4))) == {(9, 2, 2, 1), (None, 1, 1, 0)}
    [load] = [load for load in departments.list_all(session) if load.department.id == department.id]
    assert (load.open, load.overdue) == (1, 1)


def test_latest_request_of_a_number_is_the_one_to_answer(
    session: Session,
) -> None:
    number = a_number()
    assert lifecycle.find_latest(session, number) is None
    closed = a_request(session, S.CLOSED, number=number)
    assert lifecycle.find_latest(session, number) == closed
    asked = a_request(session, S.REPLIED, number=number)
    a_request(session, number=number)
    assert lifecycle.find_latest(session, number) == asked
    old = a_request(session, S.CLOSED, number=a_number())
    old.made_at -= 100 * DAY
    session.flush()
    assert lifecycle.find_latest(session, old.number or "") is None


def test_departments_have_unique_names_and_are_audited(
    session: Session,
) -> None:
    one = departments.add(session, name_fa=" فضای  سبز ", name_en="Parks", who="u")
    two = departments.add(session, name_fa="عمران", name_en="Works", who="u")
    session.commit()
    departments.change(session, two, who="u", name_fa="امور عمران", active=False)
    assert [load.department.name_fa for load in departments.list_all(session)] == ["فضای سبز", "امور عمران"]
    session.commit()
    with pytest.raises(Refused, match="department-taken"):
        departments.change(session, two, who="u", name_en="Parks")
    session.rollback()
    with pytest.raises(Refused, match="department-values"):
        departments.add(session, name_fa=" ", name_en="x", who="u")
    actions = select(AuditEntry.action).where(AuditEntry.subject == f"department {two.id}")
    assert set(session.scalars(actions)) == {"department-added", "department-changed"}
    assert departments.get(session, one.id) is one


def test_district_manager_sees_the_own_district(
    session: Session,
) -> None:
    user: User = a_user(session)
    assert inbox.find_district(session, user) is None
    user.official = Official(
        kind=OfficialKind.DISTRICT_MANAGER, district=7, office_fa="م", office_en="M", clip="office-district-7"
    )
    session.flush()
    assert inbox.find_district(session, user) == 7
