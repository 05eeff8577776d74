"""The city's rules as a model: what is true of every place and line, written from the rules alone."""

from dataclasses import dataclass, field

LIVE, OVER = "live", "over"
WAITING, CALLING, DONE, UNREACHED = "waiting", "calling", "done", "unreached"


@dataclass
class Place:
    """A registration as the rules see it."""

    id: int
    number: str
    round: int
    order: int
    state: str = WAITING
    missed: int = 0
    unanswered: int = 0
    attempts: int = 0
    moved: bool = False
    faults: int = 0
    """Calls in a row that came to nothing by our own fault."""
    rests: bool = False

    @property
    def rank(self) -> tuple[bool, int, int]:
        return (not self.moved, -self.missed, self.order)


@dataclass
class City:
    """The model of the city: the facts that must be true."""

    places: dict[int, Place] = field(default_factory=dict)
    rounds: dict[int, tuple[int, str]] = field(
        default_factory=dict
    )  # official, live or over; in order of start
    shown: dict[int, int] = field(default_factory=dict)
    """Calls by round in which a phone or a person, not our own fault, gave the result."""

    def line(self, round_: int) -> list[Place]:
        waiting = [p for p in self.places.values() if p.round == round_ and p.state == WAITING]
        return sorted(waiting, key=lambda place: place.rank)

    def next_one(self, round_: int) -> Place | None:
        """Return the next place, without those in a call of another round or blocked by our own fault."""
        engaged = {p.number for p in self.places.values() if p.state == CALLING}
        return next((p for p in self.line(round_) if p.number not in engaged and not p.rests), None)

    def holder(self, round_: int, number: str) -> Place | None:
        return next(
            (p for p in self.places.values() if (p.round, p.number) == (round_, number) and p.state != DONE),
            None,
        )

    def next_round(self, round_: int) -> int | None:
        official, _ = self.rounds[round_]
        later = [r for r, of in self.rounds.items() if r > round_ and of == (official, LIVE)]
        return later[0] if later else None

    def _is_spoken_with(self, place: Place) -> bool:
        official, _ = self.rounds[place.round]
        return any(
            (p.number, p.state, self.rounds[p.round][0]) == (place.number, CALLING, official)
            for p in self.places.values()
        )

    def carry(self, limit: int) -> None:
        left = [p for p in self.places.values() if p.state in (WAITING, UNREACHED)]
        left = [p for p in left if self.rounds[p.round][1] == OVER]
        given_up = lambda p: p.state == UNREACHED and p.unanswered > 0  # noqa: E731
        left = [p for p in left if not self._is_spoken_with(p)]
        left = [p for p in left if given_up(p) or self.next_round(p.round)]
        for place in sorted(left, key=lambda p: p.order)[:limit]:
            if given_up(place):
                place.state = DONE
                continue
            to = self.next_round(place.round)
            assert to is not None
            rival = self.holder(to, place.number)
            if rival and rival.rank < (not place.moved, -place.missed - 1, place.order):
                place.state = DONE
                continue
            if rival:
                rival.state = DONE
            place.round, place.missed, place.attempts = to, place.missed + 1, 0
            place.faults, place.rests = 0, False
            place.unanswered += place.state == UNREACHED
            place.state = WAITING
