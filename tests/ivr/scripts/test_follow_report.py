"""Key 2: what became of a reported problem; the citizen says whether it is solved."""

import pytest
from sqlalchemy import Engine, select

from db.engine import reading, writing
from db.models import OutboxMessage, Rating, Request
from db.states import RequestState
from hotline import dates
from hotline.citizens import erasure
from hotline.requests import closing, lifecycle, spoken_replies, work
from hotline.requests.public import publications
from scheduler import wording
from settings import Settings
from tests import factories as make
from tests.kit.fake_asterisk import CUT, HANG_UP, End, FakeAsterisk, transactions

S = RequestState
OWN = "+989131234567"
STRANGER = "09139999999"
ASKED = ["greeting", "menu-english", "main-menu", "follow-up-ask"]
MINE = ["greeting", "menu-english", "main-menu", "request-own"]

pytestmark = pytest.mark.parametrize("backend", ["sqlite"])  # asked simple questions


def a_report(engine: Engine, state: RequestState = S.REPLIED, number: str | None = OWN) -> Request:
    with writing(engine) as session:
        values = {} if number else {"call_id": "1.137"}  # by telephone, with a withheld number
        return make.a_request(session, state, number=number, **values)


def rated(engine: Engine) -> list[int]:
    with reading(engine) as session:
        return list(session.scalars(select(Rating.stars)))


def kept(engine: Engine, request: Request) -> Request:
    with reading(engine) as session:
        return session.get_one(Request, request.id)


@pytest.mark.parametrize("state", sorted(set(S) - {S.DUPLICATE}))
def test_stranger_with_the_number_hears_the_state_alone(
    asterisk: FakeAsterisk, engine: Engine, state: RequestState
):
    report = a_report(engine, state)
    begun = transactions(engine)

    heard = asterisk.dial(("main-menu", "2"), ("follow-up-ask", report.tracking), caller_id=STRANGER)

    said = S.ACCEPTED if state is S.SPLIT else state  # nobody hears of its parts
    assert heard.prompts == [*ASKED, f"request-{said}", "goodbye"]
    assert heard.finished
    assert len(begun) == 2


@pytest.mark.parametrize(
    ("key", "said", "state", "denials"),
    [("1", "request-thanks", S.CLOSED, 0), ("2", "request-again", S.REOPENED, 1), ("#", None, S.REPLIED, 0)],
)
def test_citizen_with_the_number_says_whether_it_is_solved(
    asterisk: FakeAsterisk, engine: Engine, key: str, said: str | None, state: RequestState, denials: int
):
    report = a_report(engine, number=None)
    begun = transactions(engine)

    heard = asterisk.dial(
        ("main-menu", "2"), ("follow-up-ask", report.tracking + "#"), ("request-question", key)
    )

    told = [said, "request-satisfaction"] if said else []
    assert heard.prompts == [*ASKED, "request-replied", "request-question", *told, "goodbye"]
    assert len(begun) == (3 if said else 2)
    assert (kept(engine, report).state, kept(engine, report).denials) == (state, denials)


@pytest.mark.parametrize("caller_id", [STRANGER, "anonymous"])
@pytest.mark.parametrize("how", ["by a program", "deleted citizen", "released", "released before"])
def test_report_of_nobody_is_answered_by_no_caller(
    asterisk: FakeAsterisk, engine: Engine, how: str, caller_id: str
):
    withheld = "released" in how
    with writing(engine) as session:
        report = make.a_request(
            session,
            S.REPLIED,
            number=None if how != "deleted citizen" else OWN,
            call_id="1.137" if withheld else None,
        )
    with writing(engine) as session:
        if how == "deleted citizen":
            erasure.delete_citizen(session, OWN, who="u", give_up=True)
        if withheld:
            publications.release(session, report.id, text="چراغ", shown=[], with_point=False, who="u")
        if how == "released before":
            publications.withdraw(session, report.id, who="u")

    heard = asterisk.dial(("main-menu", "2"), ("follow-up-ask", report.tracking), caller_id=caller_id)

    assert heard.prompts[-2:] == ["request-replied", "goodbye"]
    assert kept(engine, report).state is S.REPLIED


