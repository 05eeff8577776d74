"""The staff, and how they sign in."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from db.models.base import Base, make_enum
from db.models.desks import Desk
from db.models.requests import Department
from db.models.rounds import Official


class Role(StrEnum):
    """A role, which decides what a person may do."""

    OPERATOR = "operator"
    OFFICIAL = "official"
    SUPERVISOR = "supervisor"  # of the operators; may move a citizen up, with a reason
    PUBLIC_RELATIONS = "public_relations"  # plans rounds and their notices
    AUDITOR = "auditor"  # sees everything, changes nothing
    ADMINISTRATOR = "administrator"
    DEPARTMENT = "department"  # not of the office: sees only what is referred to its department


class User(Base):
    """A person who signs in. Only a real installation has real people's names."""

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(String(100))
    role: Mapped[Role] = mapped_column(make_enum(Role, "role"))
    password_hash: Mapped[str] = mapped_column(String(200))
    # set by somebody else
    password_given: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    pin_hash: Mapped[str | None] = mapped_column(String(200))  # typed on a telephone that is called
    pin_failures: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    pin_locked_until: Mapped[datetime | None]
    desk_id: Mapped[int | None] = mapped_column(ForeignKey("desks.id"), unique=True)
    # the official for whom they answer
    official_id: Mapped[int | None] = mapped_column(ForeignKey("officials.id"))
    department_id: Mapped[int | None] = mapped_column(ForeignKey("departments.id"), index=True)
    heads_department: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    disabled_at: Mapped[datetime | None]  # since when they cannot sign in
    totp_salt: Mapped[str | None] = mapped_column(
        String(32)
    )  # hotline/people/second_factor.py derives the secret
    totp_step: Mapped[int | None]  # the time step of the last accepted code; no earlier one is accepted
    totp_failures: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    totp_locked_until: Mapped[datetime | None]
    from_directory: Mapped[bool] = mapped_column(
        default=False, server_default=text("false")
    )  # no password here
    directory_id: Mapped[str | None] = mapped_column(
        String(150), unique=True, index=True
    )  # the directory's id, which it never reuses
    left_directory_at: Mapped[datetime | None]  # when the directory, not a person, disabled them

    desk: Mapped[Desk | None] = relationship(lazy="joined")
    official: Mapped[Official | None] = relationship()
    department: Mapped[Department | None] = relationship(lazy="joined")

    __table_args__ = (
        CheckConstraint("(role = 'department') = (department_id IS NOT NULL)", name="role_of_department"),
        CheckConstraint("department_id IS NULL OR desk_id IS NULL", name="department_at_no_desk"),
        CheckConstraint("NOT heads_department OR department_id IS NOT NULL", name="head_of_department"),
    )


class RecoveryCode(Base):
    """A code that replaces the second factor once. Only a keyed hash is stored."""

    __tablename__ = "recovery_codes"

    code_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)


class RequestFilter(Base):
    """A person's saved filter of the requests' page: its query string and a name."""

    __tablename__ = "request_filters"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    name: Mapped[str] = mapped_column(String(60))
    query: Mapped[str] = mapped_column(String(300))

    __table_args__ = (UniqueConstraint("user_id", "name"),)


class FailedSignIn(Base):
    """Wrong passwords for a name, which need not exist."""

    __tablename__ = "failed_sign_ins"

    name_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    failures: Mapped[int]
    last_at: Mapped[datetime] = mapped_column(index=True)
    locked_until: Mapped[datetime | None]


class SignIn(Base):
    """A signed-in session. Only its cookie's hash is stored."""

    __tablename__ = "sign_ins"

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    created_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]  # written at most once a minute
    expires_at: Mapped[datetime]
    address: Mapped[str] = mapped_column(String(45))
    agent: Mapped[str] = mapped_column(String(100))  # the browser's user agent
    second_factor: Mapped[bool]  # whether it was shown
    # a new password is due
    password_due: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    totp_offer: Mapped[str | None] = mapped_column(String(32))  # a totp_salt that is being set up
    city_id: Mapped[str | None] = mapped_column(
        String(64), index=True
    )  # the account at the city's sign-in, if used
    city_session: Mapped[str | None] = mapped_column(String(64), index=True)  # the session there
    city_token: Mapped[str | None] = mapped_column(String(8000))  # a token to ask it again; encrypted
    city_asked_at: Mapped[datetime | None]

    user: Mapped[User] = relationship(lazy="joined")


class Directory(Base):
    """The result of the last query of the office's directory."""

    __tablename__ = "directories"

    name: Mapped[str] = mapped_column(String(20), primary_key=True)  # ldap, oidc
    asked_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]
    troubled_since: Mapped[datetime | None]
    why: Mapped[str] = mapped_column(String(40), default="", server_default="")  # empty: no trouble
    known: Mapped[int] = mapped_column(default=0, server_default=text("0"))  # accounts that were looked up
    gone: Mapped[int] = mapped_column(default=0, server_default=text("0"))  # accounts that it did not have


class Wall(Base):
    """A wall screen. Its cookie, stored as a hash, shows the wallboard alone."""

    __tablename__ = "walls"

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    expires_at: Mapped[datetime]


class SetupCode(Base):
    """The code for the first administrator while there is no account. Only a keyed hash is stored."""

    __tablename__ = "setup_codes"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    code_hash: Mapped[str] = mapped_column(String(64))
    made_at: Mapped[datetime]

    __table_args__ = (CheckConstraint("id = 1", name="one_code"),)
