"""Seconds of a citizen's call: until the place is safe, until the ticket is heard, and until its end.

Callers use real lines, one for each row, all at one time. Some know the keys by heart, some hear each
question out, and some answer late. Others press a wrong key, fall silent or hang up at a question. The last
column says whether they have a place: whoever said yes to the number must have one.

PYTHONPATH=. python bench/call_times.py [all | quick]

In brief every prompt is cut short and one question stands for all. Only the fastest caller stays to the end.
"""

import sys
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass

from sqlalchemy import select

from db.engine import reading
from db.models import Official, OfficialKind, Registration, Round
from tests.kit import brief
from tests.kit.brief import must_hold, sized
from tests.kit.listener import HANG_UP, Heard, Listener, Moment, Plan, openings
from tests.kit.simulated_round import shorten
from tests.kit.system import System

KEYS = {
    "main-menu": "1",
    "confirm-number": "1",
    "ask-subject": "3",
    "message-offer": "#",
}
"""The keys of each question. A prompt without a key is only heard."""
TRIED_AT = sized(tuple(KEYS), ("main-menu",))
"""Questions at which a caller errs, falls silent or leaves."""
KEYS_OF_A_DISTRICT = {"choose-kind": "3", "ask-district": "12#"}
"""The longest way to a round: choosing the official and the round."""
ANSWER_S = sized(7, 1)
WRONG = "7"
ENGLISH = "9"
"""The main menu's key for English, whose prompts are longer."""
_BLIND_S = 0.3
_CUT = 1120
"""Samples: a packet more than those that identify a clip."""
GOALS = {"committed": 25.0, "ticket": 30.0, "ended": 70.0}


@dataclass
class Manner:
    """One way to use a telephone. `by_heart` are keys pressed 0.3 s apart without listening."""

    late: float = 0.0
    by_heart: str = ""
    wrong_at: str = ""
    silent_at: str = ""
    leaves_at: str = sized("", "registered")
    english: bool = False

    def plan(self) -> Plan:
        """The plan of one call."""
        asked, wrong_at, other_language = "", self.wrong_at, self.english
        blind = list(self.by_heart)

        def act(moment: Moment) -> str | None:
            nonlocal asked, wrong_at, other_language
            if blind and moment.at > _BLIND_S * (len(self.by_heart) - len(blind) + 1):
                return blind.pop(0)
            prompt = moment.clip.partition(".")[0].removesuffix("-slow")
            if moment.clip and not moment.quiet:
                if prompt == self.leaves_at:
                    return HANG_UP
                asked = prompt if prompt in KEYS or prompt in KEYS_OF_A_DISTRICT else asked
            if not asked or asked == self.silent_at or not moment.clip or self.late >= moment.quiet:
                return None
            if asked == wrong_at:
                asked = wrong_at = ""
                return WRONG
            if other_language:
                asked, other_language = "", False
                return ENGLISH
            key, asked = (KEYS | KEYS_OF_A_DISTRICT)[asked], ""
            return key

        return act


def manners(which: str) -> dict[str, Manner]:
    """Return the rows by name."""
    rows = {
        "fastest": Manner(by_heart="11", leaves_at=""),
        "patient": Manner(),
        "late by 6.6 s": Manner(late=6.6),
        "patient, in English": Manner(english=True),
    }
    if which == "quick":
        return {name: rows[name] for name in ("fastest", "patient")}
    rows["hangs up at the ticket"] = Manner(leaves_at="registered")
    for question in TRIED_AT:
        rows[f"one wrong key at {question}"] = Manner(wrong_at=question)
        rows[f"silent at {question}"] = Manner(silent_at=question)
        rows[f"hangs up at {question}"] = Manner(leaves_at=question)
    return rows


def play(
    system: System, rows: Mapping[str, Manner], *officials: Official
) -> dict[str, tuple[Heard, Registration | None]]:
    """Place one call for each row, all at one time. The mayor's round is open, and one of each other
    official.
    """
    known = openings(system.settings.prompts_dir / "en") | openings(system.settings.prompts_dir / "fa")
    with system.only_round(), ExitStack() as also:
        for official in officials:
            also.enter_context(system.another_round(official))
        numbers = {name: system.number() for name in rows}
        calls = {
            name: Listener(system.settings.sip, numbers[name], known, manner.plan())
            for name, manner in rows.items()
        }
        for call in calls.values():
            call.start()
        for call in calls.values():
            call.join()
        with reading(system.engine) as session:
            mine = ["+98" + number[1:] for number in numbers.values()]
            found = session.scalars(
                select(Registration)
                .join(Round)
                .where(Registration.number.in_(mine), ~Round.is_operators_line)
            ).all()
    places = {registration.number.replace("+98", "0"): registration for registration in found}
    return {name: (calls[name].heard, places.get(numbers[name])) for name in rows}


def _two_more(system: System) -> list[Official]:
    """A deputy's round, and one of the manager of the district of KEYS_OF_A_DISTRICT."""
    with reading(system.engine) as session:
        deputy = select(Official).where(Official.kind == OfficialKind.DEPUTY).limit(1)
        return [session.scalars(each).one() for each in (deputy, select(Official).filter_by(district=12))]


def figures(heard: Heard, place: Registration | None) -> dict[str, float | None]:
    """Return seconds from the answer; None if it never happened."""
    committed = place.registered_at.timestamp() - heard.answered_at if place else None
    ticket = heard.digits_end(committed) if committed is not None else None
    return {"committed": committed, "ticket": ticket, "ended": heard.ended_at}


def main() -> None:
    """Print the table."""
    rows = manners(sys.argv[1] if len(sys.argv) > 1 else "all")
    with System(HOTLINE_ANSWER_SECONDS=str(ANSWER_S)) as system:
        if brief.BRIEF:
            for language in ("fa", "en"):
                shorten(system.settings.prompts_dir / language, _CUT)
        played = play(system, rows)
        if not brief.BRIEF:
            played |= play(system, {"patient, of a district": Manner()}, *_two_more(system))
    must_hold(
        None not in figures(*played["fastest"]).values(), f"the fastest hears a ticket: {played['fastest']}"
    )
    must_hold(played["patient"][1] is not None, f"the patient one has a place: {played['patient']}")
    print(f"{'caller':<34}{'committed':>10}{'ticket':>8}{'ended':>8}  registered   goal: {GOALS}")
    for name, (heard, place) in played.items():
        question = name.rpartition(" at ")[2]
        if question in KEYS and question not in {clip.partition(".")[0] for _, clip in heard.clips}:
            continue  # this question was not asked
        cells = "".join(
            f"{value:>{width}.1f}" if value is not None else f"{'-':>{width}}"
            for value, width in zip(figures(heard, place).values(), (10, 8, 8), strict=True)
        )
        print(f"{name:<34}{cells}  {'yes' if place else 'no'}")


if __name__ == "__main__":
    brief.play(main)
