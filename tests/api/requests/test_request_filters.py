"""Filters that somebody keeps: by name, theirs alone, 20 at most."""

import pytest

from db.models import Role
from hotline.requests import request_filters
from tests.api.answers import As
from tests.kit.databases import on_both  # noqa: F401  (fixture)

MINE = "/api/v1/me/request-filters"


def test_filters_are_saved_renamed_replaced_and_deleted(as_role: As) -> None:
    page, other = as_role(Role.AUDITOR), as_role(Role.OPERATOR)
    late = page.post(MINE, json={"name": " دیرکردِ  ۷ ", "query": "view=overdue&district=7"})
    assert late.status_code == 201 and late.json()["name"] == "دیرکردِ ۷"
    assert page.post(MINE, json={"name": "همه", "query": ""}).status_code == 201
    again = {"name": "دیرکردِ ۷", "query": "view=gone&district=x"}
    refused = page.post(MINE, json=again)
    assert (refused.status_code, refused.json()["code"], refused.json()["field"]) == (
        409,
        "filter-exists",
        "name",
    )
    replaced = page.post(MINE, json={**again, "replace": True}).json()
    assert replaced == {"id": late.json()["id"], **again}

    one = f"{MINE}/{replaced['id']}"
    assert page.patch(one, json={"name": "همه"}).json()["code"] == "filter-exists"
    assert page.patch(one, json={"name": "دیرکردِ ۷"}).status_code == 200
    assert page.patch(one, json={"name": "آ"}).json()["query"] == again["query"]
    assert [each["name"] for each in page.get(MINE).json()] == ["آ", "همه"]

    assert other.get(MINE).json() == []
    assert other.patch(one, json={"name": "ب"}).status_code == 404
    assert other.delete(one).status_code == 204
    assert other.post(MINE, json={"name": "آ", "query": ""}).status_code == 201
    assert [page.delete(one).status_code for _ in range(2)] == [204, 204]
    assert [each["name"] for each in page.get(MINE).json()] == ["همه"]


def test_filter_above_the_limit_is_refused_unless_replacing(
    as_role: As,
) -> None:
    page = as_role(Role.OPERATOR)
    kept = [page.post(MINE, json={"name": f"f{n}", "query": ""}) for n in range(request_filters.MOST)]
    assert {each.status_code for each in kept} == {201}
    assert page.post(MINE, json={"name": "more", "query": ""}).json()["code"] == "too-many-filters"
    assert page.post(MINE, json={"name": "f3", "query": "mine=1", "replace": True}).status_code == 201
    assert len(page.get(MINE).json()) == request_filters.MOST


@pytest.mark.parametrize(
    "body",
    [
        {"name": " ", "query": ""},
        {"name": "آ" * 61, "query": ""},
        {"name": "a\u202eb", "query": ""},
        {"name": "a\0", "query": ""},
        {"name": "a", "query": "a\0"},
        {"name": "a", "query": "دور"},
        {"name": "a", "query": "a\n"},
        {"name": "a", "query": "a" * 301},
    ],
)
def test_unfit_filter_name_or_query_is_refused(as_role: As, body: object) -> None:
    page = as_role(Role.OPERATOR)
    assert page.post(MINE, json=body).json()["code"] in ("invalid-input", "unfit-characters")
    assert page.get(MINE).json() == []
