"""The city's names, colour and emblem, on top of web/src/tokens.css and api/static/public.css."""

import json

from fastapi import APIRouter, Response
from fastapi.responses import FileResponse

from api.access import InForce
from api.pages import CACHED
from hotline.errors import Refused
from settings.colours import make_readable, measure_contrast, mix_colours

router = APIRouter(prefix="/public", include_in_schema=False)

_WHITE, _BLACK = "#ffffff", "#000000"
_DARK_ROOM = "#1a2629"
"""The background in the dark scheme: --paper of the tokens."""


@router.get("/city.css")
def style(settings: InForce) -> Response:
    """Rules for the city's own colour and emblem; empty if the city has set none."""
    rules = []
    if accent := settings.accent:
        rules.append(_rule(":root:root, [data-scheme='light'][data-scheme]", _light(accent)))
        dark = ":root[data-mantine-color-scheme='dark'], [data-scheme='dark'][data-scheme]"
        rules.append(_rule(f":root{dark}", _dark(accent)))
        # The public pages have no scheme of their own: they follow the system.
        plain = _rule(":root:not([data-mantine-color-scheme], [data-scheme])", _dark(accent))
        rules.append(f"@media screen and (prefers-color-scheme: dark) {{ {plain.strip()} }}\n")
    if settings.emblem:
        rules.append(
            _rule(
                ":root",
                {
                    "--city-emblem": "url(/public/emblem)",
                    "--city-emblem-size": "72px",
                    "--city-emblem-here": "1",
                },
            )
        )
    return Response("".join(rules), headers=CACHED, media_type="text/css; charset=utf-8")


@router.get("/city.js")
def names(settings: InForce) -> Response:
    """The city's names and its districts, for the pages' scripts."""
    city = settings.of_city
    told = {
        "name": {"fa": city.name("fa"), "en": city.name("en")},
        "municipality": {"fa": city.municipality("fa"), "en": city.municipality("en")},
        "tiles": [[each.number, *each.tile] for each in city.districts],
    }
    script = f"window.hotline137City = {json.dumps(told)}\n"
    return Response(script, headers=CACHED, media_type="text/javascript; charset=utf-8")


@router.get("/emblem")
def emblem(settings: InForce) -> FileResponse:
    """The city's emblem."""
    if not (path := settings.emblem):
        raise Refused("not-found", "the city has set no emblem")
    return FileResponse(path, headers=CACHED)


def _rule(where: str, values: dict[str, str]) -> str:
    return f"{where} {{ {' '.join(f'{name}: {value};' for name, value in values.items())} }}\n"


def _light(accent: str) -> dict[str, str]:
    soft = mix_colours(accent, _WHITE, 0.9)
    pale = mix_colours(accent, _WHITE, 0.8)
    ink = make_readable(accent, pale, _BLACK)
    return {
        "--accent": accent,
        "--accent-deep": mix_colours(accent, _BLACK, 0.15),
        "--accent-line": accent,
        "--accent-ink": ink,
        "--accent-soft": soft,
        "--accent-pale": pale,
    }


def _dark(accent: str) -> dict[str, str]:
    soft, pale = mix_colours(accent, _DARK_ROOM, 0.8), mix_colours(accent, _DARK_ROOM, 0.7)
    # The lightest background is the hardest one to write on.
    lightest = max(_DARK_ROOM, pale, key=lambda behind: measure_contrast(behind, _BLACK))
    return {
        "--accent": accent,
        "--accent-deep": mix_colours(accent, _BLACK, 0.15),
        "--accent-line": make_readable(accent, _DARK_ROOM, _WHITE, least=3),
        "--accent-ink": make_readable(accent, lightest, _WHITE),
        "--accent-soft": soft,
        "--accent-pale": pale,
    }
