"""Pages for everybody, rendered here: no sign-in, no script, Persian unless `?lang=en` asks for English."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Annotated, Any, TypeVar
from urllib.parse import parse_qs, quote

from fastapi import Depends, Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from api import cookies
from api.limits import Guesses
from api.problems import STATUS
from hotline import dates
from hotline.dates import Language
from hotline.errors import Refused
from hotline.rounds.notice_texts import plain
from hotline.words import PAGES

T = TypeVar("T")

FOLDER = Path(__file__).parent
CACHED = {"Cache-Control": "public, max-age=60"}
"""What every page and feed says to caches, unless it shows what belongs to one citizen."""

_templates = Environment(
    loader=FileSystemLoader(FOLDER / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_templates.policies["json.dumps_kwargs"] = {"ensure_ascii": False}
_templates.filters["plain"] = plain


def asked_language(request: Request) -> Language:
    """English if the address says so, else Persian."""
    return "en" if request.query_params.get("lang") == "en" else "fa"


Asked = Annotated[Language, Depends(asked_language)]


def page(
    request: Request,
    template: str,
    language: Language,
    *,
    status: int = 200,
    cached: bool = True,
    **facts: Any,
) -> HTMLResponse:
    """The template (one that extends base.html) in this language.

    Templates write each text as `t("table.name", slot=…)` of hotline/words/pages/, an address as
    `to("/public/…")`, which keeps the language, and days and hours by `day`, `clock`, `moment`, `span` and
    `digits` of hotline.dates.
    """
    words: dict[str, Callable[..., str]] = {
        name: partial(getattr(dates, name), language=language)
        for name in ("digits", "day", "clock", "moment", "span")
    }
    site = request.app.state.settings.public
    path = f"/{quote(request.url.path.lstrip('/'))}"  # one that begins with two slashes is another site's
    body = _templates.get_template(template).render(
        language=language,
        t=partial(_text, language, _of_city(request, language)),
        to=lambda path: f"{path}?lang=en" if language == "en" else path,
        path=path,
        site=site,
        url=f"{site}{path}{'?lang=en' if language == 'en' else ''}",
        **words,
        **facts,
    )
    return HTMLResponse(body, status, headers=CACHED if cached else {"Cache-Control": "no-store"})


def _of_city(request: Request, language: Language) -> dict[str, str]:
    city = request.app.state.settings.of_city
    return {"city": city.name(language), "municipality": city.municipality(language)}


def _text(language: Language, of_city: dict[str, str], text: str, **values: str) -> str:
    table, _, name = text.partition(".")
    return PAGES.fill(language, table, name, of_city | values)


Typed = Mapping[str, list[str]]
"""The fields of a form, each as often as it was sent."""


async def typed(request: Request) -> Typed:
    """What was typed into a form of ours; of anything else nothing."""
    try:
        return parse_qs((await request.body()).decode(errors="replace"), max_num_fields=20)
    except ValueError:
        return {}


def first(form: Typed, name: str) -> str:
    """A field that is there once."""
    return form.get(name, [""])[0]


async def posted(request: Request) -> str:
    """The ticket or tracking number as it was typed."""
    return first(await typed(request), "ticket")[:40]


def guessed(request: Request, form: str, language: Language, find: Callable[[], T]) -> T | HTMLResponse:
    """What `find` finds by the number that was typed; else the form again, which says why.

    Numbers that nobody has are guesses, and each address has only a few.
    """
    guesses: Guesses = request.app.state.guesses
    try:
        with guesses.guess(cookies.address(request)):
            return find()
    except Refused as refused:
        status = STATUS[refused.code]
        return page(request, form, language, status=status, cached=False, wrong=refused.code)
