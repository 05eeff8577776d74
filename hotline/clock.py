"""The city's time zone and quiet hours."""

from datetime import datetime, timedelta

from settings import CITY, QuietHours

__all__ = ["CITY", "is_quiet", "skip_quiet_hours"]


def is_quiet(at: datetime, quiet: QuietHours) -> bool:
    """Return whether the moment `at` lies in the quiet hours, which may include midnight."""
    local = at.astimezone(CITY).time()
    if quiet.begin <= quiet.end:
        return quiet.begin <= local < quiet.end
    return local >= quiet.begin or local < quiet.end


def skip_quiet_hours(at: datetime, quiet: QuietHours) -> datetime:
    """Return the moment `at`, or the end of the quiet hours if it lies in them."""
    if not is_quiet(at, quiet):
        return at
    local = at.astimezone(CITY)
    end = datetime.combine(local.date(), quiet.end, CITY)
    return (end if end > local else end + timedelta(days=1)).astimezone(at.tzinfo)