def test_the_citizens_own_number_is_enough(asterisk: FakeAsterisk, engine: Engine):
    report = a_report(engine)
    begun = transactions(engine)

    heard = asterisk.dial(("main-menu", "2"), ("request-question", "2"), caller_id=OWN)

    assert heard.prompts == [
        *MINE,
        "request-replied",
        "request-question",
        "request-again",
        "request-satisfaction",
        "goodbye",
    ]
    assert len(begun) == 2
    assert kept(engine, report).state is S.REOPENED


@pytest.mark.parametrize(("key", "word"), [("1", "نه"), ("2", "بله")])
def test_answer_by_caller_id_is_texted_to_the_number(
    asterisk: FakeAsterisk, engine: Engine, key: str, word: str
):
    report = a_report(engine)

    asterisk.dial(("main-menu", "2"), ("request-question", key), caller_id=OWN)

    with reading(engine) as session:
        (message,) = session.scalars(select(OutboxMessage)).all()
        sent = wording.find_words(session, message)
    tracking = dates.format_digits(report.tracking, "fa")
    assert sent and sent.to == OWN and f"«{tracking} {word}»" in sent.text


def test_who_said_yes_before_is_not_asked_first(asterisk: FakeAsterisk, engine: Engine):
    report = a_report(engine)
    asterisk.dial(("main-menu", "2"), ("request-question", "1"), caller_id=OWN)
    with writing(engine) as session:
        make.a_registration(session, make.a_round(session), number=OWN)

    heard = asterisk.dial(("main-menu", "2"), ("follow-up-menu", "#"), caller_id=OWN)

    assert heard.prompts[3] == "active-registration"
    with reading(engine) as session:
        assert lifecycle.find_progress(session, session.get_one(Request, report.id)).said_yes


def test_waiting_citizen_answers_the_request_before_the_place(asterisk: FakeAsterisk, engine: Engine):
    report = a_report(engine)
    with writing(engine) as session:
        make.a_registration(session, make.a_round(session), number=OWN)

    heard = asterisk.dial(("main-menu", "2"), ("request-question", "1"), caller_id=OWN)

    place = ["active-registration", "status-waiting", "ahead-none", "round-has-begun"]
    assert heard.prompts == [
        *MINE,
        "request-replied",
        "request-question",
        "request-noted",
        "request-satisfaction",
        *place,
        "goodbye",
    ]
    assert kept(engine, report).state is S.REPLIED

    a_report(engine)
    heard = asterisk.dial(
        ("main-menu", "2"), ("request-question", "#"), ("follow-up-menu", "#"), caller_id=OWN
    )
    assert heard.prompts[6:8] == ["active-registration", "status-waiting"]


def test_who_waits_in_a_line_hears_of_a_report_only_when_asked(asterisk: FakeAsterisk, engine: Engine):
    a_report(engine, S.REFERRED)
    with writing(engine) as session:
        make.a_registration(session, make.a_round(session), number=OWN)

    heard = asterisk.dial(("main-menu", "2"), ("follow-up-menu", "#"), caller_id=OWN)

    assert heard.prompts[3] == "active-registration"


def test_owner_hears_the_request_and_may_ask_about_another(asterisk: FakeAsterisk, engine: Engine):
    a_report(engine, S.REFERRED)
    other = a_report(engine, S.CLOSED, number=None)

    heard = asterisk.dial(
        *(("main-menu", "2"), ("request-menu", "1"), ("follow-up-ask", other.tracking)), caller_id=OWN
    )

    assert heard.prompts == [
        *(*MINE, "request-referred", "request-menu", "follow-up-ask", "request-closed", "goodbye"),
    ]
    heard = asterisk.dial(("main-menu", "2"), ("request-menu", "#"), caller_id=OWN)
    assert heard.prompts == [*MINE, "request-referred", "request-menu", "goodbye"]


def test_citizen_of_a_duplicate_hears_the_first_requests_state(asterisk: FakeAsterisk, engine: Engine):
    first, second = a_report(engine, S.NEW, number=None), a_report(engine, S.NEW, number=None)
    with writing(engine) as session:
        closing.merge(session, second.id, first.id, who="u")
        work.reply(session, lifecycle.get(session, first.id), who="u", reply="ترمیم شد")

    heard = asterisk.dial(("main-menu", "2"), ("follow-up-ask", second.tracking))

    assert heard.prompts == [*ASKED, "request-joined", "request-replied", "goodbye"]


