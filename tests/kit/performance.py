"""The one table of `make bench`: what each row's bench has measured, beside its anchor and its goal.

`python -m tests.kit.performance` plays every bench, shows what it prints, and writes the table of
docs/measured.md. With names of benches it plays only those, and keeps the other rows as they were. A bench
says a row's figure by `measured`; a row that no bench says is listed as not measured. The figures between
two runs are in docs/measured.json.
"""

import json
import os
import platform
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

_PROJECT = Path(__file__).parent.parent.parent
_FIGURES = "BENCH_FIGURES"
"""Names the file to which a bench adds a line for each figure."""
_KEPT = _PROJECT / "docs" / "measured.json"
_BEGIN, _END = "<!-- table -->", "<!-- /table -->"
_PAGE = _PROJECT / "docs" / "measured.md"


@dataclass(frozen=True)
class Row:
    """A goal: at most, or at least, so much."""

    what: str
    anchor: str
    unit: str
    goal: float
    at_least: bool = False

    def reaches(self, value: float) -> bool:
        """Whether this figure does."""
        return value >= self.goal if self.at_least else value <= self.goal


@dataclass(frozen=True)
class Figure:
    """A measurement of a row: the `value` that its goal is compared with, its time and place."""

    row: str
    value: float
    ours: str
    anchor: str
    bench: str
    at: str
    machine: str


ROWS: Mapping[str, Row] = {
    "registrations-100": Row(
        "registrations by real calls, 100/s", "the same dialplan without AGI", "of it", 0.95, True
    ),
    "registrations-150": Row("the same, 150/s", "the same dialplan without AGI", "of it", 0.95, True),
    "registrations-200": Row("the same, 200/s", "the same dialplan without AGI", "of it", 0.9, True),
    "overload": Row(
        "registrations/s, twice the calls that are carried", "what is carried", "of it", 0.95, True
    ),
    "call-listens": Row("CPU of a registration, who listens", "Asterisk's of the same call", "of it", 0.10),
    "call-hurried": Row("CPU of a registration, hurried", "Asterisk's of the same call", "of it", 0.20),
    "callers-at-once": Row(
        "callers in progress, clean sound", "1.85 ms of a core per playing second", "calls", 500, True
    ),
    "key-300-median": Row("key → next sound at 300 calls, median", "58 ms to hear anything", "ms", 5),
    "key-300-99": Row("key → next sound at 300 calls, 99 of 100", "58 ms to hear anything", "ms", 25),
    "key-500-median": Row("key → next sound at 500 calls, median", "58 ms to hear anything", "ms", 5),
    "key-500-99": Row("key → next sound at 500 calls, 99 of 100", "58 ms to hear anything", "ms", 25),
    "next": Row("«next» → both hear, median", "58 ms to hear anything", "ms", 100),
    "next-listens": Row("«next» → both hear, the citizen listens, recorded", "a round that is not", "s", 8),
    "claims": Row("claims in strict order, PostgreSQL", "the bare statement", "of it", 0.5, True),
    "claims-procrastinate": Row(
        "claims in strict order, PostgreSQL", "procrastinate's fetch", "of it", 2, True
    ),
    "place-sqlite": Row("a place at a million : at a thousand, SQLite", "flat", "times", 1.3),
    "place-postgresql": Row("a place at a million : at a thousand, PostgreSQL", "flat", "times", 1.3),
    "seen-median": Row("commit → seen at 200 desks, median", "NOTIFY alone", "ms", 50),
    "seen-99": Row("commit → seen at 200 desks, 99 of 100", "NOTIFY alone", "ms", 200),
    "start-sqlite": Row("start to first sound, SQLite", "", "s", 5),
    "start-postgresql": Row("start to first sound, PostgreSQL", "", "s", 5),
    "memory-sqlite": Row("memory of all our processes (PSS), SQLite", "", "MB", 400),
    "memory-postgresql": Row("memory of all our processes (PSS), PostgreSQL", "", "MB", 400),
    "idle-sqlite": Row("CPU of an idle installation, SQLite", "a core", "%", 3),
    "idle-postgresql": Row("CPU of an idle installation, PostgreSQL", "a core", "%", 3),
    "idle-page-sqlite": Row("the same with a page open, SQLite", "a core", "%", 3),
    "idle-page-postgresql": Row("the same with a page open, PostgreSQL", "a core", "%", 3),
    "an-hour": Row("50,000 registrations in the shape of an hour, lost", "0", "lost", 0),
}


