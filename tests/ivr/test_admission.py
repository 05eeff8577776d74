"""How many callers are let in at once: fewer while answers are late, all again when they are not."""

import math
import os
import time
from pathlib import Path
from unittest.mock import Mock

import pytest

from ivr.admission import LATE_ANSWER_S, LATE_S, LEAST, Admission


@pytest.fixture
def admission(tmp_path: Path) -> Admission:
    """Up to 200 callers."""
    return Admission(tmp_path / "callers-admitted", 200)


def _second(admission: Admission, *, here: int, waits: int = 50, wait_s: float = 0.02) -> int:
    for _ in range(waits):
        admission.waited(wait_s)
    admission.turn(here)
    return admission.limit


def _written(tmp_path: Path) -> int:
    return int((tmp_path / "callers-admitted").read_text())


def test_answers_in_time_admit_all_callers(admission: Admission, tmp_path: Path):
    assert _second(admission, here=150) == 200 == _written(tmp_path)


def test_late_answers_lower_the_limit_never_to_zero(admission: Admission, tmp_path: Path):
    assert _second(admission, here=100, wait_s=LATE_S * 2) == 100 == _written(tmp_path), (
        "of 125 with those to come"
    )
    assert _second(admission, here=90, wait_s=LATE_S * 2) == 80
    for _ in range(5):
        _second(admission, here=20, wait_s=LATE_S * 2)
    assert admission.limit == LEAST == _written(tmp_path)


def test_later_answers_lower_the_limit_by_more(
    admission: Admission,
):
    assert _second(admission, here=150, wait_s=LATE_S * 1.1) == 166
    assert _second(admission, here=150, wait_s=LATE_S * 10) == 124, "a quarter at most"


def test_late_asterisk_lowers_the_limit_too(
    admission: Admission,
):
    for seconds in (0.001, LATE_ANSWER_S * 2, LATE_ANSWER_S * 2):
        admission.answered(seconds)
    assert _second(admission, here=100, wait_s=0.02) == 100
    for seconds in (0.001, 0.002, LATE_ANSWER_S * 9):
        admission.answered(seconds)
    assert _second(admission, here=100, wait_s=0.02) > 100, "half of its answers came soon"


def test_answers_neither_late_nor_soon_keep_the_limit(admission: Admission):
    _second(admission, here=100, wait_s=LATE_S * 2)
    assert {_second(admission, here=100, wait_s=LATE_S * 0.7) for _ in range(9)} == {100}


def test_second_with_few_callers_counts_those_just_before(
    admission: Admission,
):
    _second(admission, here=150)
    assert _second(admission, here=40, wait_s=LATE_S * 2) == 150


def test_few_late_answers_among_many_keep_the_limit(
    admission: Admission,
):
    for _ in range(40):
        admission.waited(5)
    assert _second(admission, here=150) == 200, "fewer than half"
    assert _second(admission, here=3, waits=6, wait_s=5) == 200, "too few to be a rush: a database that hangs"


def test_limit_recovers_within_half_a_minute_after_a_rush(
    admission: Admission,
):
    for _ in range(20):
        _second(admission, here=90, wait_s=1)
    limits = [_second(admission, here=0, waits=0) for _ in range(30)]
    assert limits == sorted(limits), "step by step"
    assert limits[0] <= LEAST * 1.5
    assert limits[-1] == 200


def test_limit_that_does_not_help_is_lifted_for_a_while(
    admission: Admission,
):
    here, turned_away = 160.0, 0
    while _second(admission, here=int(here), wait_s=0.5) < 200:
        here *= 0.97  # nobody new; a call lasts half a minute
        turned_away += 1
    assert 10 <= turned_away <= 20, "a slow disk is told from a rush within seconds"
    admission.answered(math.inf)  # nor does an Asterisk that says nothing change that
    assert {_second(admission, here=160, wait_s=0.5) for _ in range(59)} == {200}
    assert _second(admission, here=160, wait_s=0.5) == 150, "it may be a rush by now"


def test_silent_asterisk_proves_nothing_about_the_limit(
    admission: Admission,
):
    for here in (160, 120, 90, *([60] * 20)):
        admission.answered(math.inf)
        assert _second(admission, here=here) < 200
    for _ in range(20):  # and then it does, late still
        admission.answered(LATE_ANSWER_S * 7)
        assert _second(admission, here=40) < 200


@pytest.mark.parametrize("carried", [20, 80])
def test_limit_stays_while_a_slow_machine_is_overrun(admission: Admission, carried: int):
    here = 200
    for _ in range(40):
        limit = _second(admission, here=here, wait_s=here / carried)
        assert limit < 200
        here += -max(1, carried // 2) if limit < here else carried


def test_limit_below_the_minimum_is_not_raised(tmp_path: Path):
    few = Admission(tmp_path / "callers-admitted", 5)
    assert _second(few, here=5, wait_s=1) == 5


def test_file_is_fresh_only_while_callers_are_wanted(admission: Admission, tmp_path: Path):
    file = tmp_path / "callers-admitted"
    for wanted, age_s in ((True, 0), (False, time.time()), (True, 0)):
        admission.turn(0, wanted=wanted)
        assert time.time() - file.stat().st_mtime == pytest.approx(age_s, abs=60)
        assert _written(tmp_path) == 200, "without a proxy all are let in"
        os.utime(file, (1000, 1000))


def test_limit_is_written_once_a_full_disk_recovers(
    admission: Admission, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    with monkeypatch.context() as full:
        full.setattr("ivr.admission.replace_file", Mock(side_effect=OSError))
        with pytest.raises(OSError):
            _second(admission, here=150, wait_s=1)
    for _ in range(20):
        _second(admission, here=0)
    assert _written(tmp_path) == 200


def test_unchanged_limit_touches_its_file_and_restores_it(admission: Admission, tmp_path: Path):
    file = tmp_path / "callers-admitted"
    admission.turn(0)
    before = file.stat().st_ino
    admission.turn(0)
    assert file.stat().st_ino == before

    file.unlink()
    admission.turn(0)
    assert _written(tmp_path) == 200