def test_retry_after_an_unknown_number_takes_three_transactions(asterisk: FakeAsterisk, engine: Engine):
    report = a_report(engine, number=None)
    unknown = make.a_ticket()
    begun = transactions(engine)

    heard = asterisk.dial(("main-menu", "2"), ("follow-up-ask", unknown), ("follow-up-ask", report.tracking))

    assert heard.prompts == [*ASKED, "ticket-invalid", "follow-up-ask", "request-replied", "goodbye"]
    assert len(begun) == 3


def test_answer_after_another_answer_is_reported(asterisk: FakeAsterisk, engine: Engine):
    report = a_report(engine, number=None)

    def answered() -> None:
        with writing(engine) as session:
            closing.answer(session, report.id, solved=False)

    heard = asterisk.dial(
        *(("main-menu", "2"), ("follow-up-ask", report.tracking)),
        *(("request-question", answered), ("after request-question", "1")),
    )

    assert heard.prompts[-2:] == ["request-answered", "goodbye"]
    assert kept(engine, report).state is S.REOPENED


@pytest.mark.parametrize("how", [HANG_UP, CUT])
@pytest.mark.parametrize("moment", ["request-own", "request-replied", "request-question"])
def test_whoever_hangs_up_has_said_nothing(asterisk: FakeAsterisk, engine: Engine, moment: str, how: End):
    report = a_report(engine)

    heard = asterisk.dial(("main-menu", "2"), (moment, how), caller_id=OWN)

    assert heard.prompts[-1] == moment
    assert not heard.finished
    assert kept(engine, report).state is S.REPLIED


def test_silence_is_no_answer(asterisk: FakeAsterisk, engine: Engine):
    report = a_report(engine)

    heard = asterisk.dial(("main-menu", "2"), caller_id=OWN)

    assert heard.prompts[-2:] == ["ticket-again", "goodbye"]
    assert kept(engine, report).state is S.REPLIED


def test_spoken_reply_is_played_before_the_question(
    asterisk: FakeAsterisk, engine: Engine, settings: Settings
) -> None:
    report = a_report(engine)
    file = spoken_replies.find_sound_path(settings.replies_dir, report.id)
    file.parent.mkdir()
    file.with_suffix(".alaw").write_bytes(b"\xd5" * 800)
    with writing(engine) as session:
        spoken_replies.record_spoken(session, report.id, report.reply)

    heard = asterisk.dial(("main-menu", "2"), ("request-question", "1"), caller_id=OWN)
    read = ["request-own", "request-replied", "request-reply", file.name, "request-question"]
    assert heard.clips[heard.clips.index("request-own") :] == [
        *read,
        "request-noted",
        "request-satisfaction",
        "goodbye",
    ]


def test_missing_sound_of_a_reply_does_not_end_the_call(asterisk: FakeAsterisk, engine: Engine) -> None:
    report = a_report(engine)
    with writing(engine) as session:
        spoken_replies.record_spoken(session, report.id, report.reply)

    heard = asterisk.dial(("main-menu", "2"), ("request-question", "1"), caller_id=OWN)
    said = ["request-question", "request-noted", "request-satisfaction", "goodbye"]
    assert heard.prompts == [*MINE, "request-replied", *said]


@pytest.mark.parametrize(
    ("key", "stars", "said"), [("4", [4], ["request-rated"]), ("#", [], []), ("", [], [])]
)
def test_satisfaction_question_may_be_skipped(
    asterisk: FakeAsterisk, engine: Engine, key: str, stars: list[int], said: list[str]
) -> None:
    report = a_report(engine)
    steps = [("main-menu", "2"), ("request-question", "1"), ("request-satisfaction", key)]
    heard = asterisk.dial(*steps, caller_id=OWN)
    assert heard.prompts[-len(said) - 2 :] == ["request-satisfaction", *said, "goodbye"]
    assert kept(engine, report).state is S.REPLIED
    assert rated(engine) == stars


@pytest.mark.parametrize("how", [HANG_UP, CUT])
def test_hang_up_at_the_satisfaction_question_keeps_the_answer(
    asterisk: FakeAsterisk, engine: Engine, how: End
) -> None:
    report = a_report(engine)
    steps = [("main-menu", "2"), ("request-question", "1"), ("request-satisfaction", how)]
    asterisk.dial(*steps, caller_id=OWN)
    assert kept(engine, report).state is S.REPLIED
    assert rated(engine) == []
