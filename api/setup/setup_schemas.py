"""JSON of the setup page."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from api.reports.retention_schemas import Backup
from api.rounds.outbox_schemas import OutboxMessage, SmsAccount
from api.schemas import Text
from db.models import TrialResult


class Trial(BaseModel):
    """A test call or message: a number as a person writes it, and the language."""

    number: Text = Field(min_length=1, max_length=40)
    language: Literal["fa", "en"] = "fa"


class CallTrial(Trial):
    """A test call by one trunk, or like every call (empty)."""

    trunk: Text = Field("", max_length=20)


class SetUpCity(BaseModel):
    """The city, as its file describes it; `sample`: it is the file that comes along."""

    name_fa: str
    name_en: str
    districts: int
    offices: int
    departments: int
    file: str
    sample: bool


class SetUpTrunk(BaseModel):
    """A trunk's state. `answers` is null if it was never heard, `registered` is null if it needs none.

    `said`: its SIP response to the last call that it refused; 0: none.
    """

    name: str
    host: str
    answers: bool | None
    registered: bool | None
    latency_ms: float | None
    down_since: datetime | None
    said: int | None
    taken: int
    refused: int


class TrialCall(BaseModel):
    """A test call. `number` is masked; `result` is null while it goes on.

    `trunk` carried the call or gave the last refusal. `said` is that SIP response (0: none). `tried` are
    earlier trunks with theirs.
    """

    id: int
    number: str
    asked_at: datetime
    placed_at: datetime | None
    rang_at: datetime | None
    answered_at: datetime | None
    heard_at: datetime | None
    ended_at: datetime | None
    result: TrialResult | None
    trunk: str
    said: int | None
    tried: str
    cap: str


class SetUpVoice(BaseModel):
    """A language's voice: a Piper voice, gTTS or espeak-ng. `sample`: a prompt can be played."""

    language: Literal["fa", "en"]
    voice: Literal["piper", "gtts", "espeak"]
    sample: bool


class SetUp(BaseModel):
    """Present settings and missing ones. `providers` are the settings' own, the preferred one first.

    `by_proxy`: our SIP proxy stands before the trunks.
    """

    city: SetUpCity
    trunks: list[SetUpTrunk]
    sample_trunk: bool
    calls_down_since: datetime | None
    by_proxy: bool
    prefixes: list[str]
    calls: list[TrialCall]
    providers: list[str]
    accounts: list[SmsAccount]
    texts: list[OutboxMessage]
    voices: list[SetUpVoice]
    backup: Backup
    backup_dir: str
