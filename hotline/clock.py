"""The city's own time, and when its citizens are left in peace."""

from datetime import datetime

from settings import CITY, QuietHours

__all__ = ["CITY", "is_quiet"]


def is_quiet(at: datetime, quiet: QuietHours) -> bool:
    """Whether the moment `at` lies in the quiet hours, which may go past midnight."""
    local = at.astimezone(CITY).time()
    if quiet.begin <= quiet.end:
        return quiet.begin <= local < quiet.end
    return local >= quiet.begin or local < quiet.end
