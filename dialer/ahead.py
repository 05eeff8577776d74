"""Calls the next citizens of each served round ahead, and gives them to the desks that are free."""

import logging

from sqlalchemy import Engine

from db.engine import now, reading, writing
from hotline import callbacks, experience, rounds, serving
from settings import Settings

log = logging.getLogger("dialer")


class Ahead:
    """The dialer's third task. It decides; the dialer places, follows and ends the calls as all others."""

    def __init__(self, settings: Settings, engine: Engine) -> None:
        self._settings = settings
        self._engine = engine

    def keep_ready(self) -> None:
        """Take so many citizens out of each served round's line as must be called at this moment."""
        with reading(self._engine) as session:
            wanted = [
                (round_.id, experience.calls_wanted(session, round_, self._settings.ahead_most))
                for round_ in serving.served(session)
            ]
        for round_id, count in wanted:
            for _ in range(count):
                self._call_ahead(round_id)

    def _call_ahead(self, round_id: int) -> None:
        with writing(self._engine) as session:
            callback = callbacks.call_ahead(session, rounds.get(session, round_id))
            if callback:
                log.info("%s: called ahead for round %d", callback.token, round_id)

    def match(self) -> None:
        """Give the desks that are free the citizens who wait."""
        with reading(self._engine) as session:
            asked = serving.some_desk_asks(session)
        if asked:
            with writing(self._engine) as session:
                serving.match(session)

    def let_go(self) -> None:
        """End the calls made ahead for rounds that are over, with a kind word."""
        with reading(self._engine) as session:
            tokens = [callback.token for callback in serving.left_behind(session)]
        for token in tokens:
            with writing(self._engine) as session:
                callback = callbacks.by_token(session, token)
                if callback and callback.desk_id is None:
                    callback.hangup_asked_at = now(session)
