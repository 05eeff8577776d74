"""Key 3: reporting a city problem: nothing or a whole request, and kept before its number is spoken."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session
from stdnum import damm

from db.engine import connect, reading, writing
from db.models import Category, OutboxKind, OutboxMessage, Request
from hotline.requests import categories
from ivr import final_writes
from ivr.scripts import report
from settings import Settings
from tests import factories as make
from tests.kit.fake_asterisk import (
    CUT,
    HANG_UP,
    LONGEST,
    NO_PROMPT,
    NOTHING_SAID,
    Deed,
    End,
    FakeAsterisk,
    transactions,
)
from tests.kit.process import until

on_sqlite = pytest.mark.parametrize("backend", ["sqlite"])

OWN = "+989131234567"
START, LIGHTS, DISTRICT, SENDS = (
    ("main-menu", "3"),
    ("report-category", "2"),
    ("report-district", "7#"),
    ("report-review", "1"),
)
PATH = ["greeting", "menu-english", "main-menu", "report-category", "report-district", "report-speak"]
TOLD = ["report-recorded", "report-recorded-again", "goodbye"]


def requests(engine: Engine) -> list[Request]:
    with reading(engine) as session:
        return list(session.scalars(select(Request).order_by(Request.id)))


def left_behind(settings: Settings) -> list[str]:
    """Return the files in the folder of messages."""
    folder = settings.messages_dir
    return sorted(file.name for file in folder.iterdir()) if folder.exists() else []


def test_request_is_kept_and_its_number_said_twice(
    asterisk: FakeAsterisk, engine: Engine, settings: Settings
):
    heard = asterisk.dial(START, LIGHTS, DISTRICT, ("recording", "#"), SENDS)

    (kept,) = requests(engine)
    assert (kept.number, kept.category, kept.district, kept.language) == (OWN, 2, 7, "fa")
    assert heard.prompts == [*PATH, "report-review", *TOLD]
    assert heard.clips[heard.clips.index("report-speak") + 1] == "beep"
    assert (settings.messages_dir / kept.voice_message).read_text() == heard.recorded[0].read_text()
    assert left_behind(settings) == [kept.voice_message]
    assert heard.said("report-recorded", tracking=kept.tracking)
    assert heard.said("report-recorded-again", tracking=kept.tracking)
    assert damm.is_valid(kept.tracking)
    assert len(kept.tracking) == 9, "nobody may take it for a ticket number"
    assert heard.finished


@on_sqlite
@pytest.mark.parametrize("category", range(1, 10))
def test_each_category_has_its_key(asterisk: FakeAsterisk, engine: Engine, category: int):
    again = [("after subject-others", "9"), ("after subject-9", "9")] if category == 9 else []
    asterisk.dial(START, ("after subject-others", str(category)), *again, DISTRICT, SENDS)

    assert [kept.category for kept in requests(engine)] == [category]


def switch_off(engine: Engine, category: int) -> None:
    with writing(engine) as session:
        now = categories.Values.of(session.get_one(Category, category))
        categories.change(session, category, replace(now, active=False), who="admin")


@on_sqlite
def test_disabled_category_is_neither_said_nor_chosen(asterisk: FakeAsterisk, engine: Engine):
    switch_off(engine, 2)
    heard = asterisk.dial(START, ("after subject-others", "2"), ("report-category", "3"), DISTRICT, SENDS)

    menu = [
        "report-category",
        "choices",
        "subject-1",
        "subject-3",
        "subject-4",
        "subject-others",
    ]
    assert heard.prompts[3:11] == [*menu, "wrong-key", "report-category"]
    assert [kept.category for kept in requests(engine)] == [3]


@on_sqlite
def test_category_disabled_during_the_call_becomes_other(asterisk: FakeAsterisk, engine: Engine):
    def look() -> None:
        switch_off(engine, 2)

    asterisk.dial(START, LIGHTS, DISTRICT, ("report-speak", look), SENDS)
    assert [kept.category for kept in requests(engine)] == [9]


@on_sqlite
@pytest.mark.parametrize(
    ("keyed", "district"),
    [("1#", 1), ("15#", 15), ("15", 15), ("07#", 7), ("1*3#", 3), ("", None), ("#", None)],
)
def test_the_district_is_keyed_in_or_left_open(
    asterisk: FakeAsterisk, engine: Engine, keyed: str, district: int | None
):
    first, star, rest = keyed.partition("*")
    entries = [("after report-district", first + star), ("after report-district", rest)][: 1 + bool(star)]

    asterisk.dial(START, LIGHTS, *entries, SENDS)

    assert [kept.district for kept in requests(engine)] == [district]


@on_sqlite
def test_unknown_district_is_asked_thrice_and_left_open(asterisk: FakeAsterisk, engine: Engine):
    heard = asterisk.dial(START, LIGHTS, *[("report-district", "16#")] * 3, SENDS)

    assert heard.prompts[4:11] == [*["report-district", "district-invalid"] * 3, "report-speak"]
    assert [kept.district for kept in requests(engine)] == [None]


@on_sqlite
@pytest.mark.parametrize("caller_id", ["", "anonymous", "+4930123456"])
def test_who_gives_no_number_may_report_too(asterisk: FakeAsterisk, engine: Engine, caller_id: str):
    asterisk.dial(START, LIGHTS, DISTRICT, SENDS, caller_id=caller_id)

    assert [kept.number for kept in requests(engine)] == [None]


@on_sqlite
def test_in_english_it_is_kept_as_said_in_english(asterisk: FakeAsterisk, engine: Engine):
    heard = asterisk.dial(("main-menu", "9"), START, LIGHTS, DISTRICT, SENDS)

    (kept,) = requests(engine)
    assert kept.language == "en"
    assert heard.said("report-recorded", language="en", tracking=kept.tracking)


@on_sqlite
def test_it_is_recorded_again_until_the_caller_is_content(
    asterisk: FakeAsterisk, engine: Engine, settings: Settings
):
    heard = asterisk.dial(START, LIGHTS, DISTRICT, ("report-review", "2"), ("report-review", "2"), SENDS)

    assert heard.prompts[5:-3] == ["report-speak", "report-review"] * 3
    assert left_behind(settings) == [requests(engine)[0].voice_message]


@on_sqlite
@pytest.mark.parametrize("keys", ["3", "23"])
def test_who_deletes_it_leaves_nothing_behind(
    asterisk: FakeAsterisk, engine: Engine, settings: Settings, keys: str
):
    heard = asterisk.dial(START, LIGHTS, DISTRICT, *[("report-review", key) for key in keys])

    assert heard.prompts[-2:] == ["report-deleted", "goodbye"]
    assert requests(engine) == []
    assert left_behind(settings) == []
    assert heard.finished


@on_sqlite
def test_failed_recording_is_announced_and_nothing_reported(
    asterisk: FakeAsterisk, engine: Engine, settings: Settings
):
    def spoil() -> None:
        next(settings.messages_dir.iterdir()).write_bytes(b"RIFF")

    heard = asterisk.dial(START, LIGHTS, DISTRICT, ("recording", spoil))

    assert heard.prompts == [*PATH, "report-not-kept", "goodbye"]
    assert (requests(engine), left_behind(settings)) == ([], [])


@on_sqlite
def test_longest_request_is_reviewed_as_any_other(asterisk: FakeAsterisk, engine: Engine):
    heard = asterisk.dial(START, LIGHTS, DISTRICT, ("recording", LONGEST), SENDS)

    assert heard.prompts == [*PATH, "report-review", *TOLD]
    assert len(requests(engine)) == 1


@on_sqlite
def test_less_than_a_second_is_no_report(asterisk: FakeAsterisk, engine: Engine, settings: Settings):
    def spoil() -> None:
        next(settings.messages_dir.iterdir()).write_bytes(b"RIFF" * 2000)

    heard = asterisk.dial(START, LIGHTS, DISTRICT, ("recording", spoil))

    assert heard.prompts == [*PATH, "report-nothing", "goodbye"]
    assert (requests(engine), left_behind(settings)) == ([], [])


@on_sqlite
def test_who_says_nothing_after_the_tone_has_reported_nothing(
    asterisk: FakeAsterisk, engine: Engine, settings: Settings
):
    heard = asterisk.dial(START, LIGHTS, DISTRICT, ("recording", NOTHING_SAID))

    assert heard.prompts == [*PATH, "report-nothing", "goodbye"]
    assert (requests(engine), left_behind(settings)) == ([], [])


@on_sqlite
@pytest.mark.parametrize(
    "answers", [["222"], ["2", "2", "2"], ["7", "7", "7"], [""]], ids=["again", "thrice", "wrong", "silent"]
)
def test_a_report_that_is_not_deleted_is_sent(
    asterisk: FakeAsterisk, engine: Engine, settings: Settings, answers: list[str]
):
    heard = asterisk.dial(START, LIGHTS, DISTRICT, *[("report-review", keys) for keys in answers])

    (kept,) = requests(engine)
    assert heard.prompts[-3:] == TOLD
    assert heard.said("report-recorded", tracking=kept.tracking)
    assert left_behind(settings) == [kept.voice_message] == [heard.recorded[-1].name]
    assert heard.finished


@on_sqlite
def test_a_0_at_the_review_sends_it_and_leads_to_the_operators(
    asterisk: FakeAsterisk, engine: Engine, settings: Settings
):
    heard = asterisk.dial(START, LIGHTS, DISTRICT, ("report-review", "0"), ("operator-choice", "#"))

    assert heard.prompts[-8:-5] == ["report-review", *TOLD[:2]]
    assert heard.prompts[-5:] == [
        "operator-busy",
        "ahead-none",
        "operator-choice",
        "operator-registered",
        "goodbye",
    ]
    assert [kept.voice_message for kept in requests(engine)] == left_behind(settings)


@on_sqlite
@pytest.mark.parametrize(("moment", "keyed"), [("report-category", "0"), ("report-district", "0#")])
def test_a_0_reaches_the_operators_from_every_question(
    asterisk: FakeAsterisk, engine: Engine, settings: Settings, moment: str, keyed: str
):
    steps: list[tuple[str, Deed]] = [LIGHTS, DISTRICT]
    before = [step for step in steps if PATH.index(step[0]) < PATH.index(moment)]

    heard = asterisk.dial(START, *before, (moment, keyed), ("operator-choice", "#"))

    assert heard.prompts[-6:] == [
        moment,
        "operator-busy",
        "ahead-none",
        "operator-choice",
        "operator-registered",
        "goodbye",
    ]
    assert (requests(engine), left_behind(settings)) == ([], [])


@pytest.mark.parametrize("how", [HANG_UP, CUT])
@pytest.mark.parametrize(
    "moment",
    [*PATH[3:], "recording", "report-review", "after report-review", *TOLD],
)
def test_hang_up_keeps_the_request_only_after_speaking(
    asterisk: FakeAsterisk, engine: Engine, settings: Settings, moment: str, how: End
):
    moments = [*PATH, "recording", "report-review", "after report-review", *TOLD]
    steps = [START, LIGHTS, DISTRICT, SENDS]
    before = [step for step in steps if moments.index(step[0]) < moments.index(moment)]
    before = [step for step in before if step[0] not in moment]

    heard = asterisk.dial(*before, (moment, how))

    assert not heard.finished
    kept = requests(engine)
    assert len(kept) == (1 if moments.index(moment) >= moments.index("recording") else 0)
    assert left_behind(settings) == [request.voice_message for request in kept]


@on_sqlite
def test_hang_up_after_speaking_sends_the_number_by_text(asterisk: FakeAsterisk, engine: Engine):
    asterisk.dial(START, LIGHTS, DISTRICT, ("recording", HANG_UP))

    (kept,) = requests(engine)
    with reading(engine) as session:
        (text_message,) = session.scalars(select(OutboxMessage)).all()
        assert (text_message.kind, text_message.request_id, text_message.to) == (
            OutboxKind.REQUEST_REPORTED,
            kept.id,
            OWN,
        )


@on_sqlite
@pytest.mark.parametrize("committed", [False, True])
def test_request_after_a_hang_up_waits_for_the_database(
    asterisk: FakeAsterisk, engine: Engine, monkeypatch: pytest.MonkeyPatch, committed: bool
):
    monkeypatch.setattr(final_writes, "_AGAIN_S", 0.0)
    tried, done = list[int](), list[int]()

    @contextmanager
    def away_at_first(engine: Engine) -> Iterator[Session]:
        tried.append(1)
        lost = OperationalError("", {}, Exception("the connection is lost"))
        if len(tried) == 1 and not committed:
            raise lost
        with writing(engine) as session:
            yield session
        done.append(1)
        if len(tried) == 1:  # its answer is
            raise lost

    monkeypatch.setattr(report, "writing", away_at_first)

    asterisk.dial(START, LIGHTS, DISTRICT, ("recording", HANG_UP))

    until(lambda: len(tried) == 2 and len(done) == 1 + committed, "it is tried again")
    assert len(requests(engine)) == 1


@on_sqlite
def test_failure_with_the_caller_present_is_not_retried(
    asterisk: FakeAsterisk, engine: Engine, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(final_writes, "_AGAIN_S", 0.0)
    tried = list[int]()

    def away(_engine: Engine) -> None:
        tried.append(1)
        raise OperationalError("", {}, Exception("the connection is lost"))

    monkeypatch.setattr(report, "writing", away)

    heard = asterisk.dial(START, LIGHTS, DISTRICT, ("recording", "#"), ("report-review", NO_PROMPT))

    assert heard.variables["HOTLINE_FINISHED"] == "no", "the dialplan asks again"
    assert len(tried) == 1


def test_the_tracking_number_is_kept_before_it_is_spoken(asterisk: FakeAsterisk, database: str):
    kept: list[str] = []

    def look() -> None:
        stranger = connect(database)
        kept.extend(request.tracking for request in requests(stranger))
        stranger.dispose()

    heard = asterisk.dial(START, LIGHTS, DISTRICT, SENDS, ("report-recorded", look))

    assert len(kept) == 1
    assert heard.said("report-recorded", tracking=kept[0])


@on_sqlite
def test_request_by_phone_takes_three_transactions_at_most(asterisk: FakeAsterisk, engine: Engine):
    begun = transactions(engine)
    in_use: set[int] = set()

    asterisk.dial(
        *(START, LIGHTS, DISTRICT, ("recording", lambda: in_use.add(engine.pool.checkedout())), SENDS),
        every_clip=lambda: in_use.add(engine.pool.checkedout()),
    )

    assert len(begun) == 3  # one of them looks whether a caller in danger could be helped
    assert in_use == {0}


def test_thirty_reports_at_once_have_thirty_numbers(asterisk: FakeAsterisk, engine: Engine):
    make.at_once(30, lambda _: asterisk.dial(START, LIGHTS, DISTRICT, SENDS))

    kept = requests(engine)
    assert (
        len({request.tracking for request in kept}) == len({request.voice_message for request in kept}) == 30
    )
