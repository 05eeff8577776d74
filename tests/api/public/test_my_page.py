"""The plain page on which a citizen signs in by number: forms alone, in both languages."""

from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from httpx import Response
from sqlalchemy import Engine, select, update

from db.engine import now, reading, writing
from db.models import CitizenCode, CitizenSession, CodeWay, Picture, PictureKind, Registration
from db.states import CallbackState, Phase
from hotline.citizens import codes, sessions
from hotline.line import registration
from hotline.pictures import attachments
from settings import Settings
from tests.api.answers import V1
from tests.api.public.public_pages import Read
from tests.factories import a_callback, a_number, a_request, a_round
from tests.kit import picture_files as files

MY = "/public/my"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"sms_provider": "console"})


@pytest.fixture
def page(app: FastAPI) -> Iterator[TestClient]:
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


def given(engine: Engine, settings: Settings) -> str:
    with reading(engine) as session:
        newest = session.scalars(select(CitizenCode).order_by(CitizenCode.id.desc())).first()
        return codes.read_digits(newest, settings)


def sign_in(page: TestClient, engine: Engine, settings: Settings, number: str) -> Response:
    assert page.post(f"{MY}/code", data={"number": number, "by": "sms"}).status_code == 200
    return page.post(f"{MY}/session", data={"number": number, "code": given(engine, settings)})


def test_forms_show_and_delete_the_places(page: TestClient, engine: Engine, settings: Settings) -> None:
    number = a_number()
    with writing(engine) as session:
        registration.register(session, round_id=a_round(session, Phase.OPEN).id, number=number)
        a_request(session, number=number)
        ticket = session.scalars(select(Registration.ticket)).one()
    ways = [button.get("value") for button in Read(page.get(MY).text).all("button")]
    assert ways == ["sms", "call"]
    asked = Read(page.post(f"{MY}/code", data={"number": number, "by": "sms"}).text)
    (code,) = [field for field in asked.all("input") if field["name"] == "code"]
    assert (code["autocomplete"], code["inputmode"]) == ("one-time-code", "numeric")
    shown = page.post(f"{MY}/session", data={"number": number, "code": given(engine, settings)})
    assert [step.status_code for step in shown.history] == [303]
    assert shown.headers["cache-control"] == "no-store"
    persian = str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")
    assert ticket.translate(persian) in shown.text and "شما نفر ۱ صف هستید" in shown.text
    assert number[3:] not in shown.text
    assert ticket in page.get(f"{MY}?lang=en").text
    assert ticket in page.post(f"{MY}/delete?lang=en", data={}).text, "not without being sure"
    done = page.post(f"{MY}/delete?lang=en", data={"sure": "1"}).text
    assert ticket not in done and "What was kept under your number is deleted." in done
    with reading(engine) as session:
        assert session.scalars(select(Registration.number)).one() == ""


def test_links_of_a_long_open_page_still_work(page: TestClient, engine: Engine, settings: Settings) -> None:
    def access_runs_out() -> None:
        with writing(engine) as session:
            session.execute(update(CitizenSession).values(access_until=now(session)))

    number = a_number()
    assert page.get(f"{MY}/export").history[0].status_code == 303, "not without a session"
    sign_in(page, engine, settings, number)
    access_runs_out()
    exported = page.get(f"{MY}/export")
    assert exported.json()["number"] == number
    assert exported.headers["content-disposition"].startswith("attachment")
    assert exported.headers["cache-control"] == "no-store"
    access_runs_out()
    assert f"{MY}/code" in page.post(f"{MY}/delete", data={"sure": "1"}).text
    with reading(engine) as session:
        assert session.scalars(select(CitizenSession)).all() == []


def test_long_open_page_needs_a_new_code_for_data(
    page: TestClient, engine: Engine, settings: Settings
) -> None:
    number = a_number()
    sign_in(page, engine, settings, number)
    with writing(engine) as session:
        old = {"created_at": now(session) - sessions.FRESH, "access_until": now(session)}
        session.execute(update(CitizenSession).values(old))
    asked = page.get(f"{MY}/export")
    assert f"{MY}/delete" not in asked.text and f"{MY}/export" not in asked.text
    assert "<details open>" in asked.text and "کد تازه" in asked.text
    refused = page.post(f"{MY}/delete", data={"sure": "1"})
    assert refused.status_code == 403 and "کد تازه" in refused.text
    form = page.post(f"{MY}/code", data={"by": "sms"})
    assert form.status_code == 200 and number[3:] not in form.text
    wrong = page.post(f"{MY}/session", data={"number": "", "code": "x"})
    assert wrong.status_code == 403 and number[3:] not in wrong.text
    done = page.post(f"{MY}/session", data={"number": "", "code": given(engine, settings)})
    assert "<details open>" in done.text and f"{MY}/delete" in done.text
    assert page.get(f"{MY}/export").json()["number"] == number
    assert f"{MY}/code" in page.post(f"{MY}/delete", data={"sure": "1"}).text


