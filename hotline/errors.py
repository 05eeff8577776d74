"""Refusals of rules. Codes are stable: the API, the command line and the pages depend on them."""

import math
from datetime import datetime

from db.models import BlockReason


class Refused(Exception):
    """A rule refuses; `code` names the rule, `detail` explains it to an engineer.

    `field` names the rejected input where the code does not. `after_s`: seconds until a retry may succeed.
    """

    def __init__(
        self, code: str, detail: str, field: str | None = None, *, after_s: int | None = None
    ) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail
        self.field = field
        self.after_s = after_s


def count_seconds_until(moment: datetime, now: datetime) -> int:
    """Return the whole seconds from `now` until the `moment`, at least one: what `after_s` says."""
    return max(1, math.ceil((moment - now).total_seconds()))


class Blocked(Refused):
    """The number may not register, for a `reason` (db.models.BlockReason) that the caller hears."""

    def __init__(self, reason: BlockReason) -> None:
        super().__init__("number-blocked", f"this number may not register: {reason}")
        self.reason = reason
