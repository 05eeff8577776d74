"""No bench rots: each that needs no whole system, in brief. A new one is here by being in bench/."""

from pathlib import Path

import pytest

from tests.kit.brief import LAST_LINE, benches, played

pytestmark = pytest.mark.usefixtures("own_environment")


@pytest.mark.parametrize("bench", benches(with_system=False), ids=lambda bench: bench.stem)
def test_bench_in_brief_prints_its_table(bench: Path, tmp_path: Path) -> None:
    code, printed = played(bench, tmp_path)
    assert code == 0, "\n".join(printed[-40:])
    assert len(printed) > 2 and printed[-1] == LAST_LINE, printed


@pytest.mark.parametrize(
    "rotten",
    [
        "from tests.kit.gone import nothing",
        "brief.must_hold(False, 'each caller registers')",
        "import sys; sys.exit('it gave up')",
    ],
)
def test_broken_bench_in_brief_fails(rotten: str, tmp_path: Path) -> None:
    bench = tmp_path / "bench.py"
    bench.write_text(f"from tests.kit import brief\ndef main():\n    {rotten}\nbrief.play(main)\n")
    code, printed = played(bench, tmp_path)
    assert code == 1
    assert printed[-1] != LAST_LINE


def test_missed_goal_in_brief_is_no_failure(tmp_path: Path) -> None:
    bench = tmp_path / "bench.py"
    bench.write_text("from tests.kit import brief\nbrief.play(lambda: 1)\n")
    assert played(bench, tmp_path) == (0, [LAST_LINE])
