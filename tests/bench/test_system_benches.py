"""No bench rots: each that starts a whole system, in brief. In a file of its own, beside the others."""

from pathlib import Path

import pytest

from tests.kit.brief import LAST_LINE, benches, played

pytestmark = pytest.mark.usefixtures("own_environment")


@pytest.mark.parametrize("bench", benches(with_system=True), ids=lambda bench: bench.stem)
def test_system_bench_in_brief_prints_its_table(bench: Path, tmp_path: Path) -> None:
    code, printed = played(bench, tmp_path)
    assert code == 0, "\n".join(printed[-40:])
    assert len(printed) > 2 and printed[-1] == LAST_LINE, printed