def measured(row: str, value: float, ours: str = "", anchor: str = "") -> None:
    """Say a row's figure: the value that its goal is compared with, our measure, and what stood beside it."""
    goal = ROWS[row]
    if file := os.environ.get(_FIGURES):
        figure = Figure(
            row,
            round(value, 4),
            ours or f"{value:.3g} {goal.unit}",
            anchor,
            Path(sys.argv[0]).stem,
            f"{datetime.now(UTC):%Y-%m-%d %H:%M}Z",
            _machine(),
        )
        with open(file, "a", encoding="utf-8") as told:
            told.write(f"{json.dumps(asdict(figure), ensure_ascii=False)}\n")


def _machine() -> str:
    return f"{os.cpu_count()} cores ({platform.machine()}), load {os.getloadavg()[0]:.1f}"


def lines(figures: Mapping[str, Figure]) -> list[str]:
    """The table, in Markdown."""
    found = [
        "| row | ours | anchor | value | goal | reached | measured | to repeat |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, row in ROWS.items():
        goal = f"{'≥' if row.at_least else '≤'} {row.goal:g} {row.unit}"
        figure = figures.get(name)
        if figure is None:
            found.append(f"| {row.what} | | {row.anchor} | not measured | {goal} | | | |")
            continue
        beside = ": ".join(filter(None, (row.anchor, figure.anchor)))
        found.append(
            f"| {row.what} | {figure.ours} | {beside} | {figure.value:.3g} {row.unit} | {goal} "
            f"| {'yes' if row.reaches(figure.value) else '**no**'} | {figure.at}, {figure.machine} "
            f"| `bench/{figure.bench}.py` |"
        )
    return found


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _play(benches: list[Path]) -> tuple[list[Figure], list[str]]:
    """Play each, as it is; what they said, and which ended badly."""
    told, failed = _PROJECT / "var" / "bench.jsonl", []
    told.parent.mkdir(exist_ok=True)
    told.unlink(missing_ok=True)
    environment = {**os.environ, "PYTHONPATH": ".", _FIGURES: str(told)}
    for bench in benches:
        _say(f"\n== bench/{bench.name}")
        if subprocess.run([sys.executable, bench], cwd=_PROJECT, env=environment, check=False).returncode:
            failed.append(bench.stem)
    said = told.read_text(encoding="utf-8").splitlines() if told.exists() else []
    return [Figure(**json.loads(line)) for line in said], failed


def main() -> None:
    """Play the benches that are named, or all."""
    every = sorted((_PROJECT / "bench").glob("*.py"))
    benches = [bench for bench in every if not sys.argv[1:] or bench.stem in sys.argv[1:]]
    new, failed = _play(benches)
    before = json.loads(_KEPT.read_text(encoding="utf-8")) if _KEPT.exists() else []
    figures = {each["row"]: Figure(**each) for each in before if each["row"] in ROWS}
    figures |= {figure.row: figure for figure in new}
    kept = [asdict(figures[name]) for name in ROWS if name in figures]
    _KEPT.write_text(f"{json.dumps(kept, ensure_ascii=False, indent=1)}\n", encoding="utf-8")
    table = "\n".join(lines(figures))
    head, _, rest = _PAGE.read_text(encoding="utf-8").partition(_BEGIN)
    _, _, tail = rest.partition(_END)
    _PAGE.write_text(f"{head}{_BEGIN}\n{table}\n{_END}{tail}", encoding="utf-8")
    _say(f"\n{table}")
    if failed:
        sys.exit(f"ended with an error, or missed their own goal: {', '.join(failed)}")


if __name__ == "__main__":
    main()
