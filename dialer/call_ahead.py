"""Calls the next citizens of each served round ahead, and gives them to the desks that are free."""

import logging

from sqlalchemy import Engine

from db.engine import reading, writing
from dialer.caps import Caps
from hotline.callbacks import assignment, claims, round_statistics, serving
from hotline.errors import Refused
from hotline.nodes import round_affinity
from hotline.rounds import phases
from settings import Settings

log = logging.getLogger("dialer")


class CallAhead:
    """One of the dialer's tasks. It decides; the dialer places, follows and ends the calls as all others."""

    def __init__(self, settings: Settings, engine: Engine, caps: Caps) -> None:
        self._settings = settings
        self._engine = engine
        self._caps = caps
        self._ages = round_statistics.Ages()

    def keep_ready(self) -> None:
        """Take so many citizens out of each served round's line as must be called at this moment."""
        self._ages.begin_look()
        with reading(self._engine) as session:
            most = self._settings.call_ahead_most
            wanted = [
                (round_.id, round_statistics.count_calls_wanted(session, round_, most, self._ages))
                for round_ in serving.list_served(session, self._settings.node)
            ]
        room = self._caps.room() if any(count for _, count in wanted) else 0
        for round_id, count in wanted:
            called = self._call_ahead(round_id, min(count, room))
            room -= called

    def _call_ahead(self, round_id: int, count: int) -> int:
        """Take so many out of the round's line; how many were due."""
        for called in range(count):
            try:
                with writing(self._engine) as session:
                    if not round_affinity.settle(session, round_id, self._settings.node):
                        return called
                    callback = claims.call_ahead(session, phases.get(session, round_id))
            except Refused:  # the round has just ended
                return called
            if callback is None:
                return called
            log.info("%s: called ahead for round %d", callback.token, round_id)
        return count

    def match(self) -> None:
        """Give the desks that are free the citizens who wait; take back those whom a desk left waiting."""
        with reading(self._engine) as session:
            stranded, can_meet = assignment.is_any_stranded(session), assignment.is_any_to_meet(session)
        if stranded or can_meet:
            with writing(self._engine) as session:
                if stranded:
                    assignment.take_back(session)
                assignment.match(session)

    def let_go(self) -> None:
        """End the calls made ahead for rounds that are over, with a kind word."""
        with reading(self._engine) as session:
            tokens = serving.list_left_behind(session)
        for token in tokens:
            with writing(self._engine) as session:
                if serving.request_end(session, token):
                    log.info("%s: let go", token)
