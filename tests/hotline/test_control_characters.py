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
from hotline import control_characters, reasons
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
def test_hidden_character_in_a_name_is_refused_by_name(
    each: str,
) -> None:
    with pytest.raises(Refused, match=rf"U\+{ord(each):04X}") as refused:
        control_characters.check(f"شهردار{each}")
    assert refused.value.code == "unfit-characters"
    kept = "\n" if each in "\n\r\x0b\x0c\x85\u2028\u2029" else " " if each == "\t" else ""
    assert control_characters.clean(f"چراغ{each}خیابان") == f"چراغ{kept}خیابان"


def test_persian_joiners_are_kept() -> None:
    assert control_characters.check(PERSIAN) == PERSIAN == control_characters.clean(PERSIAN)
    assert control_characters.clean("یک\r\nدو\rسه") == "یک\nدو\nسه"


@given(st.text())
def test_each_line_of_cleaned_text_is_a_valid_name(text: str) -> None:
    for line in control_characters.clean(text).split("\n"):
        assert control_characters.check(line) == line


BAD = "نام\u202e"


def test_hidden_character_is_refused_in_every_name(session: Session, settings: Settings) -> None:
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
def test_hidden_character_sent_by_a_page_is_a_problem(
    administrator: TestClient, method: str, path: str, body: dict[str, Any]
) -> None:
    answer = administrator.request(method, path, json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "unfit-characters")
    assert "U+202E" in answer.json()["detail"]


def test_problem_written_at_a_desk_is_cleaned(administrator: TestClient, engine: Engine) -> None:
    body = {"category": 2, "written": "چراغ\u202e خیابان\r\nنبش کوچه می‌سوزد\x07"}
    assert administrator.post("requests", json=body).status_code == 201
    with reading(engine) as session:
        assert session.query(Request).one().written == "چراغ خیابان\nنبش کوچه می‌سوزد"
