"""Callers on the line at this moment, and which of them are in a dialogue with us."""

from collections.abc import Sequence
from contextlib import ExitStack
from types import SimpleNamespace
from typing import cast

import pytest
from sqlalchemy import Engine, select

from db.engine import reading, writing
from db.models import LeftOutcome, OutboundCall
from dialplan.variables import Script
from hotline import numbers
from hotline.outbound import overflow
from ivr.call import Call
from ivr.callers import Callers
from settings import Settings
from tests.kit.fake_asterisk import HANG_UP, FakeAsterisk

SCRIPTS = [Script.MENU, Script.ON_THE_LINE, Script.LINES_FULL, Script.RESCUE, Script.CALLBACK]


def a_call(script: Script) -> Call:
    said = {"channel_id": f"of-{script}", "number": lambda _allowed: "+989131234567"}
    return cast(Call, SimpleNamespace(script=script, **said))


@pytest.mark.parametrize("backend", ["sqlite"])
def test_number_of_a_caller_is_parsed_once(asterisk: FakeAsterisk, monkeypatch: pytest.MonkeyPatch):
    parsed, parse = list[str](), numbers.parse

    def parsing(text: str, *rest: Sequence[str]) -> str:
        parsed.append(text)
        return parse(text, *rest)

    monkeypatch.setattr(numbers, "parse", parsing)
    asterisk.dial(("main-menu", HANG_UP), caller_id="09131234567")
    assert parsed == ["09131234567"]


@pytest.mark.parametrize("also", [[], SCRIPTS[1:]])
def test_only_callers_in_a_dialogue_are_counted(
    also: list[Script],
):
    callers = Callers(("+989",), "main")
    with ExitStack() as calls:
        for script in (Script.MENU, *also):
            calls.enter_context(callers.on_the_line(a_call(script)))
        assert callers.asking() == 1
        turned_away = f"of-{Script.LINES_FULL}" in callers._here
        assert not turned_away, "their channel is gone already"
    assert callers.asking() == 0


@pytest.mark.parametrize("backend", ["sqlite"])
def test_overflow_number_whose_caller_gets_through_is_dropped(settings: Settings, engine: Engine) -> None:
    callers = Callers(("+989",), "main")
    callers.write(engine)
    with writing(engine) as session:
        overflow.keep(session, "+989131234567", settings)
    with callers.on_the_line(a_call(Script.MENU)):
        callers.write(engine)
    with reading(engine) as session:
        assert session.scalars(select(OutboundCall)).one().answer == LeftOutcome.CAME
