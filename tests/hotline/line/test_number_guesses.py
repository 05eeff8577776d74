"""A caller keys in ticket numbers, one after the other."""

from sqlalchemy import Engine

from db.engine import writing
from hotline.line import caller_context
from tests.kit.databases import on_both

__all__ = ["on_both"]

CALLER = "+989139999999"


def take(engine: Engine, *, found: bool) -> bool:
    with writing(engine) as session:
        taken = caller_context.take_guess(session, CALLER, "secret")
        if taken and found:
            caller_context.give_guess_back(session, CALLER, "secret")
        return taken


def test_eleventh_wrong_number_is_refused(engine: Engine) -> None:
    assert [take(engine, found=False) for _ in range(11)] == [True] * 10 + [False]


def test_number_that_is_found_costs_nothing(engine: Engine) -> None:
    assert all(take(engine, found=True) for _ in range(12))
    assert take(engine, found=False)
