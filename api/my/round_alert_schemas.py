"""JSON of wishes for the next round."""

from datetime import datetime

from pydantic import BaseModel

from hotline.dates import Language


class OfficeWish(BaseModel):
    """An office that holds rounds. `asked_at`: since when I want to hear of its next round, if so."""

    official_id: int
    office_fa: str
    office_en: str
    asked_at: datetime | None


class WishIn(BaseModel):
    """The language of the notice."""

    language: Language = "fa"
