"""Signing in by number on pages without a script. They use the rules of api/my/."""

from contextlib import suppress
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse

from api import pages
from api import pictures as wire_pictures
from api.access import Database, InForce, Writing
from api.my import own_data, signed_in
from api.pages import Asked, render_refused_page
from api.pictures import PictureId
from db.engine import reading, writing
from db.models import CitizenSession, CodeWay
from hotline import audit, numbers
from hotline.citizens import account_contents, codes, erasure, sessions
from hotline.dates import Language
from hotline.errors import Refused
from hotline.pictures import attachments
from hotline.rounds import phases
from hotline.rounds.notice_texts import format_office

router = APIRouter(prefix="/public/my", include_in_schema=False)

_FIELDS = ("number", "by", "code", "sure")


def _fields(form: Annotated[pages.Typed, Depends(pages.typed)]) -> dict[str, str]:
    return {name: pages.read_first(form, name)[:40] for name in _FIELDS}


Typed = Annotated[dict[str, str], Depends(_fields)]


@router.get("")
def show(request: Request, language: Asked, engine: Database, settings: InForce) -> Response:
    """My data, or the form for a number. An expired access cookie is renewed first."""
    fresh = Response()
    try:
        mine = signed_in.find_current(request, fresh, engine, settings)
    except Refused:
        return _ask(request, language, settings)
    return add_cookies(_own(request, language, engine, mine, settings=settings), fresh)


@router.get("/export")
def export(request: Request, language: Asked, engine: Database, settings: InForce) -> Response:
    """Everything stored under my number, as a file. An expired access cookie is renewed first."""
    fresh = Response()
    try:
        mine = signed_in.find_current(request, fresh, engine, settings)
    except Refused:
        return return_to_data(request, language)
    try:
        with writing(engine) as session:
            sessions.check_fresh(session, mine)
            answer = own_data.make_export(session, mine.number, settings)
    except Refused:
        answer = return_to_data(request, language, to_data=True)  # the page asks for a fresh code
    return add_cookies(answer, fresh)


@router.get("/pictures/{picture_id}")
def show_picture(
    picture_id: PictureId, request: Request, language: Asked, engine: Database, settings: InForce
) -> Response:
    """Show a picture of mine, or of a request of mine; the export links to it."""
    fresh = Response()
    try:
        mine = signed_in.find_current(request, fresh, engine, settings)
    except Refused:
        return return_to_data(request, language)
    with reading(engine) as session:
        file = attachments.find(session, picture_id, attachments.where_seen_by(mine.number))
    return add_cookies(wire_pictures.show(settings, file), fresh)


@router.post("/code")
def ask_code(request: Request, language: Asked, engine: Database, settings: InForce, form: Typed) -> Response:
    """Send a code to a number, and show the form for the code."""
    fresh = Response()
    try:
        way = CodeWay(form["by"]) if form["by"] in list(CodeWay) else codes.list_ways(settings)[0]
        number = _number(request, fresh, engine, settings, form)
        signed_in.ask_code(request, fresh, engine, settings, number=number, way=way, language=language)
    except Refused as refused:
        if refused.code != "too-many-codes":  # the last code may still arrive
            return add_cookies(_ask(request, language, settings, refused), fresh)
        return add_cookies(_code(request, language, form["number"], refused), fresh)
    return add_cookies(_code(request, language, form["number"]), fresh)


@router.post("/session")
def sign_in(request: Request, language: Asked, engine: Database, settings: InForce, form: Typed) -> Response:
    """Sign in with the code."""
    answer, fresh = return_to_data(request, language, to_data=not form["number"]), Response()
    try:
        number = _number(request, fresh, engine, settings, form)
        signed_in.sign_in(request, answer, engine, settings, number=number, typed=form["code"])
    except Refused as refused:
        return add_cookies(_code(request, language, form["number"], refused), fresh)
    return answer


@router.post("/sign-out")
def sign_out(request: Request, language: Asked, session: Writing) -> Response:
    """Sign out here."""
    answer = return_to_data(request, language)
    signed_in.sign_out(request, answer, session)
    return answer


@router.post("/delete")
def delete(request: Request, language: Asked, engine: Database, settings: InForce, form: Typed) -> Response:
    """Delete what is stored under my number, if I confirmed it. It cancels my places, as the form says."""
    answer = return_to_data(request, language)
    try:
        mine = signed_in.find_current(request, answer, engine, settings)
    except Refused:
        return answer  # to the form for a number
    if not form["sure"]:
        return answer
    try:
        with writing(engine) as session:
            sessions.check_fresh(session, mine)
            erasure.delete_citizen(session, mine.number, who=audit.CITIZEN, give_up=True)
    except Refused as refused:
        return add_cookies(_own(request, language, engine, mine, refused, settings=settings), answer)
    answer = return_to_data(request, language, deleted=True)
    signed_in.drop(request, answer)
    return answer


def _number(
    request: Request, fresh: Response, engine: Database, settings: InForce, form: dict[str, str]
) -> str:
    """Return the typed number, else the signed-in citizen's own, which no page shows."""
    if not form["number"]:
        with suppress(Refused):
            return signed_in.find_current(request, fresh, engine, settings).number
    return form["number"]


def add_cookies(answer: Response, fresh: Response) -> Response:
    """Return the answer with the cookies of `fresh` added."""
    answer.raw_headers += [header for header in fresh.raw_headers if header[0] == b"set-cookie"]
    return answer


def return_to_data(
    request: Request, language: Language, *, to_data: bool = False, deleted: bool = False
) -> RedirectResponse:
    """Redirect to my data, or to the form for a number."""
    asked = ["lang=en"] * (language == "en") + ["data=1"] * to_data + ["deleted=1"] * deleted
    way = f"/public/my{'?' * bool(asked)}{'&'.join(asked)}"
    return RedirectResponse(way, 303, headers={"Cache-Control": "no-store"})


def _ask(request: Request, language: Language, settings: InForce, refused: Refused | None = None) -> Response:
    deleted = "deleted" in request.query_params
    return render_own_page(
        request, "my_number.html", language, refused, ways=codes.list_ways(settings), deleted=deleted
    )


def _code(request: Request, language: Language, number: str, refused: Refused | None = None) -> Response:
    return render_own_page(request, "my_code.html", language, refused, number=number)


def _own(
    request: Request,
    language: Language,
    engine: Database,
    mine: CitizenSession,
    refused: Refused | None = None,
    *,
    settings: InForce,
) -> Response:
    with reading(engine) as session:
        places = account_contents.list_places(session, mine.number)
        who = {
            each.registration.id: format_office(phases.find_speaker(each.registration.round), language)
            for each in places
        }
        return render_own_page(
            request,
            "my.html",
            language,
            refused,
            number=numbers.format_national(numbers.mask(mine.number)),
            places=places,
            who=who,
            requests=account_contents.list_requests(session, mine.number),
            held=erasure.count_places(session, mine.number),
            opened=bool(refused) or "data" in request.query_params,
            fresh=sessions.is_fresh(session, mine),
            ways=codes.list_ways(settings),
        )


def render_own_page(
    request: Request, template: str, language: Language, refused: Refused | None, **words: object
) -> Response:
    """Return one citizen's page, which nothing caches, with the refusal if there was one."""
    return render_refused_page(request, template, language, refused, **words)
