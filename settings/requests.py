"""City requests: how long each step may take, and how much one citizen may report."""

from pydantic import Field

from settings.part import Part


class Requests(Part):
    """City requests: how long each step may take, and how much one citizen may report."""

    request_answer_days: int = Field(7, ge=1, le=365)
    """Days that a citizen has to answer whether a request is solved; then it is closed."""
    request_alike_days: int = Field(14, ge=1, le=365)
    """Days within which requests of one category and district are shown as probable duplicates."""
    near_metres: int = Field(100, ge=10, le=1000)
    """Distance within which the app shows open requests of the same category before a new one is sent."""
    pass_days: int = Field(14, ge=1, le=365)
    """Days for which a link works that passes a request to an agency outside the city."""
    reports_per_day: int = Field(10, ge=1, le=1000)
    """Requests that one number may report in the app in 24 hours."""
