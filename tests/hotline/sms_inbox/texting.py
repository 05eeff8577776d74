"""Citizens who write text messages to the line."""

from collections.abc import Callable

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.models import Registration
from hotline import dates

NUMBER, OTHER = "+989131234567", "+989137654321"
Send = Callable[..., str]


def fa(value: object) -> str:
    return dates.format_digits(value, "fa")


def places(session: Session, number: str = NUMBER) -> list[Registration]:
    return list(session.scalars(select(Registration).where(Registration.number == number)))
