"""The citizen's proof: the page of a ticket number tells the truth, and only to who has the number."""

import html
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from httpx import Response
from sqlalchemy import Engine, select

from api import limits
from api.app import create
from db.engine import now, reading, writing
from db.models import Callback, Limit, Registration
from db.states import CallbackState, Fact, HeadsUpAnswer, Outcome, Phase
from hotline import dates
from hotline.callbacks import transitions
from hotline.ledger import entries
from hotline.line import fairness, registration
from hotline.line.fairness import Reason
from hotline.outbound import heads_up, queue
from hotline.rounds import phases
from scheduler import jobs
from settings import Settings
from tests import factories as make
from tests.kit.databases import in_both, on_one  # noqa: F401  (fixture)
from tests.kit.story import REASON, Story, a_live_round, told

PERSIAN = str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")


@pytest.fixture
def conf(settings: Settings) -> Settings:
    return settings.model_copy(update={"max_attempts": 2, "retry_seconds": 3600})


@pytest.fixture
def story(engine: Engine, conf: Settings) -> Story:
    return Story(engine, conf)


@pytest.fixture
def citizen(settings: Settings, engine: Engine) -> Iterator[TestClient]:
    """Somebody with a browser."""
    app = create(settings)
    app.state.guesses = limits.Guesses(
        engine, "guesses", clock=lambda: 0.0
    )  # none comes back, however slow the machine is
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


def ask(citizen: TestClient, ticket: str, language: str = "fa") -> Response:
    return citizen.post("/public/number", params={"lang": language}, data={"ticket": ticket})


