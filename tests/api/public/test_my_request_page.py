"""A citizen without scripts says whether it is solved, how satisfied they are, and answers a department."""

from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from db.engine import reading, writing
from db.models import BlockReason, Rating, Request
from db.states import RequestState, RequestStep
from hotline.line import blocked
from hotline.requests import closing, department_work, lifecycle, work
from hotline.requests.parts import Piece
from settings import Settings
from tests.api.public.public_pages import Read
from tests.api.public.test_my_page import MY, sign_in
from tests.factories import a_department, a_number, a_request

S = RequestState


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"sms_provider": "console"})


@pytest.fixture
def number() -> str:
    return a_number()


@pytest.fixture
def page(app: FastAPI, engine: Engine, settings: Settings, number: str) -> Iterator[TestClient]:
    with TestClient(app, raise_server_exceptions=False) as client:
        sign_in(client, engine, settings, number)
        yield client


def solved(engine: Engine, number: str) -> tuple[int, str]:
    with writing(engine) as session:
        request = a_request(session, number=number)
        work.reply(session, request, who="d", reply="چراغ عوض شد")
        return request.id, f"{MY}/requests/{request.tracking}"


def of(engine: Engine, id_: int) -> tuple[RequestState, int, list[str]]:
    with reading(engine) as session:
        request = session.get_one(Request, id_)
        return request.state, request.denials, [step.step for step in lifecycle.list_steps(session, request)]


def field_in(text: str, name: str) -> str:
    return next(str(field["value"]) for field in Read(text).all("input") if field["name"] == name)


def answer_in(text: str) -> str:
    return field_in(text, "answer")


def test_double_yes_and_rating_count_once(page: TestClient, engine: Engine, number: str) -> None:
    id_, path = solved(engine, number)
    assert path in page.get(MY).text
    shown = page.get(path)
    assert (shown.status_code, shown.headers["cache-control"]) == (200, "no-store")
    yes = {"answer": answer_in(shown.text)}
    first, second = (page.post(f"{path}/confirm", data=yes) for _ in range(2))
    assert [step.status_code for step in first.history] == [303] and "/confirm" not in first.text
    assert second.status_code == 200 and "alert" not in second.text
    assert of(engine, id_)[::2] == (S.CLOSED, ["replied", "confirmed"])
    for stars in ("4", "4", "2", "9", "x", ""):
        page.post(f"{path}/rate", data={"stars": stars})
    assert "امتیاز شما: ۲ از ۵" in page.get(path).text
    with reading(engine) as session:
        assert [rating.stars for rating in session.query(Rating)] == [2]


def test_old_form_does_not_answer_a_new_reply(page: TestClient, engine: Engine, number: str) -> None:
    id_, path = solved(engine, number)
    old = {"answer": answer_in(page.get(path).text), "reason": "هنوز تاریک است"}
    missing = page.post(f"{path}/object", data=old | {"reason": " "})
    assert missing.status_code == 409 and "بنویسید چه چیزی حل نشده است" in missing.text
    for _ in range(2):
        assert page.post(f"{path}/object?lang=en", data=old).history[0].status_code == 303
    assert of(engine, id_) == (S.REOPENED, 1, ["replied", "denied"])
    with writing(engine) as session:
        work.reply(session, work.get_for_update(session, id_), who="e", reply="دوباره عوض شد")
    page.post(f"{path}/object", data=old)
    for act, said in (("confirm", old), ("object", old | {"reason": "<b>دیگر"})):
        late = page.post(f"{path}/{act}", data=said)
        assert late.status_code == 409 and "چیز دیگری گفته است" in late.text and "<b>دیگر" not in late.text
    assert of(engine, id_) == (S.REPLIED, 1, ["replied", "denied", "replied"])


def test_late_no_to_a_closed_request_is_refused(page: TestClient, engine: Engine, number: str) -> None:
    id_, path = solved(engine, number)
    old = {"answer": answer_in(page.get(path).text), "reason": "هنوز تاریک است"}
    page.post(f"{path}/confirm", data=old)
    late = page.post(f"{path}/object", data=old)
    assert late.status_code == 409 and 'role="alert"' in late.text
    assert of(engine, id_)[::2] == (S.CLOSED, ["replied", "confirmed"])


def test_forms_answer_the_part_or_question_meant(page: TestClient, engine: Engine, number: str) -> None:
    with writing(engine) as session:
        whole = a_request(session, number="+98913" + "1112233")
        whole.number = number
        path = f"{MY}/requests/{whole.tracking}"
        ids = [part.id for part in work.split(session, whole, [Piece(1, "چراغ"), Piece(2, "چاله")], who="u")]
        one = session.get_one(Request, ids[0])
        lifecycle.log(session, one, RequestStep.ASKED, "d", "کدام کوچه؟")
        lifecycle.log(session, whole, RequestStep.ASKED, "d", "کدام کوچه؟", other_id=one.id)
    assert "کدام کوچه؟" in page.get(path).text
    said = {"question": field_in(page.get(path).text, "question"), "words": "کوچهٔ ۵"}
    for _ in range(2):
        assert page.post(f"{path}/say", data=said).status_code == 200
    with writing(engine) as session:
        assert department_work.find_question_text(session, session.get_one(Request, ids[0])) == ""
        for id_ in ids:
            work.reply(session, work.get_for_update(session, id_), who="d", reply=f"انجام شد {id_}")
    boxes = [field for field in Read(page.get(path).text).all("input") if field["name"] == "part"]
    assert [box["value"] for box in boxes] == ["1", "2"]
    assert page.post(f"{path}/object", data={"reason": "نه", "part": "7"}).status_code == 409
    assert page.post(f"{path}/object", data={"reason": "نه", "part": "2"}).status_code == 200
    assert [of(engine, id_)[0] for id_ in ids] == [S.REPLIED, S.REOPENED]


