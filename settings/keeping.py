"""What is kept for how long, in which store, and the nightly backup."""

from pydantic import Field, ValidationInfo, field_validator

from settings.part import Part
from settings.values import URL, OptionalPath


class Keeping(Part):
    """What is kept for how long, in which store, and the nightly backup."""

    recordings_days: int = Field(90, ge=1, le=3650)
    """Recorded conversations are deleted after so many days."""
    voice_messages_days: int = Field(90, ge=1, le=3650)
    """Citizens' voice messages are deleted after so many days, once their place or request is over."""
    pictures_days: int = Field(400, ge=1, le=3650)
    """Pictures of requests are deleted after so many days, once their request is over."""
    pictures_store_endpoint: str = Field("", pattern=URL)
    """The S3-compatible store of pictures, as https://s3.example; empty: Amazon's own."""
    pictures_store_region: str = Field("us-east-1", pattern=r"^[A-Za-z0-9-]{1,40}$")
    """Its region; most that are not Amazon's take any."""
    pictures_store_key: str = Field("", pattern=r"^[!-~]{0,200}$")
    """The key's name: it may read, write and delete what is under HOTLINE_PICTURES_STORE."""
    pictures_store_secret: str = Field("", pattern=r"^[!-~]{0,200}$")
    """The key's secret."""
    pictures_store: str = Field("", pattern=r"^(s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[A-Za-z0-9._-]+)*)?$")
    """Where the clerk brings pictures of requests: s3://bucket/prefix, of this installation alone; empty:
    they stay in the state folder (docs/requests.md)."""
    requests_days: int = Field(730, ge=31, le=3650)
    """A request that has been at its end for so many days loses number, words, point and pictures; its state,
    its dates and the office's replies stay."""
    messages_days: int = Field(180, ge=31, le=3650)
    """Text messages that are out are deleted after so many days."""
    events_days: int = Field(400, ge=31, le=3650)
    """Events, from which a person's day is told, are deleted after so many days; the ledger never is."""
    backup_dir: OptionalPath = None
    """Where the clerk makes a backup each night: a folder of its own on another disk, which must be there
    (docs/operate/backup.md). Empty: none is made."""
    backup_hour: int = Field(3, ge=0, le=23)
    """At this hour, in the city's own time."""
    backup_keep: int = Field(14, ge=0, le=3650)
    """Backups older than so many days are deleted after a new one is whole; 0: none is."""
    backup_recipient: str = Field("", pattern=r"^(age1[0-9a-z]{20,})?$", max_length=200)
    """The public key of age for which backups are encrypted (`age-keygen` prints one); its secret key is kept
    elsewhere. Empty: they are not."""

    @field_validator("pictures_store")
    @classmethod
    def _pictures_store(cls, value: str, others: ValidationInfo) -> str:
        if value and not (others.data.get("pictures_store_key") and others.data.get("pictures_store_secret")):
            raise ValueError("needs HOTLINE_PICTURES_STORE_KEY and HOTLINE_PICTURES_STORE_SECRET")
        return value
