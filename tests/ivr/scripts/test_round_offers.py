"""Which rounds are offered to a caller, and who speaks in them."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from db.engine import now, writing
from db.models import OfficialKind, Round
from db.states import CallbackState, Phase
from hotline.line import confirmation_calls
from hotline.rounds import planning
from tests import factories as make
from tests.ivr.scripts.registering import DEPUTY, MAYOR, START, TOLD, YES
from tests.ivr.scripts.two_rounds import ASKED, at, of_round
from tests.kit.fake_asterisk import FakeAsterisk

# --- languages, and who speaks ---


@pytest.mark.parametrize(
    ("spoken", "caller", "warned"),
    [
        ("fa", "en", True),
        ("en", "fa", True),
        ("fa", "fa", False),
        ("fa,en", "en", False),
        ("fa,en", "fa", False),
    ],
)
def test_other_language_of_the_official_is_announced_first(
    asterisk: FakeAsterisk, engine: Engine, spoken: str, caller: str, warned: bool
) -> None:
    with writing(engine) as session:
        make.a_round(session, Phase.OPEN).languages = spoken
    switch = [("main-menu", "9")] if caller == "en" else []

    heard = asterisk.dial(*switch, *YES)

    assert heard.prompts[-8:] == TOLD + ASKED, "and goes on"
    assert ("speaks-other-language" in heard.prompts) is warned
    if warned:
        assert heard.said("speaks-other-language", language=caller)
        assert heard.prompts.index("speaks-other-language") < heard.prompts.index("confirm-number")


SUBSTITUTE = "office-deputy-urban-planning"


def substituted(session: Session, round_: Round) -> None:
    deputies = [make.an_official(session) for _ in range(2)]
    for deputy, clip in zip(deputies, (SUBSTITUTE, "office-deputy-urban-services"), strict=True):
        deputy.kind, deputy.clip = OfficialKind.DEPUTY, clip
    round_.substitute, round_.deputies = deputies[0], [deputies[1]]


def test_substitute_is_announced_as_the_speaker(asterisk: FakeAsterisk, engine: Engine) -> None:
    with writing(engine) as session:
        substituted(session, make.a_round(session, Phase.OPEN))

    heard = asterisk.dial(*YES)

    assert heard.prompts[3:6] == ["round-when", "substitute-speaks", "confirm-number"]
    assert heard.said("substitute-speaks", office=SUBSTITUTE)
    offices = [clip for clip in heard.clips if clip.startswith("office-")]
    assert offices == ["office-mayor", SUBSTITUTE]


def test_callback_names_the_substitute(asterisk: FakeAsterisk, engine: Engine) -> None:
    with writing(engine) as session:
        callback = make.a_callback(session, CallbackState.DIALING)
        substituted(session, session.get_one(Round, callback.registration.round_id))

    heard = asterisk.dial(
        ("after callback-press-one", "1"), script="callback", channel_id=callback.token, caller_id="137"
    )

    assert heard.said("callback-press-one", office=SUBSTITUTE)
    assert {clip for clip in heard.clips if clip.startswith("office-")} == {SUBSTITUTE}


def test_confirmation_call_names_the_substitute(asterisk: FakeAsterisk, engine: Engine) -> None:
    with writing(engine) as session:
        round_ = make.a_round(session)
        substituted(session, round_)
        taken = confirmation_calls.take_up(session, make.keyed_in(session, round_).id)
        assert taken and taken.token

    heard = asterisk.dial(
        ("confirm-call-press-one", "1"), script="confirm", channel_id=taken.token, caller_id="137"
    )

    assert heard.said("confirm-call-intro", office=SUBSTITUTE)


def closed_but_live(session: Session) -> Round:
    """A round that was opened, whose registration has ended."""
    round_ = make.a_round(session, Phase.LIVE)
    round_.registration_until = now(session) - timedelta(minutes=1)
    return round_


NOT_OFFERED: dict[str, Callable[[Session], Round]] = {
    "live, registration over": closed_but_live,
    **{
        str(phase): lambda session, phase=phase: make.a_round(session, phase)  # type: ignore[misc]
        for phase in (Phase.PLANNED, Phase.CLOSED, Phase.OVER, Phase.CANCELLED)
    },
}


# --- what is never offered ---


@pytest.mark.parametrize("name", NOT_OFFERED)
def test_round_that_takes_nobody_is_not_offered(asterisk: FakeAsterisk, engine: Engine, name: str) -> None:
    with writing(engine) as session:
        NOT_OFFERED[name](session)

    heard = asterisk.dial(START, ("main-menu", "3"))

    assert heard.prompts[3:6] == ["no-round-open", "main-menu", "report-category"]


@pytest.mark.parametrize("name", NOT_OFFERED)
def test_open_round_alone_is_offered_beside_a_closed_one(
    asterisk: FakeAsterisk, engine: Engine, name: str
) -> None:
    with writing(engine) as session:
        hidden, open_ = NOT_OFFERED[name](session), make.a_round(session, Phase.OPEN)
        hidden.official.kind, open_.official.kind = MAYOR, DEPUTY

    heard = asterisk.dial(*YES)

    assert heard.prompts[3] == "round-when"
    assert heard.prompts[-8:] == TOLD + ASKED
    assert len(of_round(engine, open_)) == 1


def test_next_public_round_is_told_when_none_is_open(asterisk: FakeAsterisk, engine: Engine) -> None:
    with writing(engine) as session:
        cancelled, planned, coming = (
            make.a_round(session, phase) for phase in (Phase.ANNOUNCED, Phase.PLANNED, Phase.ANNOUNCED)
        )
        planned.registration_from -= timedelta(minutes=5)
        planned.announce_at = planned.registration_from
        planning.cancel(session, cancelled, who="command line", reason="سفر")
        coming.official.clip = SUBSTITUTE

    heard = asterisk.dial(START, ("main-menu", "3"))

    assert heard.prompts[3:6] == ["next-round-when", "registration-opens", "main-menu"]
    assert heard.said("next-round-when", office=SUBSTITUTE, **at(coming.starts_at))