def words(answer: Response) -> str:
    """Return the text that a person reads."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", answer.text)).split())


def standing(story: Story, id_: int) -> fairness.Position:
    with reading(story.engine) as session:
        return fairness.find_facts(session, session.get_one(Registration, id_))


def reasons(story: Story, id_: int) -> list[Reason]:
    return [call.reason for call in standing(story, id_).explained]


# The page


def test_page_of_each_ticket_tells_the_truth(story: Story, citizen: TestClient) -> None:
    ids = told(story)
    expected: dict[int, list[str]] = {
        0: ["You have had your conversation", "you passed to the official’s next round", "no answer"],
        1: ["This registration is closed", "it was a wrong number", "gave the place back without a call"],
        2: ["It is your turn now", "already waiting in the last round", "1 others were called; 1 of them"],
        3: ["This registration is cancelled"],
        4: ["number 1 of 6", "2 others were called; 2 of them stood before you", "Nobody passed you"],
        5: ["You have had your conversation"],
        6: ["number 2 of 6"],
        9: ["number 5 of 6"],
        10: ["number 6 of 6", "Your number was confirmed"],
        11: ["Your number is not confirmed yet", "2 others were called; 2 of them stood before you"],
    }
    for which, told_ in expected.items():
        text = words(ask(citizen, story.tickets[ids[which]], "en"))
        for each in told_:
            assert each.lower() in text.lower(), (which, each, text)


@in_both
@pytest.mark.parametrize(
    ("language", "calls", "over"),
    [
        ("en", "It is your turn now", "Your conversation is over, and its outcome is being written down"),
        ("fa", "همین حالا نوبت شماست", "گفت‌وگوی شما پایان یافت و نتیجهٔ آن در حال ثبت است"),
    ],
)
def test_owed_outcome_promises_no_call(
    story: Story, citizen: TestClient, language: str, calls: str, over: str
) -> None:
    story.registers()
    mine = story.called(None)
    with writing(story.engine) as session:
        callback = session.scalars(select(Callback).where(Callback.registration_id == mine)).one()
        callback.state = CallbackState.TALKING
        callback.talking_at = now(session)
    text = words(ask(citizen, story.tickets[mine], language))
    assert calls in text and over not in text
    with writing(story.engine) as session:
        session.get_one(Callback, callback.id).state = CallbackState.ENDED
    text = words(ask(citizen, story.tickets[mine], language))
    assert over in text and calls not in text
    story.ends(callback.token, Outcome.REACHED)
    assert over not in words(ask(citizen, story.tickets[mine], language))


@in_both
def test_unannounced_next_round_is_told_without_a_day(story: Story, citizen: TestClient) -> None:
    waits = story.registers()
    story.goes_on()
    with writing(story.engine) as session:
        round_ = phases.get(session, story.round)
        for moment in ("announce_at", "registration_from", "registration_until", "starts_at", "ends_at"):
            setattr(round_, moment, getattr(round_, moment) + timedelta(days=3))
        assert phases.find_phase(round_, now(session)) is Phase.PLANNED
        starts = round_.starts_at

    answer = ask(citizen, story.tickets[waits], "en")
    assert answer.status_code == 200
    assert "number 1 of 1" in words(answer)
    assert dates.format_day(starts, "en") not in words(answer) and 'class="tag' not in answer.text


def test_persian_digits_show_the_page_in_persian(story: Story, citizen: TestClient) -> None:
    ids = told(story)
    answer = ask(citizen, story.tickets[ids[4]].translate(PERSIAN))
    text = words(answer)
    assert answer.status_code == 200
    assert 'lang="fa" dir="rtl"' in answer.text
    assert "نفر ۱ از ۶ نفر" in text
    assert "در دور پیش هم در انتظار بودید" in text
    assert "کسی از شما جلو نیفتاده است" in text
    assert re.search(r"ثبت‌نام کردید \S+ [۰-۹]+ \S+ ۱۴[۰-۹]{2} ساعت", text)


@in_both
def test_passed_citizen_reads_the_reason_of_a_move_up(story: Story, citizen: TestClient) -> None:
    first, _, third = (story.registers() for _ in range(3))
    story.moves_up(third)
    story.called(Outcome.REACHED)
    assert reasons(story, first) == [Reason.MOVED_UP]
    assert REASON in words(ask(citizen, story.tickets[first]))
    assert "stood before you" in words(ask(citizen, story.tickets[first], "en"))


def test_citizen_awaiting_a_retry_reads_why_others_passed(
    story: Story,
) -> None:
    first, second, third, _ = (story.registers() for _ in range(4))
    assert story.called(None) == first
    assert story.called(Outcome.REACHED, desk=1) == second
    with reading(story.engine) as session:
        assert story.users[0].desk_id
        callback = transitions.find_live_at_desk(session, story.users[0].desk_id)
        assert callback
    story.ends(callback.token, Outcome.BUSY)
    assert story.called(Outcome.REACHED) == third
    assert reasons(story, first) == [Reason.BEING_CALLED, Reason.NOT_DUE]
    assert standing(story, first).before == 0


def test_unconfirmed_or_used_up_place_reads_that_reason(
    story: Story,
) -> None:
    story.conf = story.conf.model_copy(update={"max_attempts": 1, "retry_seconds": 0})
    unconfirmed = story.keyed_in()
    used_up, _ = story.registers(), story.registers()
    assert story.called(Outcome.NO_ANSWER) == used_up
    story.called(Outcome.REACHED)
    assert reasons(story, unconfirmed) == [Reason.UNCONFIRMED] * 2
    assert reasons(story, used_up) == [Reason.USED_UP]


@in_both
def test_deferred_place_says_so_until_the_next_round(story: Story, citizen: TestClient) -> None:
    first, _ = story.registers(), story.registers()
    with writing(story.engine) as session:
        phases.open_round(session, phases.get(session, story.round))
        heads_up.tell(session, 5, call_beyond=0)
        token = make.claim_heads_up(session, first)
        assert token
        heads_up.answer(session, token, HeadsUpAnswer.NEXT_ROUND)
        queue.finish(session, token)
    story.called(Outcome.REACHED)
    assert reasons(story, first) == [Reason.DEFERRED]
    page = words(ask(citizen, story.tickets[first], "en"))
    assert "You asked for the next round. In the same" in page
    assert "You had asked for the next round." in page
    story.goes_on()
    page = words(ask(citizen, story.tickets[first], "en"))
    assert "You are in the line." in page and "number 1 of 1" in page
    assert "You asked for the next round" in page, "among the facts"


@in_both
def test_passed_citizen_reads_that_no_reason_is_recorded(story: Story, citizen: TestClient) -> None:
    first, second = story.registers(), story.registers()
    with writing(story.engine) as session:
        row = session.get_one(Registration, second)
        row.state = "calling"  # type: ignore[assignment]
        session.flush()
        entries.record(session, Fact.CALLED, row, passed=[])
    assert reasons(story, first) == [Reason.NONE]
    assert "no reason is recorded" in words(ask(citizen, story.tickets[first], "en"))


def test_reached_citizen_was_passed_by_nobody(story: Story) -> None:
    first, *_ = (story.registers() for _ in range(3))
    for _ in range(3):
        story.called(Outcome.REACHED)
    assert standing(story, first).called == 0
    assert reasons(story, first) == []


def test_merged_ticket_leads_to_the_older_place(story: Story, citizen: TestClient) -> None:
    number = "+989131234567"
    older = story.registers(number)
    before = story.round
    with writing(story.engine) as session:
        story.round = a_live_round(session, phases.get(session, before).official_id).id
    newer = story.registers(number)
    with writing(story.engine) as session:
        phases.end_round(session, phases.get(session, before))
    jobs.carry_over(story.engine, story.conf)
    text = words(ask(citizen, story.tickets[newer], "en"))
    assert "leads to your earlier registration" in text and "number 1 of 1" in text
    assert "leads to your earlier" not in words(ask(citizen, story.tickets[older], "en"))


def test_pages_hold_nothing_personal_and_are_not_cached(story: Story, citizen: TestClient) -> None:
    ids = [*told(story), story.registers("+989131112233", subject=7)]
    with writing(story.engine) as session:
        registration.describe(session, ids[-1], voice_message="private-message.wav")
    for id_ in ids:
        answer = ask(citizen, story.tickets[id_])
        with reading(story.engine) as session:
            number = session.get_one(Registration, id_).number
        assert answer.status_code == 200
        for personal in (number[-9:], number[-9:].translate(PERSIAN), "private-message"):
            assert personal not in answer.text
        assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "typed, status, says",
    [("", 422, "eight digits"), ("1234567", 422, "eight digits"), ("0000000", 404, "no registration")],
)
def test_wrong_ticket_is_explained_in_the_form(
    citizen: TestClient, typed: str, status: int, says: str
) -> None:
    answer = ask(citizen, typed, "en")
    assert answer.status_code == status
    assert says in words(answer)


def test_ticket_in_the_address_is_ignored(story: Story, citizen: TestClient) -> None:
    ticket = story.tickets[story.registers()]
    answer = citizen.get("/public/number", params={"ticket": ticket})
    assert answer.status_code == 200 and ticket not in answer.text


# The limit on guesses


def test_exhausted_guesses_refuse_the_right_number_too(story: Story, citizen: TestClient) -> None:
    right = story.tickets[story.registers()]
    for _ in range(limits.BURST):
        assert ask(citizen, right).status_code == 200  # right ones cost nothing
        assert ask(citizen, "0000000").status_code == 404
    answer = ask(citizen, right, "en")
    assert answer.status_code == 429
    assert "Try again in" in words(answer)


@in_both
def test_guesses_are_restored_one_by_one(engine: Engine) -> None:
    at = [1000.0]
    guesses = limits.Guesses(engine, "guesses", clock=lambda: at[0])

    def guess(address: str) -> bool:
        try:
            guesses.check(address)
        except limits.Refused:
            return False
        guesses.wrong(address)
        return True

    assert [guess("192.0.2.1") for _ in range(limits.BURST + 1)] == [*[True] * limits.BURST, False]
    assert guess("192.0.2.2")
    at[0] += limits.EVERY_S
    assert [guess("192.0.2.1"), guess("192.0.2.1")] == [True, False]
    assert all(guess(f"2001:db8::{n}") for n in range(limits.BURST))
    assert not guess("2001:db8::ffff")  # the same subscriber
    assert guess("2001:db8:0:1::1")


@in_both
def test_simultaneous_wrong_guesses_all_count(
    engine: Engine,
) -> None:
    at = [1000.0]
    guesses = limits.Guesses(engine, "guesses", clock=lambda: at[0])
    for _ in range(limits.BURST + 3):
        guesses.wrong("192.0.2.1")
    at[0] += 3 * limits.EVERY_S
    with pytest.raises(limits.Refused):
        guesses.check("192.0.2.1")
    at[0] += limits.EVERY_S
    guesses.check("192.0.2.1")


@in_both
def test_clock_set_back_does_not_prolong_the_limit(
    engine: Engine,
) -> None:
    at = [100_000.0]
    guesses = limits.Guesses(engine, "guesses", clock=lambda: at[0])
    for _ in range(limits.BURST):
        guesses.take("192.0.2.1")
    with pytest.raises(limits.Refused):
        guesses.take("192.0.2.1")
    at[0] -= 3600
    guesses.take("192.0.2.1")


@in_both
def test_expired_guesses_are_deleted(engine: Engine, settings: Settings) -> None:
    old, new = (limits.Guesses(engine, "guesses", clock=clock) for clock in (lambda: 1000.0, None))
    old.wrong("192.0.2.1")
    new.wrong("192.0.2.2")
    jobs.forget_calls(engine, settings)
    with reading(engine) as session:
        (kept,) = session.scalars(select(Limit.who))
    assert "192.0.2" not in kept
    new.wrong("192.0.2.2")


# The ledger for everybody


def get(citizen: TestClient, path: str, **query: Any) -> Response:
    return citizen.get(f"/public/ledger/{path}", params=query)


@in_both
def test_ledger_pages_proofs_and_roots_agree(story: Story, citizen: TestClient, engine: Engine) -> None:
    assert get(citizen, "root").json() == {
        "size": 0, "root": None, "sealed_at": None, "seals": [], "next": None,
    }  # fmt: skip
    told(story)
    lines: list[bytes] = []
    while page := get(citizen, "entries", after=len(lines), limit=7).content.splitlines():
        lines += page
    with reading(engine) as session:
        assert lines == [entries.format_canonical(entry) for entry in entries.list_entries(session, 0, 1000)]
    newest = get(citizen, "root").json()
    first, last = newest["seals"]
    assert (newest["size"], newest["root"]) == (last["size"], last["root"]) and last["size"] == len(lines)
    short = get(citizen, "root", limit=1).json()
    assert short["seals"] == [first] and short["next"] == first["size"]
    assert get(citizen, "root", after=short["next"]).json()["seals"] == [last]
    proof = get(citizen, "proof/3").json()
    assert (proof["tree_size"], proof["root_hash"]) == (last["size"], last["root"])
    both = get(citizen, "consistency", **{"from": first["size"], "to": last["size"]}).json()
    assert (both["old_root"], both["new_root"]) == (first["root"], last["root"])


@pytest.mark.parametrize(
    "path, status",
    [
        ("proof/1", 409),
        ("proof/99", 404),
        ("proof/0", 422),
        ("consistency?from=1&to=2", 404),
        ("entries?limit=999999", 422),
        ("root?after=-1", 422),
    ],
)
def test_unanswerable_ledger_query_is_a_problem(
    story: Story, citizen: TestClient, path: str, status: int
) -> None:
    story.registers()
    assert citizen.get(f"/public/ledger/{path}").status_code == status
