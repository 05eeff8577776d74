"""The page of a referral link: an agency outside the city reads the request and answers.

There is no sign-in: whoever has the link may. So the page is not cached, no search engine lists it, and no
Referer header carries the link. Every link that opens nothing gets the same answer.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session

from api import cookies, multipart, pages
from api.access import Database, InForce
from api.limits import Coming, Guesses
from api.pages import Asked, render_refused_page
from api.pictures import SENT, Incoming, PictureId
from api.pictures import show as show_file
from api.public.number_page import find_last_moment
from db.engine import reading, writing
from hotline import control_characters
from hotline.dates import Language
from hotline.errors import Refused
from hotline.pictures import attachments, decoding
from hotline.requests.referrals import agency_replies
from settings import Settings

router = APIRouter(prefix="/public/passed", include_in_schema=False)

REFUSALS = (
    *("text-missing", "text-long", "too-many-answers", "body-done", "too-many-attempts", "form-broken"),
    *("picture-large", "picture-kind", "picture-drawing", "picture-video", "picture-empty"),
    *("picture-pixels", "picture-animated", "picture-hides", "picture-broken"),
    *("files-busy", "disk-full", "text-personal", "link-merged"),
)
"""Refusals with their own text; all others show `other`."""
_NO_STORE = {"Cache-Control": "no-store", "X-Robots-Tag": "noindex"}


def _typed(form: Annotated[pages.Typed, Depends(pages.typed)]) -> str:
    return control_characters.clean(pages.read_first(form, "text"))


Typed = Annotated[str, Depends(_typed)]


@router.get("/{token}")
def show(request: Request, token: str, language: Asked, engine: Database) -> Response:
    """The request's data for the agency, and the forms for its answer."""
    return _shown(request, language, engine, token)


@router.get("/{token}/pictures/{picture_id}")
def show_picture(
    request: Request, token: str, picture_id: PictureId, engine: Database, settings: InForce
) -> Response:
    """A picture of the damage."""
    try:
        with reading(engine) as session:
            file = agency_replies.get_picture(session, token, picture_id)
    except Refused:
        _guessed(request)
        raise Refused("not-found", "nothing is here") from None
    answer = show_file(settings, file)
    answer.headers.update(_NO_STORE)
    return answer


@router.get("/{token}/{_act}")
def go_back(token: str, _act: str, language: Asked) -> Response:
    """Redirect to the page, when a refused form's address is opened again."""
    return _back(token, language)


@router.post("/{token}/received")
def receive(request: Request, token: str, language: Asked, engine: Database) -> Response:
    """Record that the agency has received the request."""
    return _acts(
        request, language, engine, token, lambda session: agency_replies.record_received(session, token)
    )


@router.post("/{token}/answer")
def answer(request: Request, token: str, language: Asked, engine: Database, typed: Typed) -> Response:
    """Record the agency's answer."""
    return _acts(
        *(request, language, engine, token),
        lambda session: agency_replies.record_answer(session, token, typed),
        typed=typed,
    )


@router.post("/{token}/pictures", max_body_size=SENT["max_body_size"])
async def finish(
    request: Request, token: str, language: Asked, engine: Database, settings: InForce
) -> Response:
    """Record that the agency has done its part, with a picture as evidence."""
    coming: Coming = request.app.state.pictures_coming
    typed = ""
    try:
        link_id = await run_in_threadpool(_may_send, request, engine, token)
        with coming.one(f"pass {link_id}"):
            async with multipart.received(request, settings.pictures_dir) as (texts, picture):
                typed = control_characters.clean(texts.get("text", ""))
                await run_in_threadpool(_finish, engine, settings, token, typed, picture)
    except Refused as refused:
        return await run_in_threadpool(_shown, request, language, engine, token, refused, done=typed)
    return _back(token, language)


def _may_send(request: Request, engine: Database, token: str) -> int:
    """Return the link's id before the body is read, and charge it for an act, whatever the act's result.

    Raises Refused if it opens nothing, or acts too often.
    """
    acts: Guesses = request.app.state.passed_acts
    with reading(engine) as session:
        link_id = agency_replies.show_page(session, token).link.id
    acts.take(f"link {link_id}")
    return link_id


def _finish(engine: Database, settings: Settings, token: str, text: str, picture: Incoming | None) -> None:
    text = agency_replies.check(text)
    made = decoding.redraw(picture.whole()) if picture else None
    name = attachments.keep(settings.pictures_dir, made) if made else ""
    kept = False
    try:
        with writing(engine) as session:
            link_id = agency_replies.record_done(session, token, text)
            if made and link_id is not None:
                attachments.add_of_body(session, name, made, link_id)
                kept = True
    except Refused:
        kept = False
        raise
    finally:
        if name and not kept:
            attachments.discard(settings.pictures_dir, name)


def _acts(
    request: Request,
    language: Language,
    engine: Database,
    token: str,
    act: Callable[[Session], object],
    *,
    typed: str = "",
) -> Response:
    try:
        _may_send(request, engine, token)
        with writing(engine) as session:
            act(session)
    except Refused as refused:
        return _shown(request, language, engine, token, refused, answer=typed)
    return _back(token, language)


def _guessed(request: Request) -> None:
    """Charge the address for a link that opens nothing; one that opens something costs nothing.

    Nobody guesses a link, so whoever has one does not wait for the neighbours at the same address. Raises
    Refused("too-many-attempts").
    """
    guesses: Guesses = request.app.state.guesses
    guesses.take(cookies.find_address(request))


def _shown(
    request: Request,
    language: Language,
    engine: Database,
    token: str,
    refused: Refused | None = None,
    **typed: str,
) -> Response:
    """Return the page; after a refusal, with the reason and the typed text."""
    try:
        with reading(engine) as session:
            seen = agency_replies.show_page(session, token)
            new = seen.link.seen_at is None
            answer = render_refused_page(
                request,
                "passed.html",
                language,
                refused,
                seen=seen,
                token=token,
                wrong=_wrong(refused),
                most=agency_replies.LONGEST,
                last_moment=find_last_moment,
                typed={"answer": "", "done": ""} | typed,
            )
    except Refused as over:
        if over.code == "link-over":
            try:
                _guessed(request)
            except Refused as too_many:
                over = too_many
        return render_refused_page(request, "passed_over.html", language, over, wrong=_wrong(over))
    if new:
        with suppress(DatabaseError, Refused), writing(engine) as session:
            agency_replies.record_opened(session, token)
    return answer


def _wrong(refused: Refused | None) -> str | None:
    if refused is None:
        return None
    return refused.code if refused.code in REFUSALS else "other"


def _back(token: str, language: Language) -> RedirectResponse:
    """Redirect to the page, so that reloading sends nothing twice."""
    way = f"/public/passed/{token}{'?lang=en' if language == 'en' else ''}"
    return RedirectResponse(way, 303, headers={"Cache-Control": "no-store"})
