"""The store of pictures, and the nightly backup."""

from pydantic import Field, ValidationInfo, field_validator

from settings.part import Part
from settings.values import URL, OptionalPath


class Storage(Part):
    """The store of pictures, and the nightly backup."""

    pictures_store_endpoint: str = Field("", pattern=URL)
    """The address of the S3-compatible store of pictures: https://s3.example. Empty: Amazon's own."""
    pictures_store_region: str = Field("us-east-1", pattern=r"^[A-Za-z0-9-]{1,40}$")
    """The store's region; most stores other than Amazon's accept any."""
    pictures_store_key: str = Field("", pattern=r"^[!-~]{0,200}$")
    """The access key's name. The key needs to read, write and delete under HOTLINE_PICTURES_STORE."""
    pictures_store_secret: str = Field("", pattern=r"^[!-~]{0,200}$")
    """The access key's secret."""
    pictures_store: str = Field("", pattern=r"^(s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[A-Za-z0-9._-]+)*)?$")
    """The S3 place to which the scheduler moves requests' pictures, used by this installation alone:
    s3://bucket/prefix. Empty: pictures stay in the state folder (docs/requests.md)."""
    backup_dir: OptionalPath = None
    """The folder of nightly backups, on another disk; the scheduler does not make it
    (docs/operate/backup.md). Empty: no backups."""
    backup_hour: int = Field(3, ge=0, le=23)
    """The hour of the nightly backup, in the city's own time."""
    backup_keep: int = Field(14, ge=0, le=3650)
    """Days until an old backup is deleted, once a new one is complete; 0: never."""
    backup_recipient: str = Field("", pattern=r"^(age1[0-9a-z]{20,})?$", max_length=200)
    """The public age key that encrypts backups (`age-keygen` prints one). Keep its secret key elsewhere.
    Empty: backups are not encrypted."""

    @field_validator("pictures_store")
    @classmethod
    def _pictures_store(cls, value: str, others: ValidationInfo) -> str:
        if value and not (others.data.get("pictures_store_key") and others.data.get("pictures_store_secret")):
            raise ValueError("needs HOTLINE_PICTURES_STORE_KEY and HOTLINE_PICTURES_STORE_SECRET")
        return value
