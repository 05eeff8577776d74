"""The page behind a link by which a request was passed on: what it shows and takes."""

import io
from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from httpx import Response
from sqlalchemy import Engine, select, update

from api import limits
from db.engine import reading, writing
from db.models import AgencyReferral, Picture, Request
from db.states import RequestState
from hotline.pictures import attachments, decoding
from hotline.requests import closing, work
from hotline.requests.referrals import agency_referrals
from hotline.requests.referrals.agency_referrals import Passing
from settings import Settings
from tests.api.public.public_pages import Read
from tests.factories import a_request, a_user
from tests.kit import picture_files as files

TEXT = "لوله <b>ترکیده</b>\nروبه‌روی پلاک ۴"
NUMBER = "+989131112233"


@pytest.fixture
def body(app: FastAPI) -> Iterator[TestClient]:
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def token(engine: Engine, settings: Settings) -> str:
    """The token of a link to a request with a picture and a location."""
    with writing(engine) as session:
        request = a_request(
            session, RequestState.REFERRED, number=NUMBER, place="بن‌بست ۲", latitude=32.65, longitude=51.67
        )
        made = decoding.redraw(io.BytesIO(files.jpeg()))
        name = attachments.keep(settings.pictures_dir, made)
        given = attachments.add(session, name, made, number=NUMBER)
        attachments.give(session, [given], request.id, given.kind)
        passing = Passing("آب و فاضلاب", "", "از آن‌هاست", TEXT)
        return agency_referrals.make(session, request, passing, user=a_user(session), days=14)[1]


def link(engine: Engine) -> AgencyReferral:
    with reading(engine) as session:
        return session.scalars(select(AgencyReferral)).one()


def sends(body: TestClient, token: str, text: str, picture: bytes | None = None, **more: str) -> Response:
    """Send the form as a browser does, with an empty file field where no file was chosen."""
    file = (
        ("after.jpg", picture, "image/jpeg") if picture is not None else ("", b"", "application/octet-stream")
    )
    return body.post(f"/public/passed/{token}/pictures", data={"text": text}, files={"picture": file}, **more)


def test_link_shows_the_request_without_its_citizen(body: TestClient, engine: Engine, token: str) -> None:
    shown = body.get(f"/public/passed/{token}")
    page = Read(shown.text)
    assert shown.status_code == 200
    assert shown.headers["cache-control"] == "no-store"
    assert shown.headers["referrer-policy"] == "no-referrer"
    assert shown.headers["cross-origin-resource-policy"] == "same-origin"
    assert {"name": "robots", "content": "noindex, nofollow"} in page.all("meta")
    assert not any(meta.get("name") == "referrer" for meta in page.all("meta"))
    assert page.all("script") == [] and page.all("b") and "<b>ترکیده" not in shown.text
    for said in ("آب و فاضلاب", "لوله <b>ترکیده</b>", "بن‌بست ۲", "32.65000, 51.67000", "منطقهٔ ۱"):
        assert said in page.text
    with reading(engine) as session:
        request = session.scalars(select(Request)).one()
    persian = str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")
    for secret in ("1112233", "۱۱۱۲۲۳۳", request.tracking, request.tracking.translate(persian), "operator"):
        assert secret not in shown.text
    (picture,) = [image["src"] for image in page.all("img")]
    assert picture
    got = body.get(picture)
    assert (got.headers["content-type"], got.headers["cache-control"]) == ("image/jpeg", "no-store")
    assert link(engine).seen_at
    english = body.get(f"/public/passed/{token}?lang=en").text
    assert "A report for you" in english and "?lang=en" in Read(english).all("form")[0]["action"]  # type: ignore[operator]


