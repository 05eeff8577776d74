"""Templates of the city's file, by provider, language and message:

    [kavenegar.fa.sign_in_code]
    template = "hotline-code"
    token = "{code}"

The slots are those of the message's own text in prompts/messages/. A fault in the file is logged once; then
nothing has a template.
"""

import logging
import re
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from hotline.numbers import convert_digits
from hotline.words import WordsError
from scheduler.sms.provider import Template
from scheduler.sms_message import TEXTS, Text

log = logging.getLogger("scheduler")

_SLOT = re.compile(r"\{(\w+)\}")
Templates = Mapping[tuple[str, str, str], Template]
"""Templates by provider, language and the message's name."""


class TemplatesError(Exception):
    """The city's file of templates is invalid."""


def find_template(provider: str, said: Text, file: Path | None) -> Template | None:
    """Return the provider's template for this message, filled in; None if it has none."""
    if file is None or not said.name:
        return None
    found = _kept(file).get((provider, said.language, said.name))
    if found is None:
        return None
    slots = {slot for value in found.tokens.values() for slot in _SLOT.findall(value)}
    if slots - said.values.keys():
        return None
    values = {slot: convert_digits(said.values[slot]) for slot in slots}  # machines read codes, too
    filled = {
        name: " ".join(_SLOT.sub(lambda slot: values[slot[1]], value).split())
        for name, value in found.tokens.items()
    }
    return Template(found.name, filled)


@cache
def _kept(file: Path) -> Templates:
    try:
        return read(file)
    except TemplatesError as error:
        log.error("sms.templates: %s; nothing has a template", error)
        return {}


def read(file: Path) -> Templates:
    """Return the file's templates. Raises TemplatesError."""
    try:
        tables = tomllib.loads(file.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise TemplatesError(f"{type(error).__name__}") from None
    found = {}
    for provider, languages in tables.items():
        for language, messages in _table(languages, provider).items():
            for name, table in _table(messages, f"{provider}.{language}").items():
                where = f"{provider}.{language}.{name}"
                found[provider, language, name] = _template(_table(table, where), where, language, name)
    return found


def _table(value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise TemplatesError(f"[{where}] is no table")
    return value


def _template(table: dict[str, Any], where: str, language: str, name: str) -> Template:
    values = {key: str(value) for key, value in table.items() if isinstance(value, str | int)}
    template = values.pop("template", "")
    if not template or len(values) != len(table) - 1:
        raise TemplatesError(f"[{where}] needs template and its tokens, all texts")
    try:
        slots = TEXTS.slots(language, "texts", name)
    except WordsError as error:
        raise TemplatesError(f"[{where}]: {error}") from None
    for token, value in values.items():
        if unknown := set(_SLOT.findall(value)) - slots:
            raise TemplatesError(f"[{where}] {token}: the message has no {', '.join(sorted(unknown))}")
    return Template(template, values)
