"""Staff: their roles, desks and departments, and at least one active administrator."""

import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from sqlalchemy import literal, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, aliased

from db import events
from db.engine import hold_lock, now
from db.models import Department, Desk, Official, OfficialKind, Role, User
from hotline import audit, control_characters
from hotline.callbacks import serving
from hotline.errors import Refused
from hotline.people import accounts, desk_admission, sign_ins
from hotline.rounds import phases, round_permissions
from settings import Settings

_PASSWORD_BYTES = 9
_PIN_DIGITS = 6


@dataclass(frozen=True, kw_only=True)
class Values:
    """Values of a person without the username; the last two are for a department's account."""

    name: str
    role: Role
    desk_id: int | None = None
    official_id: int | None = None
    department_id: int | None = None
    heads_department: bool = False

    @property
    def told(self) -> str:
        """Values without the name, for the audit log."""
        parts = (
            self.role.value,
            f"desk {self.desk_id}" if self.desk_id else "",
            f"official {self.official_id}" if self.official_id else "",
            f"department {self.department_id}" if self.department_id else "",
            "head" if self.heads_department else "",
        )
        return ", ".join(filter(None, parts))


_COLUMNS = tuple(each.name for each in fields(Values))


def list_all(session: Session) -> Sequence[User]:
    """Return all accounts by name; disabled ones come last."""
    order = (User.disabled_at.is_not(None), User.name, User.id)
    return session.scalars(select(User).order_by(*order)).all()


def get(session: Session, user_id: int) -> User:
    """Return the person with a row lock. Raises Refused("not-found")."""
    found = select(User).where(User.id == user_id).with_for_update(of=User)
    user = session.scalar(found.execution_options(populate_existing=True))
    if user is None:
        raise Refused("not-found", f"no person {user_id}")
    return user


def add(
    session: Session,
    *,
    username: str,
    password: str | None = None,
    who: str = audit.COMMAND_LINE,
    settings: Settings,
    **values: Any,
) -> tuple[User, str]:
    """Add a person with these Values. Return the person and the password, random unless given.

    Raises Refused("person-values" | "unfit-characters" | "not-found" | "username-taken" | "desk-taken" |
    "password-short").
    """
    wanted = Values(**values)
    _check(session, settings, username, wanted)
    password = password or secrets.token_urlsafe(_PASSWORD_BYTES)
    values = {**asdict(wanted), "password_given": True}
    user = accounts.add(session, username=username, password=password, city=settings.of_city, **values)
    desk_admission.end_sip_key(session, user.desk_id, who=who)
    _tell(session, who, "person-added", user, wanted.told)
    return user, password


def admit(session: Session, *, username: str, directory_id: str, settings: Settings, **values: Any) -> User:
    """Add a person from the office's directory, without a password here.

    Raises Refused("person-values" | "unfit-characters" | "not-found" | "username-taken").
    """
    wanted = Values(**values)
    _check(session, settings, username, wanted)
    whose = {"username": username, "from_directory": True, "directory_id": directory_id}
    user = User(**whose, password_hash="", **asdict(wanted))
    try:
        with session.begin_nested():
            session.add(user)
    except IntegrityError:
        raise Refused("username-taken", username) from None
    _tell(session, audit.DIRECTORY, "person-added", user, wanted.told)
    return user


def change(session: Session, user: User, *, who: str, settings: Settings, **values: Any) -> None:
    """Change some of the Values; omitted ones stay. The username never changes.

    Only the role official has an official, and only the role department a department; other roles lose them.
    A desk leaves a round in which its person may not answer any more. A person from the directory is changed
    there, except for the desk. Raises Refused("person-values" | "not-found" | "desk-taken" |
    "last-administrator" | "from-directory").
    """
    now_ = {column: getattr(user, column) for column in _COLUMNS}
    role = values.get("role", user.role)
    lost: dict[str, Any] = {} if role is Role.OFFICIAL else {"official_id": None}
    if role is not Role.DEPARTMENT:
        lost |= {"department_id": None, "heads_department": False}
    wanted = now_ | lost | values
    _check(session, settings, user.username, Values(**wanted))
    changed = {column: value for column, value in wanted.items() if value != now_[column]}
    if not changed:
        return
    if user.from_directory and who != audit.DIRECTORY and changed.keys() - {"desk_id"}:
        raise Refused("from-directory", "the directory's groups say what they are here")
    before = user.desk_id
    if user.disabled_at and changed.get("desk_id"):
        raise Refused("person-values", "who cannot sign in sits at no desk")
    _ensure_desk(session, wanted["desk_id"])
    _set(session, user, stays=wanted["role"] is Role.ADMINISTRATOR and not user.disabled_at, **changed)
    for desk_id in filter(None, {before, user.desk_id}):
        if before != user.desk_id:
            desk_admission.end_sip_key(session, desk_id, who=who)
        _leave_what_is_not_theirs(session, desk_id, settings)
    told = Values(**wanted).told
    _tell(session, who, "person-changed", user, told if changed.keys() - {"name"} else user.name)


