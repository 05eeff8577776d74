"""The log line of a database error, which holds nothing of any citizen."""

import traceback

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from db.engine import writing
from tests.factories import a_number
from tests.kit.databases import in_both

WORDS = "خانهٔ خانم الف\nDETAIL: کوچهٔ ب"


def add(key: str | None, number: str) -> tuple[str, dict[str, str | None]]:
    columns = 'key, kind, "to", body, state, attempts, made_at, not_before, provider, provider_id'
    rest = "'answer', :number, :words, 'pending', 0, CURRENT_TIMESTAMP, CURRENT_TIMESTAMP, '', ''"
    more = "doubts, again, error, asks", "0, 0, '', 0"
    said = f"INSERT INTO outbox ({columns}, {more[0]}) VALUES (:key, {rest}, {more[1]})"
    return said, {"key": key, "number": number, "words": WORDS}


def execute(engine: Engine, said: str, values: dict[str, str | None]) -> None:
    with writing(engine) as session:
        session.execute(text(said), values)


@in_both
@pytest.mark.parametrize("key", ["twice", None])
def test_error_names_the_rule_and_no_value(engine: Engine, key: str | None) -> None:
    number = a_number()
    if key:
        execute(engine, *add(f"{key}{number}", number))
    with pytest.raises(DBAPIError) as failed:
        execute(engine, *add(f"{key}{number}" if key else None, number))
    told = "".join(traceback.format_exception(failed.value)) + repr(failed.value.orig)
    assert number not in told and "الف" not in told and "کوچهٔ" not in told
    assert "key" in told, "the rule that was broken"