def asked(engine: Engine, id_: int, question: str) -> None:
    with writing(engine) as session:
        department_work.ask(session, work.get_for_update(session, id_), who="d", question=question)


def test_old_form_does_not_answer_another_question(page: TestClient, engine: Engine, number: str) -> None:
    with writing(engine) as session:
        department_id = a_department(session).id
        request = a_request(session, S.REFERRED, department_id=department_id, number=number)
        id_, path = request.id, f"{MY}/requests/{request.tracking}"
    asked(engine, id_, "کدام کوچه؟")
    old = {"question": field_in(page.get(path).text, "question"), "words": "کوچهٔ ۵"}
    for _ in range(2):  # pressed twice
        assert page.post(f"{path}/say", data=old).history[0].status_code == 303
    late = page.post(f"{path}/say", data=old | {"words": "کوچهٔ ۷"})
    assert late.status_code == 409 and "پرسش دیگری" in late.text
    asked(engine, id_, "چه رنگی است؟")
    late = page.post(f"{path}/say", data=old | {"words": "کوچهٔ ۷"})
    assert late.status_code == 409 and "پرسش دیگری" in late.text and "کوچهٔ ۷</textarea>" in late.text
    assert of(engine, id_)[::2] == (S.ASKED, ["asked", "answered", "asked"])
    page.post(f"{path}/say", data={"question": field_in(late.text, "question"), "words": "سبز"})
    assert of(engine, id_)[::2] == (S.ACCEPTED, ["asked", "answered", "asked", "answered"])


def test_old_rating_form_does_not_rate_a_new_answer(page: TestClient, engine: Engine, number: str) -> None:
    id_, path = solved(engine, number)
    page.post(f"{path}/object", data={"reason": "هنوز تاریک است"})
    old = {"said": field_in(page.get(path).text, "said"), "stars": "1"}
    with writing(engine) as session:
        work.reply(session, work.get_for_update(session, id_), who="e", reply="دوباره عوض شد")
    assert page.post(f"{path}/rate", data=old).status_code == 409
    page.post(f"{path}/confirm")
    late = page.post(f"{path}/rate", data=old)
    assert late.status_code == 409 and "چیز دیگری گفته" in late.text
    page.post(f"{path}/rate", data=old | {"said": field_in(late.text, "said"), "stars": "5"})
    with reading(engine) as session:
        assert [rating.stars for rating in session.query(Rating)] == [5]


def test_foreign_stranger_or_blocked_form_does_nothing(page: TestClient, engine: Engine, number: str) -> None:
    others, theirs = solved(engine, a_number())
    mine, path = solved(engine, number)
    assert page.get(theirs).history[0].status_code == 303
    page.post(f"{theirs}/confirm")
    foreign = {"Origin": "https://elsewhere.example", "Sec-Fetch-Site": "cross-site"}
    assert page.post(f"{path}/confirm", headers=foreign).status_code == 403
    assert page.post(f"{path}/else").status_code == 422
    with writing(engine) as session:
        blocked.block(session, number, BlockReason.NUISANCE)
    assert "با ۱۳۷ تماس بگیرید" in page.post(f"{path}/confirm").text
    page.cookies.clear()
    assert f"{MY}/code" in page.post(f"{path}/confirm").text
    assert of(engine, others)[0] is of(engine, mine)[0] is S.REPLIED


def _joined_and_replied(session: Session, number: str) -> tuple[Request, str]:
    """Somebody else's request, which has a reply, and the tracking number of mine that goes on with it."""
    first, mine = a_request(session, number=a_number()), a_request(session, number=number)
    closing.merge(session, mine.id, first.id, who="u")
    work.reply(session, first, who="d", reply="چراغ عوض شد")
    return first, mine.tracking


def test_solution_of_the_other_request_is_shown_unasked(
    page: TestClient, engine: Engine, number: str
) -> None:
    with writing(engine) as session:
        _, tracking = _joined_and_replied(session, number)
    path = f"{MY}/requests/{tracking}"
    for text in (page.get(path).text, page.post("/public/number", data={"ticket": tracking}).text):
        assert "با هم پیگیری می‌شوند" in text and "چراغ عوض شد" in text
        assert "به این مشکل پاسخ داده شد: حل شده است." in text and "آیا چنین است" not in text
        assert "/confirm" not in text
    of_mine = page.get(f"/api/v1/my/requests/{tracking}").json()
    assert (of_mine["state"], of_mine["joined"], of_mine["asked"]) == ("replied", True, False)
    assert of_mine["reply"] == "چراغ عوض شد"


def test_objection_of_the_other_citizen_is_not_called_mine(
    page: TestClient, engine: Engine, number: str
) -> None:
    with writing(engine) as session:
        first, tracking = _joined_and_replied(session, number)
        closing.answer(session, first.id, solved=False)
    path = f"{MY}/requests/{tracking}"
    text = page.get(path).text
    assert "گفته شد که مشکل هنوز حل نشده است" in text and "گفتید" not in text
