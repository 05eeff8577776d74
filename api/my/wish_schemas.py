"""What goes over the wire between the API and whoever wants to know of the next round."""

from datetime import datetime

from pydantic import BaseModel

from hotline.dates import Language


class OfficeWish(BaseModel):
    """An office that holds rounds; `asked_at`: since when I am to be told of its next one, if so."""

    official_id: int
    office_fa: str
    office_en: str
    asked_at: datetime | None


class WishIn(BaseModel):
    """In which language I am to be told."""

    language: Language = "fa"
