"""Registrations per second through Asterisk and the call scripts, against the same calls by dialplan alone.

Both callers press the same keys at the same moments and hear the same prompts. The second caller dials an
extension that this bench adds. The extension reads the keys with the application Read, without AGI or a
database. Each row has a freshly started system, since a slower row before would flatter the next.
"""

import os
from collections.abc import Sequence

from prompts.catalogue import list_clips
from tests.kit import brief
from tests.kit.brief import BRIEF, must_hold, sized
from tests.kit.load import Done, Load, Pressed
from tests.kit.performance import measured
from tests.kit.system import System

RATES = sized((100, 50, 150, 200), (3,))
SECONDS = sized(20, 1)
KEYS = [Pressed(sized(300, 1_000), "1"), *(Pressed(sized(300, 400), key) for key in "13#")]
HANGUP_MS = sized(500, 2_000)
"""Callers who know the keys hear the ticket last; most of them hang up during it."""
LASTS = (sum(pressed.after_ms for pressed in KEYS) + HANGUP_MS) / 1000
_CARRIED = 0.9
"""The share of the rate that the dialplan alone must reach for the row to count."""
GOAL = "at least 0.9 at 100 calls/s"
PLAIN = "138"


def _plain_dialplan(system: System, round_id: int) -> str:
    """The prompts of the caller of `KEYS`, with a Read where the call script takes a key."""
    at = system.round(round_id).starts_at
    when = list_clips("fa", "round-when", office="office-mayor", day=at, date=at, time=at)
    told = list_clips("fa", "registered-brief", office="office-mayor", ticket="01234567") + list_clips(
        "fa", "ticket-is", ticket="01234567"
    )
    subjects = [
        *list_clips("fa", "choices", count=5),
        *(f"subject-{n}" for n in range(1, 5)),
        "subject-others",
    ]
    folder = system.settings.prompts_dir / "fa"

    def read(files: Sequence[str]) -> str:
        return f"Read(key,{'&'.join(f'{folder}/{clip}' for clip in files)},1,,1,6)"

    steps = [
        "Set(CALLERID(num)=${FILTER(0-9+,${CALLERID(num)})})",
        "Set(TIMEOUT(absolute)=900)",
        "Answer()",
        "Set(GROUP()=callers)",
        f"GotoIf($[${{GROUP_COUNT(callers)}} > {system.settings.max_calls}]?end)",
        *(read(files) for files in (["greeting", "../en/menu-english", "main-menu"], when)),
        f"Playback({'&'.join(f'{folder}/{clip}' for clip in told)})",
        *(read(files) for files in (["ask-subject", *subjects], ["message-offer"])),
    ]
    lines = [f"exten => {PLAIN},1,NoOp()", *(f" same => n,{step}" for step in steps)]
    return "\n".join(["", "[from-trunk](+)", *lines, " same => n(end),Hangup()", ""])


def _calls(system: System, numbers: Sequence[str], rate: int, dialled: str) -> Done:
    with Load(
        str(system.settings.sip), numbers, rate=rate, dialled=dialled, keys=KEYS, hangup_after_ms=HANGUP_MS
    ) as load:
        return load.wait(SECONDS + 120)


def _add(system: System, round_id: int) -> None:
    """Add the extension to this Asterisk, which ends with the bench."""
    with (system.settings.state_dir / "asterisk" / "etc" / "extensions.conf").open("a") as file:
        file.write(_plain_dialplan(system, round_id))
    system.asterisk_says("module load app_read.so")
    system.asterisk_says("dialplan reload")


def _row(rate: int) -> str:
    """Measure one line of the table, on a system of its own."""
    with (
        System(HOTLINE_MAX_CALLS=str(sized(2000, 60))) as system,
        system.only_round() as round_id,
    ):
        _add(system, round_id)
        numbers = [system.number() for _ in range(rate * SECONDS)]
        plain = _calls(system, numbers, rate, PLAIN)
        called = _calls(system, numbers, rate, "137")
        rows = len(system.registrations(round_id))
    must_hold(not plain.failed + called.failed, f"no call fails: {plain}, {called}")
    must_hold(rows == len(numbers), f"each of {len(numbers)} callers registers, not {rows}")
    per_second = plain.successful / (plain.seconds - LASTS), rows / (called.seconds - LASTS)
    # otherwise the row says nothing about us
    if not BRIEF and rate != RATES[1] and per_second[0] >= _CARRIED * rate:
        ours, anchor = (f"{each:.1f}/s" for each in reversed(per_second))
        measured(f"registrations-{rate}", per_second[1] / per_second[0], ours, anchor)
    return (
        f"{rate:<10}{per_second[0]:>11.1f}{per_second[1]:>14.1f}"
        f"{plain.failed + called.failed:>8}{per_second[1] / per_second[0]:>7.2f}"
    )


def main() -> None:
    """Print the table."""
    print(
        f"registrations per second, {os.cpu_count()} cores that sipp shares, a fresh system for each row, "
        f"the dialplan's calls first, load of the machine before: {os.getloadavg()[0]:.1f}"
    )
    print(f"{'calls/s':<10}{'dialplan/s':>11}{'registered/s':>14}{'failed':>8}{'ratio':>7}   goal: {GOAL}")
    for rate in RATES:
        print(_row(rate), flush=True)


if __name__ == "__main__":
    brief.play(main)
