"""Control and direction characters: refused in names and reasons, cleaned from what somebody said."""

from datetime import date
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from api.cookies import COOKIE
from db.engine import reading, writing
from db.models import OfficialKind, Request, Role
from hotline import characters, reasons
from hotline.errors import Refused
from hotline.people import sign_ins, staff
from hotline.rounds import officials
from hotline.timetable import day_overrides
from settings import Settings
from tests.factories import a_user

UNSEEN = [
    chr(point) for point in (*range(0x20), *range(0x7F, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A))
]
UNSEEN += ["\u200b", "\u200e", "\u200f", "\u061c", "\u2028", "\u2029", "\ufeff", "\u00ad", "\U000e0041"]
PERSIAN = "می‌شود: «گفت‌وگو» با شهردار، ه\u200d.ش. ۱۴۰۵ (منطقهٔ ۷) – A/B ½ é"


@pytest.mark.parametrize("each", UNSEEN, ids=lambda each: f"U+{ord(each):04X}")
def test_given_a_character_that_nobody_sees_when_it_is_in_a_name_then_it_is_refused_and_named(
    each: str,
) -> None:
    with pytest.raises(Refused, match=rf"U\+{ord(each):04X}") as refused:
        characters.check(f"شهردار{each}")
    assert refused.value.code == "unfit-characters"
    kept = "\n" if each in "\n\r\x0b\x0c\x85\u2028\u2029" else " " if each == "\t" else ""
    assert characters.cleaned(f"چراغ{each}خیابان") == f"چراغ{kept}خیابان"


def test_given_persian_with_its_joiners_when_checked_or_cleaned_then_it_stays_as_it_is() -> None:
    assert characters.check(PERSIAN) == PERSIAN == characters.cleaned(PERSIAN)
    assert characters.cleaned("یک\r\nدو\rسه") == "یک\nدو\nسه"


@given(st.text())
def test_given_any_text_when_cleaned_then_each_of_its_lines_could_be_a_name(text: str) -> None:
    for line in characters.cleaned(text).split("\n"):
        assert characters.check(line) == line


BAD = "نام\u202e"


def test_given_a_hidden_character_when_anything_is_named_by_any_way_then_it_is_refused(
    session: Session, settings: Settings
) -> None:
    person = {"role": Role.OPERATOR, "password": "correct horse 137", "settings": settings}
    office = {"kind": OfficialKind.DEPUTY, "clip": "office-deputy", "who": "x"}
    for act in (
        lambda: staff.add(session, username=BAD, name="نام", **person),
        lambda: staff.add(session, username="name", name=BAD, **person),
        lambda: officials.add(session, office_fa=BAD, office_en="Deputy", **office),
        lambda: day_overrides.add_holiday(session, date(2027, 1, 1), BAD, who="x"),
        lambda: reasons.check(BAD),
    ):
        with pytest.raises(Refused) as refused:
            act()
        assert refused.value.code == "unfit-characters"


@pytest.fixture
def administrator(app: FastAPI, engine: Engine) -> TestClient:
    with writing(engine) as session:
        user = a_user(session)
        user.role = Role.ADMINISTRATOR
        cookie = sign_ins.sign_in(session, user)
    return TestClient(app, base_url="http://testserver/api/v1/", cookies={COOKIE: cookie})


NAMED: list[tuple[str, str, dict[str, Any]]] = [
    ("POST", "people", {"username": BAD, "name": "x", "role": "operator"}),
    ("POST", "people", {"username": "x", "name": BAD, "role": "operator"}),
    ("POST", "officials", {"kind": "deputy", "office_fa": BAD, "office_en": "x", "clip": "x"}),
    ("POST", "departments", {"name_fa": "x", "name_en": BAD}),
    ("PATCH", "subjects/1", {"name_fa": BAD}),
    ("POST", "blocked", {"number": "09131234567", "reason": "nuisance", "note": BAD}),
    ("POST", "rounds/1/cancel", {"reason": BAD}),
]


@pytest.mark.parametrize(("method", "path", "body"), NAMED, ids=lambda each: str(each)[:20])
def test_given_a_hidden_character_when_a_page_sends_it_in_a_name_or_reason_then_the_problem_says_which(
    administrator: TestClient, method: str, path: str, body: dict[str, Any]
) -> None:
    answer = administrator.request(method, path, json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "unfit-characters")
    assert "U+202E" in answer.json()["detail"]


def test_given_a_problem_that_a_desk_writes_down_when_kept_then_it_is_clean(
    administrator: TestClient, engine: Engine
) -> None:
    body = {"category": 2, "written": "چراغ\u202e خیابان\r\nنبش کوچه می‌سوزد\x07"}
    assert administrator.post("requests", json=body).status_code == 201
    with reading(engine) as session:
        assert session.query(Request).one().written == "چراغ خیابان\nنبش کوچه می‌سوزد"
