"""The last writing takes long: whoever has been told goodbye is let go, and it is done all the same."""

import threading

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.exc import OperationalError

from db.engine import reading, writing
from db.models import Registration
from db.states import Phase
from ivr import final_writes
from ivr.conversation import Conversation
from tests import factories as make
from tests.kit.fake_asterisk import HANG_UP, End, FakeAsterisk
from tests.kit.process import until

REGISTERS = [("greeting", "11"), ("ask-subject", "1"), ("message-offer", "#")]


def subject(engine: Engine) -> int | None:
    with reading(engine) as session:
        return session.scalars(select(Registration)).one().subject


@pytest.mark.parametrize("backend", ["sqlite"])  # the line knows no database
@pytest.mark.parametrize("patient_s", [0.0, 60.0])
def test_slow_final_write_does_not_keep_the_caller(
    asterisk: FakeAsterisk, engine: Engine, monkeypatch: pytest.MonkeyPatch, patient_s: float
):
    with writing(engine) as session:
        make.a_round(session, Phase.OPEN)
    monkeypatch.setattr(final_writes, "_PATIENT_S", patient_s)
    over, keep = threading.Event(), Conversation.leave

    def leave(talk: Conversation) -> None:
        final_writes.FINAL_WRITES.let_go()
        if not patient_s:
            assert over.wait(30)
        keep(talk)

    monkeypatch.setattr(Conversation, "leave", leave)

    heard = asterisk.dial(*REGISTERS)

    assert heard.finished and heard.prompts[-1] == "goodbye"
    assert subject(engine) == (1 if patient_s else None)
    over.set()
    until(lambda: subject(engine) == 1, "it is kept")


@pytest.mark.parametrize("backend", ["sqlite"])
@pytest.mark.parametrize(
    ("patient_s", "last", "times"),
    [
        pytest.param(60.0, "#", 1, id="there: the dialplan asks them again"),
        pytest.param(0.0, "#", 3, id="let go"),
        pytest.param(60.0, HANG_UP, 3, id="hung up"),
    ],
)
def test_failed_final_write_is_retried_after_the_call(
    asterisk: FakeAsterisk,
    engine: Engine,
    monkeypatch: pytest.MonkeyPatch,
    patient_s: float,
    last: str | End,
    times: int,
):
    with writing(engine) as session:
        make.a_round(session, Phase.OPEN)
    monkeypatch.setattr(final_writes, "_PATIENT_S", patient_s)
    monkeypatch.setattr(final_writes, "_AGAIN_S", 0.0)
    tried, really = list[int](), Conversation.leave

    def leave(talk: Conversation) -> None:
        tried.append(1)
        final_writes.FINAL_WRITES.let_go()
        if len(tried) < 3:
            raise OperationalError("", {}, Exception("locked"))
        really(talk)

    monkeypatch.setattr(Conversation, "leave", leave)

    heard = asterisk.dial(*REGISTERS[:-1], ("message-offer", last))

    assert heard.finished is (patient_s == 0)
    if times > 1:
        until(lambda: subject(engine) == 1, "it is kept")
    assert len(tried) == times


def test_gone_caller_does_not_keep_the_others(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(final_writes, "_PATIENT_S", 0.0)
    gone = list[str]()

    class Line:
        def __init__(self, name: str) -> None:
            self.name = name

        def let_go(self) -> None:
            gone.append(self.name)
            raise BrokenPipeError

    waiting = final_writes.FinalWrites()

    def let_go() -> None:
        waiting.let_go()
        waiting.let_go()

    waiting.finish(Line("one"), lambda: waiting.finish(Line("two"), let_go))  # type: ignore[arg-type]

    assert gone == ["one", "two"]
