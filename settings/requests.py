"""City requests: how long each step may take."""

from pydantic import Field

from settings.part import Part


class Requests(Part):
    """City requests: how long each step may take."""

    request_answer_days: int = Field(7, ge=1, le=365)
    """A request is closed when its citizen, asked whether it is solved, says nothing for so many days."""
    request_alike_days: int = Field(14, ge=1, le=365)
    """Requests of one subject and district within so many days are shown as probable duplicates."""
    near_metres: int = Field(100, ge=10, le=1000)
    """Who reports from the app is shown what is open of the same category within so many metres."""
    pass_days: int = Field(14, ge=1, le=365)
    """A link by which a request is passed on to a body outside the city works for so many days."""
    reports_per_day: int = Field(10, ge=1, le=1000)
    """So many requests a citizen may report by the app in 24 hours, with one number."""
