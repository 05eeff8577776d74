"""The call to a land line whose request is said to be solved: its words, and its keys."""

import pytest
from sqlalchemy import Engine, select, update

from db.engine import now, reading, writing
from db.models import OutboundCall, Request
from db.states import RequestState
from hotline.outbound import queue
from hotline.outbound import solved as solved_call
from hotline.requests import closing, spoken_replies, work
from settings import Settings
from tests import factories as make
from tests.kit.fake_asterisk import CUT, HANG_UP, Deed, End, FakeAsterisk, Heard, transactions

pytestmark = pytest.mark.parametrize("backend", ["sqlite"])  # the queue runs on both

S = RequestState
BEGINS = ["HOTLINE_LANGUAGE=fa", "solved-call-intro"]
END = "HOTLINE_FINISHED=1"


@pytest.fixture
def token(engine: Engine) -> str:
    """The channel of a call that is on its way."""
    with writing(engine) as session:
        request = make.a_request(session, number="+983132221234")
        work.reply(session, request, who="u", reply="چراغ عوض شد")
        session.flush()
        (due,) = queue.list_due(session, solved_call.CALLS, 1)
        placed = queue.claim(session, solved_call.CALLS, due)
        assert placed and placed.token
        return placed.token


def answer(asterisk: FakeAsterisk, token: str, *steps: tuple[str, Deed]) -> Heard:
    """Somebody picks up."""
    return asterisk.dial(*steps, script="solved", channel_id=token, caller_id="137")


def request_of(engine: Engine) -> Request:
    with reading(engine) as session:
        return session.scalars(select(Request)).one()


def call_of(engine: Engine) -> OutboundCall:
    with reading(engine) as session:
        return session.scalars(select(OutboundCall)).one()


def rings_again(engine: Engine) -> str:
    """The call that is due once nobody is on the phone any more; its token."""
    with writing(engine) as session:
        session.execute(update(OutboundCall).values(due_at=now(session)))
        (due,) = queue.list_due(session, solved_call.CALLS, 1)
        placed = queue.claim(session, solved_call.CALLS, due)
    assert placed and placed.token
    return placed.token


def spoken(engine: Engine, settings: Settings) -> str:
    """The scheduler has spoken the reply; the name of its file."""
    request = request_of(engine)
    settings.replies_dir.mkdir(parents=True, exist_ok=True)
    spoken_replies.find_sound_path(settings.replies_dir, request.id).with_suffix(".alaw").write_bytes(
        b"\xd5" * 800
    )
    with writing(engine) as session:
        spoken_replies.record_spoken(session, request.id, request.reply)
    return str(request.id)


@pytest.mark.parametrize(
    ("key", "said", "state"), [("1", "request-thanks", S.CLOSED), ("2", "request-again", S.REOPENED)]
)
def test_key_is_saved_before_it_is_confirmed(
    asterisk: FakeAsterisk, engine: Engine, token: str, key: str, said: str, state: RequestState
) -> None:
    heard = answer(asterisk, token, ("solved-call-question", key), ("request-satisfaction", "5"))
    rated = ["request-satisfaction", "request-rated"]
    assert heard.order == [*BEGINS, "solved-call-question", said, *rated, "solved-call-goodbye", END]
    assert request_of(engine).state is state


def test_spoken_reply_is_read_before_the_question(
    asterisk: FakeAsterisk, engine: Engine, settings: Settings, token: str
) -> None:
    file = spoken(engine, settings)
    heard = answer(asterisk, token, ("solved-call-question", "1"))
    assert heard.clips[:4] == ["solved-call-intro", "request-reply", file, "solved-call-question"]


def test_voicemail_changes_nothing_and_hears_how_to_answer(
    asterisk: FakeAsterisk, engine: Engine, token: str
) -> None:
    heard = answer(asterisk, token)
    assert heard.order[-2:] == ["solved-call-later", END]
    assert request_of(engine).state is S.REPLIED
    assert call_of(engine).answered_at


@pytest.mark.parametrize("how", [HANG_UP, CUT])
@pytest.mark.parametrize(("moment", "told"), [("solved-call-intro", False), ("solved-call-question", True)])
def test_hang_up_counts_as_told_only_after_the_news(
    asterisk: FakeAsterisk, engine: Engine, token: str, moment: str, told: bool, how: End
) -> None:
    assert not answer(asterisk, token, (moment, how)).finished
    assert (call_of(engine).answered_at is not None) is told