def test_answers_by_form_are_kept_once_and_shown(body: TestClient, engine: Engine, token: str) -> None:
    for _ in range(2):
        told = body.post(f"/public/passed/{token}/received", headers={"Origin": "null"})
        assert [step.status_code for step in told.history] == [303]
        assert body.post(f"/public/passed/{token}/answer", data={"text": "فردا\r\nمی‌آییم"}).status_code == 200
    for _ in range(2):
        done = sends(body, token, "بسته شد", files.jpeg((900, 700)))
        assert done.history[0].headers["location"] == f"/public/passed/{token}"
    assert "بسته شد" in done.text and "multipart" not in done.text
    kept = link(engine)
    assert (kept.answer, kept.answers, kept.done) == ("فردا\nمی‌آییم", 1, "بسته شد")
    with reading(engine) as session:
        (shown,) = session.scalars(select(Picture).where(Picture.pass_id.is_not(None))).all()
        assert (shown.width, shown.height, shown.request_id) == (900, 700, None)
        request = session.scalars(select(Request)).one()
        assert request.state is RequestState.REFERRED
    again = sends(body, token, "نه، <i>باز</i> است")
    assert again.status_code == 409 and "نه، &lt;i&gt;باز&lt;/i&gt; است</textarea>" in again.text
    assert body.get(f"/public/passed/{token}/pictures/{shown.id}").status_code == 404, "not even its own"
    assert body.get(f"/public/passed/{token}/answer").history[0].status_code == 303


def test_completion_without_a_picture_is_accepted(body: TestClient, engine: Engine, token: str) -> None:
    assert sends(body, token, "بسته شد").status_code == 200
    assert link(engine).done == "بسته شد"


@pytest.mark.parametrize(
    ("picture", "status", "says"),
    [
        (b"\xff\xd8\xff" + b"x" * (50 << 20), 413, "بزرگ‌تر از ۸ مگابایت"),
        (b"", 422, "خالی"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", 415, "SVG"),
        (b"\x00\x00\x00\x18ftypmp42" + b"x" * 99, 415, "ویدیو"),
        (files.jpeg()[:300], 422, "ناقص"),
        (files.bomb(), 422, "نقطه"),
        (b"%PDF-1.7", 415, "JPEG"),
    ],
    ids=["50 MB", "empty", "drawing", "video", "cut", "bomb", "paper"],
)
def test_unfit_picture_is_refused_and_the_words_stay(
    body: TestClient, engine: Engine, settings: Settings, token: str, picture: bytes, status: int, says: str
) -> None:
    refused = sends(body, token, "بسته شد", picture)
    assert refused.status_code == status
    assert says in refused.text and ">بسته شد</textarea>" in refused.text
    assert link(engine).done == ""
    assert len(list(settings.pictures_dir.iterdir())) == 1


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"", "multipart/form-data; boundary=x"),
        (
            b'--x\r\nContent-Disposition: form-data; name="text"\r\n\r\nhalf',
            "multipart/form-data; boundary=x",
        ),
        (b"--y\r\n\r\n--y--", "multipart/form-data; boundary=x"),
        (b"text=a", "application/x-www-form-urlencoded"),
        (b"x", "multipart/form-data; boundary=" + "b" * 300),
        (b"x", "\xff\xfe"),
        (b"--x\r\n" + b"A: b\r\n" * 5000 + b"\r\n--x--", "multipart/form-data; boundary=x"),
        (b"--x\r\n\r\n\r\n" * 20 + b"--x--", "multipart/form-data; boundary=x"),
    ],
)
def test_malformed_form_is_refused(
    body: TestClient, engine: Engine, token: str, content: bytes, kind: str
) -> None:
    headers = {b"Content-Type": kind.encode("latin-1")}
    refused = body.post(f"/public/passed/{token}/pictures", content=content, headers=headers)  # type: ignore[arg-type]
    assert (refused.status_code, link(engine).done) == (422, "")
    assert "<form" in refused.text


