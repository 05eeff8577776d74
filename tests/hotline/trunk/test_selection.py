"""The trunk of a call: the preferred one, another when it fails, and back when it is well."""

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.engine import now
from db.models import PlacedCall, TrunkState
from hotline.trunk import call_caps, selection
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
        selection.record_failure(session, name, placed(session, f"+98913000000{time}"), said)


def later(session: Session, by: timedelta = timedelta(minutes=11)) -> None:
    for row in session.scalars(select(TrunkState)):
        row.next_try_at = row.next_try_at and row.next_try_at - by
    session.flush()


def order(session: Session) -> tuple[str, ...]:
    return selection.order_trunks(session, NAMES)


def test_unknown_trunks_go_in_settings_order(
    session: Session,
) -> None:
    assert order(session) == NAMES


def test_three_refused_numbers_put_a_trunk_last(
    session: Session,
) -> None:
    fails(session, A, 2)
    assert order(session) == NAMES
    fails(session, A)
    assert order(session) == (B, C, A)


def test_number_refused_repeatedly_keeps_the_trunk_first(
    session: Session,
) -> None:
    for _ in range(5):
        selection.record_failure(session, A, placed(session, "+989130000001"), 503)
    assert order(session) == NAMES


def test_call_without_any_answer_puts_the_trunk_last(
    session: Session,
) -> None:
    fails(session, A, 1, said=0)
    assert order(session) == (B, C, A)


def test_successful_calls_between_refusals_keep_the_order(
    session: Session,
) -> None:
    for _ in range(3):
        fails(session, A, 2)
        selection.record_success(session, A)
    assert order(session) == NAMES


def test_trunk_past_its_pause_gets_one_trial_call(
    session: Session,
) -> None:
    fails(session, A)
    assert order(session) == (B, C, A)
    later(session)
    assert [order(session) for _ in range(2)] == [NAMES, (B, C, A)]


def test_successful_trial_restores_the_preference(session: Session) -> None:
    fails(session, A)
    later(session)
    order(session)
    selection.record_success(session, A)
    assert order(session) == NAMES
    assert selection.find_states(session, [A])[A].down_since is None


def test_failed_trials_grow_the_pause_by_kind(
    session: Session,
) -> None:
    def pauses(name: str, said: int) -> list[int]:
        found = []
        fails(session, name, 3, said)
        for _ in range(9):
            row = selection.find_states(session, [name])[name]
            assert row.next_try_at
            found.append(round((row.next_try_at - now(session)).total_seconds()))
            fails(session, name, 1, said)
        return found

    assert pauses(A, 503)[:6] == [5, 10, 20, 40, 60, 60]
    assert pauses(B, 0)[-1] == 600


def test_all_down_trunks_are_tried_in_order(
    session: Session,
) -> None:
    for name in NAMES:
        fails(session, name)
    later(session)
    assert order(session) == NAMES


def test_silent_trunk_is_tried_only_after_it_answers(
    session: Session,
) -> None:
    selection.record_options(session, A, yes=True)
    selection.record_options(session, A, yes=False)
    later(session)
    assert order(session) == (B, C, A)
    selection.record_options(session, A, yes=True)
    assert order(session) == NAMES


def test_answer_of_a_down_trunk_allows_one_trial_at_once(
    session: Session,
) -> None:
    selection.record_options(session, A, yes=True)
    fails(session, A)
    selection.record_options(session, A, yes=False)
    selection.record_options(session, A, yes=True)
    assert [order(session) for _ in range(2)] == [NAMES, (B, C, A)]


def test_trunk_that_never_answered_is_not_judged_by_silence(
    session: Session,
) -> None:
    selection.record_options(session, A, yes=False)
    assert order(session) == NAMES
    assert selection.summarize_answers(selection.find_states(session, NAMES), NAMES) is None


def test_one_answering_trunk_is_enough(session: Session) -> None:
    def whole() -> bool | None:
        return selection.summarize_answers(selection.find_states(session, NAMES), NAMES)

    for name in NAMES:
        selection.record_options(session, name, yes=True)
    for name in NAMES:
        assert whole() is True
        selection.record_options(session, name, yes=False)
    assert whole() is False


def test_removed_trunk_leaves_no_state(
    session: Session,
) -> None:
    fails(session, A)
    fails(session, B)
    selection.delete_others(session, [B, C])
    assert session.scalars(select(TrunkState.name)).all() == [B]


def test_permit_lists_the_trunk_order_only_for_several(session: Session, settings: Settings) -> None:
    only = call_caps.claim_call(session, "callback-only", "+989131234567", settings)
    assert isinstance(only, call_caps.CallPermit) and only.trunks == ()
    (one,) = settings.trunks
    several = settings.model_copy(
        update={"trunks": tuple(one.model_copy(update={"name": name}) for name in NAMES)}
    )
    fails(session, A)
    call = call_caps.claim_call(session, "callback-several", "+989131234568", several)
    assert isinstance(call, call_caps.CallPermit) and call.trunks == (B, C, A)
