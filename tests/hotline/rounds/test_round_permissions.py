"""Permissions in a round: who serves, pauses and ends it, at a page and by a telephone's keys."""

from collections.abc import Callable
from typing import cast

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from db.engine import writing
from db.models import Desk, Role, Round, User
from dialer.keys import Keys
from dialer.tone import Tone
from dialplan.variables import Key
from hotline import audit
from hotline.callbacks import claims, serving
from hotline.errors import Refused
from hotline.rounds import phases, round_permissions
from settings import Settings
from tests.factories import a_desk, a_round, a_user, an_official, some_registrations
from tests.kit.databases import on_one  # noqa: F401  (fixture)


def a_person(session: Session, role: Role, official_id: int | None = None) -> User:
    user = a_user(session, a_desk(session))
    user.role, user.official_id = role, official_id
    session.flush()
    return user


def refusal(act: Callable[[], object]) -> str:
    try:
        act()
    except Refused as refused:
        return refused.code
    return ""


def log(session: Session, round_: Round) -> list[tuple[str, str]]:
    return [(e.who, e.action) for e in audit.search(session, subject=f"round {round_.id}")][::-1]


def of_whom(session: Session, round_: Round) -> dict[str, int | None]:
    """The officials whom a person of the role official may belong to."""
    substitute, deputy, stranger = (an_official(session) for _ in range(3))
    session.flush()
    round_.substitute, round_.deputies = substitute, [deputy]
    session.flush()
    return {
        "own": round_.official_id,
        "substitute": substitute.id,
        "deputy": deputy.id,
        "stranger": stranger.id,
        "none": None,
    }


@pytest.mark.parametrize("whose", ["own", "substitute", "deputy", "stranger", "none"])
def test_official_acts_only_in_own_rounds(session: Session, settings: Settings, whose: str) -> None:
    round_ = a_round(session)
    some_registrations(session, round_, 1)
    user = a_person(session, Role.OFFICIAL, of_whom(session, round_)[whose])
    desk = session.get_one(Desk, user.desk_id)
    theirs = whose in ("own", "substitute", "deputy")

    assert refusal(lambda: serving.serve(session, desk, round_.id, settings)) == (
        "" if theirs else "not-your-round"
    )
    claim = {"round_id": round_.id, "desk_id": desk.id, "user_id": user.id}
    assert refusal(lambda: claims.claim(session, **claim)) == ("" if theirs else "not-your-round")
    assert refusal(lambda: round_permissions.pause(session, round_, user)) == (
        "" if theirs else "not-serving"
    )
    assert refusal(lambda: round_permissions.end(session, round_, user)) == ("" if theirs else "forbidden")
    assert bool(round_.paused_at) == bool(round_.ended_at) == theirs


@pytest.mark.parametrize(
    ("role", "serves", "pauses", "ends"),
    [
        (Role.OPERATOR, True, True, False),
        (Role.SUPERVISOR, True, True, True),
        (Role.ADMINISTRATOR, True, True, True),
        (Role.PUBLIC_RELATIONS, False, True, True),
        (Role.AUDITOR, False, False, False),
    ],
)
def test_each_role_acts_as_the_table_says(
    session: Session, settings: Settings, role: Role, serves: bool, pauses: bool, ends: bool
) -> None:
    round_ = a_round(session)
    user = a_person(session, role)
    assert (not refusal(lambda: round_permissions.end(session, round_, user))) == ends
    round_.ended_at = None
    assert (not refusal(lambda: round_permissions.pause(session, round_, user))) == pauses
    desk = session.get_one(Desk, user.desk_id)
    assert (not refusal(lambda: serving.serve(session, desk, round_.id, settings))) == serves


def test_operator_ends_only_the_served_round(session: Session, settings: Settings) -> None:
    round_, other = a_round(session), a_round(session)
    user = a_person(session, Role.OPERATOR)
    serving.serve(session, session.get_one(Desk, user.desk_id), round_.id, settings)
    assert refusal(lambda: round_permissions.end(session, other, user)) == "forbidden"
    round_permissions.end(session, round_, user)
    assert log(session, round_)[-1] == (user.username, "round-ended")


class SilentTone:
    """Notes what each phone would hear."""

    def __init__(self) -> None:
        self.sounded: list[tuple[str, str]] = []

    def sound(self, phone: str, clip: str) -> None:
        self.sounded.append((phone, clip))


@pytest.fixture
def serving_desk(engine: Engine, settings: Settings) -> tuple[int, int, str]:
    """A desk that serves a round, the round, and the operator's name."""
    with writing(engine) as session:
        round_, user = a_round(session), a_person(session, Role.OPERATOR)
        assert user.desk_id is not None
        serving.serve(session, session.get_one(Desk, user.desk_id), round_.id, settings)
        return user.desk_id, round_.id, user.username


def test_telephone_keys_are_audited_under_the_person(
    engine: Engine, settings: Settings, serving_desk: tuple[int, int, str]
) -> None:
    desk_id, round_id, name = serving_desk
    tone = SilentTone()
    keys = Keys(settings, engine, cast(Tone, tone))
    for key in (Key.PAUSE, Key.PAUSE, Key.PAUSE, Key.NEXT, Key.END_ROUND, Key.END_ROUND):
        keys.pressed(desk_id, key)
    with writing(engine) as session:
        round_ = phases.get(session, round_id)
        assert round_.ended_at and not round_.paused_at
        deeds = ["round-paused", "round-resumed", "round-paused", "round-resumed", "round-ended"]
        assert log(session, round_)[1:] == [(name, deed) for deed in deeds]
    assert not tone.sounded, "no key asks for a second press here"


@pytest.mark.parametrize("role", [None, Role.OFFICIAL, Role.PUBLIC_RELATIONS])
def test_telephone_keys_without_permission_do_nothing(
    engine: Engine, settings: Settings, serving_desk: tuple[int, int, str], role: Role | None
) -> None:
    desk_id, round_id, _ = serving_desk
    with writing(engine) as session:
        user = round_permissions.find_at_desk(session, desk_id)
        assert user is not None
        if role is None:
            user.desk_id = None
        else:
            user.role = role
    tone = SilentTone()
    keys = Keys(settings, engine, cast(Tone, tone))
    keys.pressed(desk_id, Key.PAUSE)
    keys.pressed(desk_id, Key.END_ROUND)
    with writing(engine) as session:
        round_ = phases.get(session, round_id)
        if role is Role.PUBLIC_RELATIONS:  # conducts rounds from wherever it sits
            assert round_.paused_at and round_.ended_at
        else:
            assert not round_.paused_at and not round_.ended_at
    assert not tone.sounded