@pytest.mark.parametrize("when", ["before it rings", "while it is read"])
def test_answer_by_another_way_stands(asterisk: FakeAsterisk, engine: Engine, token: str, when: str) -> None:
    def by_app() -> None:
        with writing(engine) as session:
            closing.answer(session, request_of(engine).id, solved=False)

    steps: list[tuple[str, Deed]] = []
    if when == "before it rings":
        by_app()
    else:
        steps = [("solved-call-question", by_app), ("solved-call-question", "1")]
    heard = answer(asterisk, token, *steps)
    assert heard.order[-3:] == ["request-answered", "solved-call-goodbye", END]
    assert request_of(engine).state is S.REOPENED


@pytest.mark.parametrize(
    ("caller_says", "intro", "key", "state"),
    [
        (True, "solved-call-yes", "1", S.CLOSED),
        (True, "solved-call-yes", "2", S.REOPENED),
        (False, "solved-call-no", "1", S.CLOSED),
        (False, "solved-call-no", "2", S.REOPENED),
    ],
)
@pytest.mark.parametrize("in_parts", [False, True])
def test_land_line_has_the_last_word_on_what_a_caller_said(
    asterisk: FakeAsterisk,
    engine: Engine,
    token: str,
    caller_says: bool,
    intro: str,
    key: str,
    state: S,
    in_parts: bool,
) -> None:
    if in_parts:
        whole = request_of(engine)
        with writing(engine) as session:
            make.a_request(session, S.REPLIED, number=None, part_of_id=whole.id)
    with writing(engine) as session:
        solved_call.hear(session, token, call_of(engine).due_at)
        queue.finish(session, token)
    asterisk.dial(
        *(("main-menu", "2"), ("request-question", "1" if caller_says else "2")), caller_id="03132221234"
    )
    token = rings_again(engine)

    heard = answer(asterisk, token, ("solved-call-question", key))

    assert heard.prompts[:2] == [intro, "solved-call-question"]
    with reading(engine) as session:
        states = session.scalars(select(Request.state).order_by(Request.id)).all()
    assert states == ([S.SPLIT if state is S.REOPENED else state, state] if in_parts else [state])
    with writing(engine) as session:
        queue.finish(session, token)
        assert queue.list_due(session, solved_call.CALLS, 1) == []


@pytest.mark.parametrize("ends", ["rejected", "with its original", "by the office"])
def test_land_line_is_told_how_its_report_has_ended(
    asterisk: FakeAsterisk, engine: Engine, ends: str
) -> None:
    with writing(engine) as session:
        request = make.a_request(session, number="+983132221234")
        if ends == "rejected":
            closing.reject(session, request, who="u", reason="کار شهرداری نیست")
        elif ends == "by the office":
            work.reply(session, request, who="u", reply="چراغ عوض شد")
            closing.answer(session, request.id, solved=True, who="operator")
        else:
            original = make.a_request(session)
            work.reply(session, original, who="u", reply="چراغ عوض شد")
            closing.answer(session, original.id, solved=True)
            closing.merge(session, request.id, original.id, who="u")
    token = rings_again(engine)

    heard = answer(asterisk, token)

    tells = {
        "rejected": ["solved-call-ended", "request-rejected"],
        "with its original": ["solved-call-ended", "request-closed"],
        "by the office": ["solved-call-office-yes"],
    }
    assert heard.prompts == [*tells[ends], "solved-call-goodbye"]
    with writing(engine) as session:
        queue.finish(session, token)
        session.execute(update(OutboundCall).values(due_at=now(session)))
        assert queue.list_due(session, solved_call.CALLS, 1) == []


@pytest.mark.parametrize("token", ["solved-unknown", "callback-1", ""])
def test_unrequested_call_says_nothing(asterisk: FakeAsterisk, token: str) -> None:
    assert not answer(asterisk, token).finished


def test_no_transaction_is_open_while_the_call_speaks(
    asterisk: FakeAsterisk, engine: Engine, token: str
) -> None:
    begun = transactions(engine)
    in_use: set[int] = set()
    asterisk.dial(
        ("solved-call-question", "1"),
        script="solved",
        channel_id=token,
        every_clip=lambda: in_use.add(engine.pool.checkedout()),
    )
    assert len(begun) == 3
    assert in_use == {0}
    with reading(engine) as session:
        assert call_of(engine).answered_at <= now(session)  # type: ignore[operator]
