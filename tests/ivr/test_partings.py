"""The last writing takes long: whoever has been told goodbye is let go, and it is done all the same."""

import threading

import pytest
from sqlalchemy import Engine, select

from db.engine import reading, writing
from db.models import Registration
from db.states import Phase
from ivr import partings
from ivr.conversation import Conversation
from tests import factories as make
from tests.kit.fake_asterisk import FakeAsterisk
from tests.kit.process import until

REGISTERS = [("main-menu", "11"), ("ask-subject", "1"), ("message-offer", "#")]


def subject(engine: Engine) -> int | None:
    with reading(engine) as session:
        return session.scalars(select(Registration)).one().subject


@pytest.mark.parametrize("backend", ["sqlite"])  # the line knows no database
@pytest.mark.parametrize("patient_s", [0.0, 60.0])
def test_given_a_slow_writing_after_goodbye_when_it_takes_long_then_the_call_is_over_before_it(
    asterisk: FakeAsterisk, engine: Engine, monkeypatch: pytest.MonkeyPatch, patient_s: float
):
    with writing(engine) as session:
        make.a_round(session, Phase.OPEN)
    monkeypatch.setattr(partings, "_PATIENT_S", patient_s)
    over, keep = threading.Event(), Conversation.leave

    def leave(talk: Conversation) -> None:
        partings.PARTINGS.let_go()
        if not patient_s:
            assert over.wait(30)
        keep(talk)

    monkeypatch.setattr(Conversation, "leave", leave)

    heard = asterisk.dial(*REGISTERS)

    assert heard.finished and heard.prompts[-1] == "goodbye"
    assert subject(engine) == (1 if patient_s else None)
    over.set()
    until(lambda: subject(engine) == 1, "it is kept")


def test_given_a_caller_who_is_gone_when_let_go_then_the_others_are_too(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(partings, "_PATIENT_S", 0.0)
    gone = list[str]()

    class Line:
        def __init__(self, name: str) -> None:
            self.name = name

        def let_go(self) -> None:
            gone.append(self.name)
            raise BrokenPipeError

    waiting = partings.Partings()
    with waiting.wait(Line("one")), waiting.wait(Line("two")):  # type: ignore[arg-type]
        waiting.let_go()
        waiting.let_go()

    assert gone == ["one", "two"]
