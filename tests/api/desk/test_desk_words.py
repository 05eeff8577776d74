"""The city's own words at its desks: ready notes, and names of breaks; asked for, replaced, kept."""

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from db.engine import reading
from db.models import BreakReason, Role
from hotline import audit
from tests.api.answers import V1, As, problem

URL = f"{V1}/desk-words"
NOTE = {"fa": "نشانی را گفت", "en": "Told the address"}
MEAL = {"fa": "ناهار", "en": "Lunch"}


def test_new_city_has_ready_notes_and_no_named_breaks(
    desk: TestClient,
) -> None:
    found = desk.get(URL).json()
    assert len(found["ready_notes"]) == 4 and found["breaks"] == {}
    assert all(note["fa"] and note["en"] for note in found["ready_notes"])


def test_saved_words_replace_the_others_in_order(as_role: As, engine: Engine) -> None:
    supervisor, operator = as_role(Role.SUPERVISOR), as_role(Role.OPERATOR)
    before = operator.get(URL).json()["ready_notes"]
    wanted = {"ready_notes": [NOTE, *before[:1]], "breaks": {"meal": MEAL}}
    assert supervisor.put(URL, json=wanted).json() == wanted
    assert operator.get(URL).json() == wanted
    empty: dict[str, object] = {"ready_notes": [], "breaks": {}}
    for each in (empty, wanted):  # what was taken away comes back as it was
        supervisor.put(URL, json=each)
        assert operator.get(URL).json() == each
    with reading(engine) as session:
        entries = audit.search(session, action="desk-words-changed")
        assert [entry.subject for entry in entries] == ["desk-words"] * 3


@pytest.mark.parametrize(
    ("wanted", "status", "code"),
    [
        ({"ready_notes": [{"fa": "  ", "en": "x"}], "breaks": {}}, 409, "text-missing"),
        ({"ready_notes": [], "breaks": {"rest": {"fa": "آسودن", "en": " "}}}, 409, "text-missing"),
        ({"ready_notes": [], "breaks": {"holiday": MEAL}}, 422, "invalid-input"),
        ({"ready_notes": [NOTE] * 13, "breaks": {}}, 422, "invalid-input"),
        ({"ready_notes": [{"fa": "آ" * 101, "en": "x"}], "breaks": {}}, 422, "invalid-input"),
    ],
)
def test_unusable_words_are_refused_and_the_others_stay(
    as_role: As, wanted: dict[str, object], status: int, code: str
) -> None:
    page = as_role(Role.PUBLIC_RELATIONS)
    before = page.get(URL).json()
    problem(page.put(URL, json=wanted), status, code)
    assert page.get(URL).json() == before


def test_named_break_keeps_its_reason(as_role: As, desk: TestClient) -> None:
    as_role(Role.SUPERVISOR).put(URL, json={"ready_notes": [], "breaks": {"meal": MEAL}})
    me = desk.put(f"{V1}/desk/break", json={"reason": "meal"}).json()
    assert me["desk"]["break_reason"] == BreakReason.MEAL