def test_code_in_another_browser_is_wrong(
    page: TestClient, app: FastAPI, engine: Engine, settings: Settings
) -> None:
    number = a_number()
    page.post(f"{MY}/code", data={"number": number, "by": "sms"})
    shown = {"number": number, "code": given(engine, settings)}
    other = TestClient(app, raise_server_exceptions=False)
    assert [other.post(f"{MY}/session", data=shown).status_code for _ in range(6)] == [403] * 6
    assert f"{MY}/sign-out" in page.post(f"{MY}/session", data=shown).text


def test_page_refreshes_an_expired_access(page: TestClient, engine: Engine, settings: Settings) -> None:
    sign_in(page, engine, settings, a_number())
    with writing(engine) as session:
        session.execute(update(CitizenSession).values(access_until=now(session)))
    assert f"{MY}/sign-out" in page.get(MY).text
    assert f"{MY}/sign-out" in page.get(MY).text
    assert f"{MY}/code" in page.post(f"{MY}/sign-out").text
    assert f"{MY}/code" in page.get(MY).text
    with reading(engine) as session:
        assert session.scalars(select(CitizenSession)).all() == []


@pytest.mark.parametrize(
    ("fields", "status", "said"),
    [
        ({"number": "12", "by": "sms"}, 409, "شماره درست نیست"),
        ({"number": "03132123456", "by": "sms"}, 409, "تلفن ثابت"),
        ({"number": "", "by": ""}, 409, "شماره درست نیست"),
        ({}, 409, "شماره درست نیست"),
        ({"number": "0" * 1000, "by": "<script>"}, 409, "شماره درست نیست"),
    ],
)
def test_invalid_number_is_explained_in_the_form(
    page: TestClient, fields: dict[str, str], status: int, said: str
) -> None:
    answer = page.post(f"{MY}/code", data=fields)
    assert answer.status_code == status
    assert said in answer.text and f"{MY}/code" in answer.text


def test_wrong_code_can_be_tried_again(page: TestClient, engine: Engine, settings: Settings) -> None:
    number = a_number()
    for _ in range(3):
        page.post(f"{MY}/code", data={"number": number, "by": "sms"})
    wrong = page.post(f"{MY}/session", data={"number": number, "code": "x"})
    assert wrong.status_code == 403 and "درست نیست" in wrong.text
    more = page.post(f"{MY}/code", data={"number": number, "by": "sms"})
    assert more.status_code == 429 and f"{MY}/session" in more.text
    done = page.post(f"{MY}/session", data={"number": number, "code": given(engine, settings)})
    assert f"{MY}/sign-out" in done.text


def test_deletion_during_a_conversation_waits(page: TestClient, engine: Engine, settings: Settings) -> None:
    number = a_number()
    sign_in(page, engine, settings, number)
    with writing(engine) as session:
        a_callback(session, CallbackState.TALKING, number=number)
    answer = page.post(f"{MY}/delete", data={"sure": "1"})
    assert answer.status_code == 409 and "پس از گفت‌وگو" in answer.text
    assert f"{MY}/sign-out" in page.get(MY).text


def test_forms_from_a_foreign_page_do_nothing(page: TestClient, engine: Engine, settings: Settings) -> None:
    sign_in(page, engine, settings, a_number())
    foreign = {"Origin": "https://evil.example"}
    assert page.post(f"{MY}/delete", data={"sure": "1"}, headers=foreign).status_code == 403
    assert f"{MY}/sign-out" in page.get(MY).text


def test_export_links_to_pictures_that_open(
    page: TestClient, app: FastAPI, engine: Engine, settings: Settings
) -> None:
    number = a_number()
    sign_in(page, engine, settings, number)
    handed_in = page.post(f"{V1}/my/pictures", content=files.jpeg())
    (picture,) = page.get(f"{MY}/export").json()["pictures"]
    assert picture["id"] == handed_in.json()["id"]
    assert picture["tracking"] is None, "no report has taken it yet"
    with writing(engine) as session:
        request = a_request(session, number=number)
        attachments.give(session, [session.get_one(Picture, picture["id"])], request.id, PictureKind.BEFORE)
    exported = page.get(f"{MY}/export").json()
    assert exported["pictures"][0]["tracking"] == exported["requests"][0]["tracking"] == request.tracking
    with writing(engine) as session:  # the file is read later than the session's access lasts
        session.execute(update(CitizenSession).values(access_until=now(session)))
    shown = page.get(picture["link"].removeprefix(settings.public))
    assert (shown.status_code, shown.headers["content-type"]) == (200, "image/jpeg")
    with TestClient(app, raise_server_exceptions=False) as stranger:
        asked = stranger.get(picture["link"].removeprefix(settings.public))
        assert "image" not in asked.headers["content-type"] and f"{MY}/code" in asked.text
        sign_in(stranger, engine, settings, a_number())
        assert stranger.get(picture["link"].removeprefix(settings.public)).status_code == 404


def test_form_without_a_way_sends_the_code_in_the_usual_one(page: TestClient, engine: Engine) -> None:
    page.post(f"{MY}/code", data={"number": a_number()})
    with reading(engine) as session:
        assert session.scalars(select(CitizenCode.way)).all() == [CodeWay.SMS]
