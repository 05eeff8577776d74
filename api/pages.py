"""Public pages, rendered on the server: no sign-in, no script; Persian unless `?lang=en` asks for English."""

import math
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Annotated, Any, TypeVar
from urllib.parse import parse_qs, quote

from fastapi import Depends, Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from api.limits import Guesses
from api.problems import STATUS
from hotline import dates
from hotline.dates import Language
from hotline.errors import Refused
from hotline.rounds.notice_texts import clean_line
from hotline.words import PAGES

T = TypeVar("T")

FOLDER = Path(__file__).parent
CACHED = {"Cache-Control": "public, max-age=60"}
"""Headers of every page and feed that shows nothing of one citizen."""

_templates = Environment(
    loader=FileSystemLoader(FOLDER / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_templates.policies["json.dumps_kwargs"] = {"ensure_ascii": False}
_templates.filters["plain"] = clean_line


def find_asked_language(request: Request) -> Language:
    """Return English if the URL asks for it, else Persian."""
    return "en" if request.query_params.get("lang") == "en" else "fa"


Asked = Annotated[Language, Depends(find_asked_language)]


def render_page(
    request: Request,
    template: str,
    language: Language,
    *,
    status: int = 200,
    cached: bool = True,
    after_s: int | None = None,
    **facts: Any,
) -> HTMLResponse:
    """Render a template that extends base.html, in this language.

    `after_s`: seconds until a retry makes sense; templates have them in words, as `wait`.

    Templates write a text as `t("table.name", slot=…)`, from hotline/words/pages/. They write a link as
    `to("/public/…")`, which keeps the language. Days and hours come from `day`, `clock`, `moment`, `span` and
    `digits` of hotline.dates.
    """
    words: dict[str, Callable[..., str]] = {
        name: partial(getattr(dates, f"format_{name}"), language=language)
        for name in ("digits", "day", "clock", "moment", "span")
    }
    site = request.app.state.settings.public
    path = f"/{quote(request.url.path.lstrip('/'))}"  # a path with two leading slashes would be another site
    body = _templates.get_template(template).render(
        language=language,
        t=partial(_text, language, _of_city(request, language)),
        to=lambda path: f"{path}?lang=en" if language == "en" else path,
        path=path,
        site=site,
        url=f"{site}{path}{'?lang=en' if language == 'en' else ''}",
        wait=_wait(language, after_s or 0),
        **words,
        **facts,
    )
    headers = CACHED if cached else {"Cache-Control": "no-store"}
    return HTMLResponse(body, status, headers=headers | ({"Retry-After": str(after_s)} if after_s else {}))


def render_refused_page(
    request: Request, template: str, language: Language, refused: Refused | None, **facts: Any
) -> HTMLResponse:
    """Return a page that nothing caches; of a refusal it has the status, the wait and the code (`wrong`)."""
    return render_page(
        request,
        template,
        language,
        status=STATUS.get(refused.code, 409) if refused else 200,
        cached=False,
        after_s=refused.after_s if refused else None,
        **{"wrong": refused.code if refused else None} | facts,
    )


def _of_city(request: Request, language: Language) -> dict[str, str]:
    city = request.app.state.settings.of_city
    return {"city": city.name(language), "municipality": city.municipality(language)}


def _wait(language: Language, seconds: int) -> str:
    """Return how long to wait, in words: at least a minute, rounded up."""
    minutes = max(1, math.ceil(seconds / 60))
    hours = math.ceil(minutes / 60)
    name, count = ("hours", hours) if hours > 1 else ("minutes", minutes) if minutes > 1 else ("minute", 1)
    return PAGES.fill(language, "waits", name, {"count": dates.format_digits(count, language)})


def _text(language: Language, of_city: dict[str, str], text: str, **values: str) -> str:
    table, _, name = text.partition(".")
    return PAGES.fill(language, table, name, of_city | values)


Typed = Mapping[str, list[str]]
"""The fields of a form, each with all its values."""


async def typed(request: Request) -> Typed:
    """Return the fields of a form of ours; empty for any other body."""
    try:
        return parse_qs((await request.body()).decode(errors="replace"), max_num_fields=20)
    except ValueError:
        return {}


def read_first(form: Typed, name: str) -> str:
    """Return a field's first value, or an empty text."""
    return form.get(name, [""])[0]


async def posted(request: Request) -> str:
    """Return the ticket or tracking number as it was typed."""
    return read_first(await typed(request), "ticket")[:40]


def find_guessed(
    request: Request, form: str, language: Language, find: Callable[[], T], *, who: str
) -> T | HTMLResponse:
    """Return the result of `find` for the typed number, else the form with an error.

    Unknown numbers are guesses, and `who` has only a few: an address, or a signed-in citizen.
    """
    guesses: Guesses = request.app.state.guesses
    try:
        with guesses.guess(who):
            return find()
    except Refused as refused:
        return render_refused_page(request, form, language, refused)
