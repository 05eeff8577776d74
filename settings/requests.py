"""City requests: how long each step may take, and how much one citizen may report."""

from pydantic import Field

from settings.part import Part


class Requests(Part):
    """City requests: how long each step may take, and how much one citizen may report."""

    request_answer_days: int = Field(7, ge=1, le=365)
    """Days that a citizen has to answer whether a request is solved; then it is closed."""
    pass_days: int = Field(14, ge=1, le=365)
    """Days for which a link works that passes a request to an agency outside the city."""
    reports_per_day: int = Field(10, ge=1, le=1000)
    """Requests that one number may report in the app in 24 hours."""