def test_long_words_are_refused(body: TestClient, engine: Engine, token: str) -> None:
    for text in ("آ" * 1001, "a" * 20_000, "  "):
        assert sends(body, token, text).status_code == 409
        assert body.post(f"/public/passed/{token}/answer", data={"text": text}).status_code == 409
    nul = body.post(f"/public/passed/{token}/answer", data={"text": "فر\0دا\u202e"})
    assert nul.status_code == 200 and link(engine).answer == "فردا"
    assert body.post(f"/public/passed/{token}/answer", content=b"&" * 60).status_code == 409


def test_dead_links_answer_alike_and_are_rate_limited(body: TestClient, engine: Engine, token: str) -> None:
    with writing(engine) as session:
        request = session.scalars(select(Request)).one()
        work.reply(session, request, who="u", reply="درست شد")
    answers = set()
    for each in (token, "A" * 43, "xyz"):
        shown = body.get(f"/public/passed/{each}")
        assert shown.status_code == 404
        answers.add(shown.text.replace(f"/public/passed/{each}", ""))
    assert len(answers) == 1 and "کار نمی‌کند" in answers.pop()
    assert body.post(f"/public/passed/{token}/received").status_code == 404
    assert sends(body, token, "بسته شد").status_code == 404
    assert link(engine).received_at is None
    for _ in range(limits.BURST):
        last = body.get(f"/public/passed/{'B' * 43}")
    assert last.status_code == 429 and "یک دقیقه دیگر" in last.text and last.headers["Retry-After"]


def test_right_link_opens_at_an_address_that_guessed(body: TestClient, token: str) -> None:
    for _ in range(max(limits.BURST, limits.PASSED_BURST) + 1):
        body.get(f"/public/passed/{'B' * 43}")
        last = body.post(f"/public/passed/{'B' * 43}/received")
    assert last.status_code == 429
    assert body.get(f"/public/passed/{token}").status_code == 200
    assert sends(body, token, "بسته شد").status_code == 200


def test_link_of_a_duplicate_says_it_goes_on_elsewhere(body: TestClient, engine: Engine, token: str) -> None:
    with writing(engine) as session:
        request = session.scalars(select(Request)).one()
        closing.merge(session, request.id, a_request(session).id, who="u")
    joined = "با گزارش دیگری یکی شد"
    shown = body.get(f"/public/passed/{token}")
    assert shown.status_code == 404 and joined in shown.text
    assert "joined to another" in body.get(f"/public/passed/{token}?lang=en").text
    assert joined in body.post(f"/public/passed/{token}/received").text
    assert joined in sends(body, token, "بسته شد").text
    assert joined not in body.get(f"/public/passed/{'A' * 43}").text
    assert link(engine).received_at is None
    with writing(engine) as session:
        closing.undo_merge(session, session.get_one(Request, request.id), who="u")
    assert body.get(f"/public/passed/{token}").status_code == 200
    with writing(engine) as session:
        closing.merge(session, request.id, a_request(session).id, who="u")
        session.execute(update(AgencyReferral).values(withdrawn_at=AgencyReferral.made_at))
    assert joined not in body.get(f"/public/passed/{token}").text


def test_endless_answers_are_rate_limited(body: TestClient, engine: Engine, token: str) -> None:
    for _ in range(limits.PASSED_BURST):
        body.post(f"/public/passed/{token}/received")
    answer = body.post(f"/public/passed/{token}/answer", data={"text": "نه"})
    assert answer.status_code == 429 and answer.headers["Retry-After"] and "۱۳۷" in answer.text
    assert link(engine).answers == 0


def test_link_that_expires_during_an_upload_keeps_nothing(
    body: TestClient, engine: Engine, settings: Settings, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = decoding.redraw

    def slow(file: object) -> decoding.Plain:
        with writing(engine) as session:
            session.execute(update(AgencyReferral).values(withdrawn_at=AgencyReferral.made_at))
        return plain(file)  # type: ignore[arg-type]

    monkeypatch.setattr(decoding, "redraw", slow)
    assert sends(body, token, "بسته شد", files.jpeg()).status_code == 404
    assert len(list(settings.pictures_dir.iterdir())) == 1
