"""By which trunk a call goes: the preferred one, the others when it fails, and back as soon as it is well."""

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.engine import now
from db.models import PlacedCall, TrunkState
from hotline.callbacks import toll, trunk_states
from settings import Settings

A, B, C = NAMES = ("first", "second", "third")
_tokens = iter(range(1_000_000))


def placed(session: Session, number: str) -> str:
    token = f"callback-{next(_tokens)}"
    session.add(PlacedCall(token=token, number=number, at=now(session)))
    session.flush()
    return token


def fails(session: Session, name: str, times: int = 3, said: int = 503) -> None:
    """Calls to so many numbers."""
    for time in range(times):
        trunk_states.failed(session, name, placed(session, f"+98913000000{time}"), said)


def later(session: Session, by: timedelta = timedelta(minutes=11)) -> None:
    for row in session.scalars(select(TrunkState)):
        row.next_try_at = row.next_try_at and row.next_try_at - by
    session.flush()


def order(session: Session) -> tuple[str, ...]:
    return trunk_states.order(session, NAMES)


def test_given_trunks_of_which_nothing_is_known_when_a_call_goes_then_in_the_settings_order(
    session: Session,
) -> None:
    assert order(session) == NAMES


def test_given_three_numbers_that_it_refused_in_a_row_when_a_call_goes_then_it_is_the_last(
    session: Session,
) -> None:
    fails(session, A, 2)
    assert order(session) == NAMES
    fails(session, A)
    assert order(session) == (B, C, A)


def test_given_one_number_that_it_refuses_again_and_again_when_a_call_goes_then_it_is_still_the_first(
    session: Session,
) -> None:
    for _ in range(5):
        trunk_states.failed(session, A, placed(session, "+989130000001"), 503)
    assert order(session) == NAMES


def test_given_a_call_that_it_left_without_any_answer_when_the_next_goes_then_it_is_the_last_at_once(
    session: Session,
) -> None:
    fails(session, A, 1, said=0)
    assert order(session) == (B, C, A)


def test_given_calls_that_it_took_between_when_it_refuses_now_and_then_then_it_stays_where_it_is(
    session: Session,
) -> None:
    for _ in range(3):
        fails(session, A, 2)
        trunk_states.worked(session, A)
    assert order(session) == NAMES


def test_given_a_trunk_that_is_down_when_its_pause_is_over_then_one_call_tries_it_first_and_no_other(
    session: Session,
) -> None:
    fails(session, A)
    assert order(session) == (B, C, A)
    later(session)
    assert [order(session) for _ in range(2)] == [NAMES, (B, C, A)]


def test_given_a_call_that_tried_it_when_it_got_through_then_it_is_preferred_again(session: Session) -> None:
    fails(session, A)
    later(session)
    order(session)
    trunk_states.worked(session, A)
    assert order(session) == NAMES
    assert trunk_states.states(session, [A])[A].down_since is None


def test_given_tries_that_fail_when_they_go_on_then_the_pauses_grow_to_a_minute_and_silences_to_ten(
    session: Session,
) -> None:
    def pauses(name: str, said: int) -> list[int]:
        found = []
        fails(session, name, 3, said)
        for _ in range(9):
            row = trunk_states.states(session, [name])[name]
            assert row.next_try_at
            found.append(round((row.next_try_at - now(session)).total_seconds()))
            fails(session, name, 1, said)
        return found

    assert pauses(A, 503)[:6] == [5, 10, 20, 40, 60, 60]
    assert pauses(B, 0)[-1] == 600


def test_given_all_that_are_down_when_a_call_goes_then_it_tries_every_one_of_them_in_their_order(
    session: Session,
) -> None:
    for name in NAMES:
        fails(session, name)
    later(session)
    assert order(session) == NAMES


def test_given_a_trunk_that_answered_when_it_falls_silent_then_no_call_tries_it_until_it_answers_again(
    session: Session,
) -> None:
    trunk_states.answers(session, A, yes=True)
    trunk_states.answers(session, A, yes=False)
    later(session)
    assert order(session) == (B, C, A)
    trunk_states.answers(session, A, yes=True)
    assert order(session) == NAMES


def test_given_a_trunk_that_refused_three_and_fell_silent_when_it_answers_then_one_call_tries_it_at_once(
    session: Session,
) -> None:
    trunk_states.answers(session, A, yes=True)
    fails(session, A)
    trunk_states.answers(session, A, yes=False)
    trunk_states.answers(session, A, yes=True)
    assert [order(session) for _ in range(2)] == [NAMES, (B, C, A)]


def test_given_a_trunk_that_never_answered_when_it_does_not_then_nothing_is_believed_of_it(
    session: Session,
) -> None:
    trunk_states.answers(session, A, yes=False)
    assert order(session) == NAMES
    assert trunk_states.whole(trunk_states.states(session, NAMES), NAMES) is None


def test_given_what_each_answers_when_asked_for_all_then_one_that_does_is_enough(session: Session) -> None:
    def whole() -> bool | None:
        return trunk_states.whole(trunk_states.states(session, NAMES), NAMES)

    for name in NAMES:
        trunk_states.answers(session, name, yes=True)
    for name in NAMES:
        assert whole() is True
        trunk_states.answers(session, name, yes=False)
    assert whole() is False


def test_given_a_trunk_that_is_not_in_the_settings_any_more_when_kept_then_nothing_of_it_is_left(
    session: Session,
) -> None:
    fails(session, A)
    fails(session, B)
    trunk_states.keep(session, [B, C])
    assert session.scalars(select(TrunkState.name)).all() == [B]


def test_given_several_trunks_when_a_call_is_written_down_then_it_is_told_its_order_and_of_one_nothing(
    session: Session, settings: Settings
) -> None:
    only = toll.take(session, "callback-only", "+989131234567", settings)
    assert isinstance(only, toll.CallPermit) and only.trunks == ()
    (one,) = settings.trunks
    several = settings.model_copy(
        update={"trunks": tuple(one.model_copy(update={"name": name}) for name in NAMES)}
    )
    fails(session, A)
    call = toll.take(session, "callback-several", "+989131234568", several)
    assert isinstance(call, toll.CallPermit) and call.trunks == (B, C, A)