def disable(session: Session, user: User, *, who: str, settings: Settings, reason: str = "") -> None:
    """Disable the account: every session ends at once, the desk is free, and history stays.

    The directory enables only accounts that it has disabled itself; a person enables the others. Raises
    Refused("last-administrator").
    """
    if user.disabled_at:
        return
    desk_id, at = user.desk_id, now(session)
    left = at if who == audit.DIRECTORY else None
    _set(session, user, stays=False, disabled_at=at, left_directory_at=left, desk_id=None)
    sign_ins.end_sessions(session, user.id)
    if desk_id is not None:
        desk_admission.end_sip_key(session, desk_id, who=who)
        _leave_what_is_not_theirs(session, desk_id, settings)
    _tell(session, who, "person-disabled", user, reason)


def enable(session: Session, user: User, *, who: str) -> None:
    """Enable the account, with its former password and no desk."""
    if user.disabled_at:
        user.disabled_at = user.left_directory_at = None
        _tell(session, who, "person-enabled", user)


def set_new_password(session: Session, user: User, *, who: str) -> str:
    """Set a random password, to be shown once; every session of the person ends.

    Raises Refused("from-directory").
    """
    password = secrets.token_urlsafe(_PASSWORD_BYTES)
    accounts.set_password(session, user.id, password, given=True)
    sign_ins.end_sessions(session, user.id)
    desk_admission.end_sip_key(session, user.desk_id, who=who)
    _tell(session, who, "password-set", user)
    return password


def set_new_pin(session: Session, user: User, *, who: str) -> str:
    """Set a random PIN, to be shown once: it admits the person's telephone to their desk's room."""
    pin = "".join(secrets.choice("0123456789") for _ in range(_PIN_DIGITS))
    accounts.set_pin(session, user.username, pin)
    _tell(session, who, "pin-set", user)
    return pin


def end_sessions(session: Session, user: User, *, who: str) -> None:
    """Sign the person out everywhere."""
    sign_ins.end_sessions(session, user.id)
    desk_admission.end_sip_key(session, user.desk_id, who=who)
    _tell(session, who, "sessions-ended", user)


def reset_second_factor(session: Session, user: User, *, who: str) -> None:
    """Reset the second factor; the person sets up a new one at the next sign-in."""
    accounts.reset_second_factor(session, user.id)
    _tell(session, who, "second-factor-reset", user)


def _set(session: Session, user: User, *, stays: bool, **values: object) -> None:
    """Update the person unless it removes the last active administrator. `stays`: the person remains one."""
    hold_lock(session, "administrators")  # of two who disable each other the second waits
    other = aliased(User)
    another = select(other.id).where(
        other.id != user.id, other.role == Role.ADMINISTRATOR, other.disabled_at.is_(None)
    )
    is_none = or_(User.role != Role.ADMINISTRATOR, User.disabled_at.is_not(None))
    try:
        with session.begin_nested():
            changed = session.scalar(
                update(User)
                .where(User.id == user.id, or_(literal(stays), is_none, another.exists()))
                .values(**values)
                .returning(User.id)
                .execution_options(synchronize_session=False)
            )
    except IntegrityError:
        raise Refused("desk-taken", "the desk belongs to somebody") from None
    if changed is None:
        raise Refused("last-administrator", "somebody must be left to administer")
    session.refresh(user)


def _ensure_desk(session: Session, desk_id: int | None) -> None:
    if desk_id is not None and session.get(Desk, desk_id) is None:
        session.add(Desk(id=desk_id))
        session.flush()


def _leave_what_is_not_theirs(session: Session, desk_id: int, settings: Settings) -> None:
    desk, person = session.get_one(Desk, desk_id), round_permissions.find_at_desk(session, desk_id)
    if desk.round_id is None:
        return
    if person is None or not round_permissions.may_serve(session, person, phases.get(session, desk.round_id)):
        serving.leave(session, desk, settings)


def _check(session: Session, settings: Settings, username: str, wanted: Values) -> None:
    if not (username and username == "".join(username.split()) and wanted.name.strip()):
        raise Refused("person-values", "a person has a name, and a username without blanks")
    control_characters.check(username + wanted.name)
    if username == audit.COMMAND_LINE:
        raise Refused("person-values", "no username that the audit log could be mistaken about", "username")
    if wanted.desk_id is not None and not 1 <= wanted.desk_id <= settings.desks:
        raise Refused("person-values", f"desks are numbered 1 to {settings.desks}")
    _check_department(session, wanted)
    if wanted.official_id is None:
        return
    if wanted.role is not Role.OFFICIAL:
        raise Refused("person-values", "only a person of the role official belongs to an official")
    official = session.get(Official, wanted.official_id)
    if official is None or official.kind is OfficialKind.OPERATORS:
        raise Refused("not-found", f"no official {wanted.official_id}")


def _check_department(session: Session, wanted: Values) -> None:
    if (wanted.role is Role.DEPARTMENT) != (wanted.department_id is not None):
        detail = "a person of the role department belongs to a department, and nobody else does"
        raise Refused("person-values", detail, "department_id")
    if wanted.department_id is None:
        if wanted.heads_department:
            raise Refused("person-values", "only a person of a department heads it", "heads_department")
        return
    if wanted.desk_id is not None:
        raise Refused("person-values", "a department has no desk of the office", "desk_id")
    if session.get(Department, wanted.department_id) is None:
        raise Refused("not-found", f"no department {wanted.department_id}")


def _tell(session: Session, who: str, action: str, user: User, reason: str = "") -> None:
    audit.record(session, who, action, f"person {user.username}", reason)
    events.append_office(session, "person", action)
