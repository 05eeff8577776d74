"""Who works here, and how they sign in."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from db.models.base import Base, one_of
from db.models.desks import Desk
from db.models.requests import Department
from db.models.rounds import Official


class Role(StrEnum):
    """What a user may do."""

    OPERATOR = "operator"
    OFFICIAL = "official"
    SUPERVISOR = "supervisor"  # of the operators; may move a citizen up, with a reason
    PUBLIC_RELATIONS = "public_relations"  # plans rounds and their notice
    AUDITOR = "auditor"  # sees everything, changes nothing
    ADMINISTRATOR = "administrator"
    DEPARTMENT = "department"  # none of the office: sees what is referred to its department, nothing else


class User(Base):
    """A person who signs in. Names are real people's only in a real installation."""

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(String(100))
    role: Mapped[Role] = mapped_column(one_of(Role, "role"))
    password_hash: Mapped[str] = mapped_column(String(200))
    password_given: Mapped[bool] = mapped_column(default=False, server_default=text("false"))  # by another
    pin_hash: Mapped[str | None] = mapped_column(String(200))  # keyed in on a telephone that is called
    pin_failures: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    pin_locked_until: Mapped[datetime | None]
    desk_id: Mapped[int | None] = mapped_column(ForeignKey("desks.id"), unique=True)
    official_id: Mapped[int | None] = mapped_column(ForeignKey("officials.id"))  # for whom they answer
    department_id: Mapped[int | None] = mapped_column(ForeignKey("departments.id"), index=True)
    heads_department: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    disabled_at: Mapped[datetime | None]  # since when they cannot sign in
    totp_salt: Mapped[str | None] = mapped_column(
        String(32)
    )  # hotline/people/second_factor.py derives the secret
    totp_step: Mapped[int | None]  # the time step of the last accepted code; none before it is taken again
    totp_failures: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    totp_locked_until: Mapped[datetime | None]
    from_directory: Mapped[bool] = mapped_column(
        default=False, server_default=text("false")
    )  # no password here
    directory_id: Mapped[str | None] = mapped_column(
        String(150), unique=True, index=True
    )  # there; nobody gets it again
    left_directory_at: Mapped[datetime | None]  # what has disabled them, if no person did

    desk: Mapped[Desk | None] = relationship(lazy="joined")
    official: Mapped[Official | None] = relationship()
    department: Mapped[Department | None] = relationship(lazy="joined")

    __table_args__ = (
        CheckConstraint("(role = 'department') = (department_id IS NOT NULL)", name="role_of_department"),
        CheckConstraint("department_id IS NULL OR desk_id IS NULL", name="department_at_no_desk"),
        CheckConstraint("NOT heads_department OR department_id IS NOT NULL", name="head_of_department"),
    )


class RecoveryCode(Base):
    """A code that stands in for the second factor once. Only a keyed hash is stored."""

    __tablename__ = "recovery_codes"

    code_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)


class RequestFilter(Base):
    """A filter of the requests' page that a person keeps under a name: what stands in its address."""

    __tablename__ = "request_filters"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    name: Mapped[str] = mapped_column(String(60))
    query: Mapped[str] = mapped_column(String(300))

    __table_args__ = (UniqueConstraint("user_id", "name"),)


class FailedSignIn(Base):
    """How often the password of a name was guessed wrong; nobody needs to have that name."""

    __tablename__ = "failed_sign_ins"

    name_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    failures: Mapped[int]
    last_at: Mapped[datetime] = mapped_column(index=True)
    locked_until: Mapped[datetime | None]


class SignIn(Base):
    """A signed-in session. Only the hash of its cookie is stored."""

    __tablename__ = "sign_ins"

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    created_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]  # written at most once a minute
    expires_at: Mapped[datetime]
    address: Mapped[str] = mapped_column(String(45))
    agent: Mapped[str] = mapped_column(String(100))  # the browser, as it calls itself
    second_factor: Mapped[bool]  # whether it was shown
    password_due: Mapped[bool] = mapped_column(default=False, server_default=text("false"))  # a new one
    totp_offer: Mapped[str | None] = mapped_column(String(32))  # a totp_salt that is being set up
    city_id: Mapped[str | None] = mapped_column(
        String(64), index=True
    )  # by the city's sign-in: of whose account,
    city_session: Mapped[str | None] = mapped_column(String(64), index=True)  # and of which session there
    city_token: Mapped[str | None] = mapped_column(String(8000))  # by which it is asked again; encrypted
    city_asked_at: Mapped[datetime | None]

    user: Mapped[User] = relationship(lazy="joined")


class Directory(Base):
    """What the last look into the office's directory found."""

    __tablename__ = "directories"

    name: Mapped[str] = mapped_column(String(20), primary_key=True)  # ldap, oidc
    asked_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]
    troubled_since: Mapped[datetime | None]
    why: Mapped[str] = mapped_column(String(40), default="", server_default="")  # empty: all is well
    known: Mapped[int] = mapped_column(default=0, server_default=text("0"))  # accounts that were asked about,
    gone: Mapped[int] = mapped_column(default=0, server_default=text("0"))  # and those that it did not have


class Wall(Base):
    """A screen on a wall. Its cookie, of which only the hash is stored, shows the wallboard, nothing else."""

    __tablename__ = "walls"

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    expires_at: Mapped[datetime]


class SetupCode(Base):
    """What lets the first administrator in, while there is no account at all. Only a keyed hash is stored."""

    __tablename__ = "setup_codes"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    code_hash: Mapped[str] = mapped_column(String(64))
    made_at: Mapped[datetime]

    __table_args__ = (CheckConstraint("id = 1", name="one_code"),)
