"""Ready replies over the wire: read by whoever answers, replaced as a whole, on both databases."""

from typing import Any

import pytest
from sqlalchemy import Engine

from db.engine import reading
from db.models import Role
from hotline import audit
from tests.api.answers import V1, As, problem
from tests.kit.databases import in_both

URL = f"{V1}/ready-replies"
SHORT = {"category": 2, "title_fa": "چراغ", "title_en": "", "text_fa": "درست شد.", "text_en": ""}
LONG = {
    "category": None,
    "title_fa": "آ" * 100,
    "title_en": "x" * 100,
    "text_fa": "آ" * 500,
    "text_en": "x" * 500,
}


@in_both
def test_saved_replies_replace_the_others_in_order(as_role: As, engine: Engine) -> None:
    supervisor, operator = as_role(Role.SUPERVISOR), as_role(Role.OPERATOR)
    assert operator.get(URL).json()["replies"] == []
    for replies in ([LONG, SHORT], [SHORT], []):
        saved = supervisor.put(URL, json={"replies": replies}).json()
        assert saved["replies"] == replies
        assert operator.get(URL).json() == saved
    with reading(engine) as session:
        entries = audit.search(session, action="ready-replies-changed")
    assert [entry.subject for entry in entries] == ["ready-replies"] * 3


@in_both
def test_concurrent_save_of_replies_is_refused_without_loss(
    as_role: As,
) -> None:
    one, other = as_role(Role.SUPERVISOR), as_role(Role.ADMINISTRATOR)
    seen = one.get(URL).json()["version"]
    saved = one.put(URL, json={"replies": [SHORT], "version": seen}).json()
    problem(other.put(URL, json={"replies": [LONG], "version": seen}), 409, "replies-changed")
    assert other.get(URL).json() == saved
    again = other.put(URL, json={"replies": [SHORT, LONG], "version": saved["version"]})
    assert again.json()["replies"] == [SHORT, LONG]


@pytest.mark.parametrize(
    ("wanted", "status", "code"),
    [
        ([SHORT | {"title_fa": " "}], 409, "text-missing"),
        ([SHORT | {"text_fa": "\u200b\n"}], 409, "text-missing"),
        ([SHORT | {"category": 999}], 404, "not-found"),
        ([SHORT | {"text_fa": "آ" * 501}], 422, "invalid-input"),
        ([SHORT] * 101, 422, "invalid-input"),
    ],
)
def test_unusable_replies_are_refused_and_the_others_stay(
    as_role: As, wanted: list[dict[str, Any]], status: int, code: str
) -> None:
    page = as_role(Role.ADMINISTRATOR)
    before = page.put(URL, json={"replies": [LONG]}).json()
    problem(page.put(URL, json={"replies": wanted}), status, code)
    assert page.get(URL).json() == before
