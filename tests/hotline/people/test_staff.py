"""People: added, changed, disabled; somebody is always left to administer."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from db import events
from db.engine import now, writing
from db.models import Desk, OfficialKind, Role, SignIn, User
from hotline import audit
from hotline.callbacks import serving
from hotline.errors import Refused
from hotline.people import accounts, sign_ins, staff
from hotline.rounds import phases, round_permissions
from settings import Settings
from tests.factories import HOUR, a_round, a_user, at_once
from tests.kit.databases import in_both, on_one  # noqa: F401  (fixture)
from tests.kit.refusal import refusal

ADMIN = "admin"


def an_administrator(session: Session) -> User:
    user = a_user(session)
    user.role = Role.ADMINISTRATOR
    session.flush()
    return user


def log(session: Session) -> list[tuple[str, str, str, str]]:
    return [(e.who, e.action, e.subject, e.reason) for e in audit.search(session)][::-1]


@pytest.fixture
def add(session: Session, settings: Settings) -> Callable[..., tuple[User, str]]:
    def add_(username: str = "operator", **values: Any) -> tuple[User, str]:
        given = {"name": "نام", "role": Role.OPERATOR, "who": ADMIN, "settings": settings} | values
        return staff.add(session, username=username, **given)

    return add_


Add = Callable[..., tuple[User, str]]


def test_added_person_signs_in_and_is_audited(session: Session, add: Add) -> None:
    official = a_round(session).official
    user, password = add("mayor", role=Role.OFFICIAL, desk_id=3, official_id=official.id)
    assert accounts.is_right(accounts.find_hash(session, "mayor"), password)
    assert (user.desk_id, user.official_id) == (3, official.id)
    assert log(session)[-1] == (
        ADMIN,
        "person-added",
        "person mayor",
        f"official, desk 3, official {official.id}",
    )
    assert password not in repr(log(session))
    assert [e.kind for e in events.list_since(session, 0)][-1] == "person"


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"username": ""}, "person-values"),
        ({"username": "two words"}, "person-values"),
        ({"username": "a\u200fb"}, "unfit-characters"),  # looks like another
        ({"username": audit.COMMAND_LINE}, "person-values"),
        ({"name": "  "}, "person-values"),
        ({"desk_id": 0}, "person-values"),
        ({"desk_id": 10_000}, "person-values"),
        ({"official_id": 404, "role": Role.OFFICIAL}, "not-found"),
        ({"official_id": 1}, "person-values"),  # an operator of no official
        ({"username": "taken"}, "username-taken"),
        ({"desk_id": 7}, "desk-taken"),
    ],
)
def test_wrong_person_values_are_refused_by_name(
    session: Session, add: Add, values: dict[str, Any], code: str
) -> None:
    add("taken", desk_id=7)
    assert refusal(lambda: add(**values)) == code


def test_operators_line_is_no_official_of_a_person(session: Session, add: Add) -> None:
    line = phases.get_operators_line(session)
    assert line.official.kind is OfficialKind.OPERATORS
    assert refusal(lambda: add(role=Role.OFFICIAL, official_id=line.official_id)) == "not-found"


def test_change_of_a_person_is_partial_and_audited(session: Session, add: Add, settings: Settings) -> None:
    user, _ = add(desk_id=1)
    staff.change(session, user, who=ADMIN, settings=settings, desk_id=2, role=Role.SUPERVISOR)
    assert (user.name, user.role, user.desk_id) == ("نام", Role.SUPERVISOR, 2)
    assert log(session)[-1][1:] == ("person-changed", "person operator", "supervisor, desk 2")
    before = len(log(session))
    staff.change(session, user, who=ADMIN, settings=settings, desk_id=2)  # as it is
    assert len(log(session)) == before
    staff.change(session, user, who=ADMIN, settings=settings, desk_id=None)
    assert user.desk_id is None


def test_taken_desk_is_refused_to_another(session: Session, add: Add, settings: Settings) -> None:
    add("one", desk_id=1)
    two, _ = add("two", desk_id=2)
    change = {"who": ADMIN, "settings": settings, "desk_id": 1, "name": "دیگر"}
    assert refusal(lambda: staff.change(session, two, **change)) == "desk-taken"
    session.refresh(two)
    assert (two.desk_id, two.name) == (2, "نام")


def test_official_who_becomes_operator_loses_the_office(
    session: Session, add: Add, settings: Settings
) -> None:
    round_ = a_round(session)
    user, _ = add(role=Role.OFFICIAL, official_id=round_.official_id)
    staff.change(session, user, who=ADMIN, settings=settings, role=Role.OPERATOR)
    assert user.official_id is None


def test_disabled_person_loses_access_and_keeps_history(
    session: Session, add: Add, settings: Settings
) -> None:
    user, password = add(desk_id=4)
    cookie = sign_ins.sign_in(session, user)
    serving.serve(session, session.get_one(Desk, 4), a_round(session).id, settings)
    staff.disable(session, user, who=ADMIN, settings=settings)
    assert sign_ins.find_session(session, cookie) is None
    assert not session.scalars(select(SignIn)).all()
    assert not accounts.is_right(accounts.find_hash(session, user.username), password)
    assert user.desk_id is None and round_permissions.find_at_desk(session, 4) is None
    assert session.get_one(Desk, 4).round_id is None
    assert session.get(User, user.id) is user
    late = sign_ins.sign_in(session, user)  # whoever was signing in at that moment
    assert sign_ins.find_session(session, late) is None
    staff.enable(session, user, who=ADMIN)
    assert accounts.is_right(accounts.find_hash(session, user.username), password)
    assert [action for _, action, _, _ in log(session)][2:] == ["person-disabled", "person-enabled"]


def test_database_keeps_the_last_administrator(session: Session, settings: Settings) -> None:
    last, gone = an_administrator(session), an_administrator(session)
    staff.disable(session, gone, who=ADMIN, settings=settings)
    by = {"who": ADMIN, "settings": settings}
    assert refusal(lambda: staff.disable(session, last, **by)) == "last-administrator"
    assert refusal(lambda: staff.change(session, last, role=Role.AUDITOR, **by)) == "last-administrator"
    staff.change(session, last, name="نام تازه", **by)
    assert (last.role, last.name, last.disabled_at) == (Role.ADMINISTRATOR, "نام تازه", None)
    staff.change(session, gone, role=Role.AUDITOR, **by)  # who cannot sign in is no administrator


@in_both
def test_two_administrators_disabling_each_other_leave_one(engine: Engine, settings: Settings) -> None:
    with writing(engine) as session:
        both = [an_administrator(session).id for _ in range(2)]

    def disable_other(which: int) -> str:
        try:
            with writing(engine) as session:
                other = staff.get(session, both[1 - which])
                staff.disable(session, other, who=str(which), settings=settings)
        except Refused as refused:
            return refused.code
        return ""

    assert sorted(at_once(2, disable_other)) == ["", "last-administrator"]


def test_drawn_password_and_pin_work_and_are_never_logged(session: Session, add: Add) -> None:
    user, old = add()
    cookie = sign_ins.sign_in(session, user)
    password, pin = (
        staff.set_new_password(session, user, who=ADMIN),
        staff.set_new_pin(session, user, who=ADMIN),
    )
    known = accounts.find_hash(session, user.username)
    assert accounts.is_right(known, password) and not accounts.is_right(known, old)
    assert accounts.is_right(accounts.find_pin_hash(session, user), pin) and len(pin) == 6
    assert sign_ins.find_session(session, cookie) is None
    staff.end_sessions(session, user, who=ADMIN)
    staff.reset_second_factor(session, user, who=ADMIN)
    told = [action for _, action, _, _ in log(session)][1:]
    assert told == ["password-set", "pin-set", "sessions-ended", "second-factor-reset"]
    assert password not in repr(log(session)) and pin not in repr(log(session))


def test_official_who_changes_office_leaves_the_round(session: Session, add: Add, settings: Settings) -> None:
    round_, other = a_round(session), a_round(session)
    user, _ = add(role=Role.OFFICIAL, official_id=round_.official_id, desk_id=5)
    desk = session.get_one(Desk, 5)
    serving.serve(session, desk, round_.id, settings)
    staff.change(session, user, who=ADMIN, settings=settings, name="نام دیگر")
    assert desk.round_id == round_.id
    staff.change(session, user, who=ADMIN, settings=settings, official_id=other.official_id)
    assert desk.round_id is None


def test_only_running_sessions_are_counted(session: Session) -> None:
    user = a_user(session)
    for _ in range(2):
        sign_ins.sign_in(session, user)
    session.flush()
    one = session.scalars(select(SignIn)).first()
    assert one is not None
    one.expires_at = now(session) - HOUR
    session.flush()
    assert sign_ins.count_sessions(session, sign_ins.IDLE) == {user.id: 1}


def test_disabled_people_are_listed_last(session: Session, add: Add, settings: Settings) -> None:
    gone, _ = add("gone", name="آ")
    add("here", name="ی")
    staff.disable(session, gone, who=ADMIN, settings=settings)
    assert [user.username for user in staff.list_all(session)] == ["here", "gone"]


def test_unknown_person_is_not_found(session: Session) -> None:
    assert refusal(lambda: staff.get(session, 404)) == "not-found"
