"""Categories of requests, and the departments responsible for each."""

from enum import StrEnum

from sqlalchemy import JSON, CheckConstraint, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from db.models.base import Base, make_enum
from db.models.requests import Department


class TimeUnit(StrEnum):
    """Units of the city's working time."""

    HOURS = "hours"
    DAYS = "days"


class Evidence(StrEnum):
    """The evidence without which a request of a category does not count as solved."""

    NONE = "none"
    TEXT = "text"
    PICTURE = "picture"


class Category(Base):
    """A kind of problem. Never deleted, since old requests refer to an inactive one."""

    __tablename__ = "categories"

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(40))  # its name in files, which never changes
    name_fa: Mapped[str] = mapped_column(String(100))
    name_en: Mapped[str] = mapped_column(String(100))
    icon: Mapped[str] = mapped_column(String(20))
    key: Mapped[int | None]  # the telephone's key; its prompt is `subject-<key>`
    urgent: Mapped[bool] = mapped_column(default=False)
    answer_in: Mapped[int]  # working time until the citizen's first answer
    answer_unit: Mapped[TimeUnit] = mapped_column(make_enum(TimeUnit, "answer_unit"))
    solve_in: Mapped[int]
    solve_unit: Mapped[TimeUnit] = mapped_column(make_enum(TimeUnit, "solve_unit"))
    evidence: Mapped[Evidence] = mapped_column(make_enum(Evidence, "evidence"))
    questions: Mapped[list[dict[str, str]]] = mapped_column(JSON, default=list)  # each by language
    active: Mapped[bool] = mapped_column(default=True)

    responsible: Mapped[list["Responsible"]] = relationship(
        order_by="Responsible.district", cascade="all, delete-orphan", lazy="select"
    )

    __table_args__ = (
        UniqueConstraint("code", name="category_code"),
        UniqueConstraint("key", name="category_key"),
        CheckConstraint("key BETWEEN 1 AND 9", name="key_of_telephone"),
        CheckConstraint("answer_in > 0 AND solve_in > 0", name="takes_time"),
    )


class Responsible(Base):
    """The department responsible for a category in a district; district 0 means all others."""

    __tablename__ = "responsible_departments"

    category_id: Mapped[int] = mapped_column(ForeignKey("categories.id"), primary_key=True)
    district: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    department_id: Mapped[int] = mapped_column(ForeignKey("departments.id"))

    department: Mapped[Department] = relationship(lazy="joined")

    __table_args__ = (CheckConstraint("district BETWEEN 0 AND 40", name="district_or_all"),)


class ReadyReply(Base):
    """A text to insert into an answer, for requests of one category or of all."""

    __tablename__ = "ready_replies"

    id: Mapped[int] = mapped_column(primary_key=True)
    category: Mapped[int | None] = mapped_column(ForeignKey("categories.id"))
    title_fa: Mapped[str] = mapped_column(String(100))
    title_en: Mapped[str] = mapped_column(String(100))
    text_fa: Mapped[str] = mapped_column(String(500))
    text_en: Mapped[str] = mapped_column(String(500))
