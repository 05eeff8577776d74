"""What goes over the wire of what is set, and of what is tried live."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from api.reports.kept_schemas import Backup
from api.rounds.outbox_schemas import OutboxMessage, SmsAccount
from api.schemas import Text
from db.models import TrialResult


class Trial(BaseModel):
    """A test call or message: to this number, as a person writes it, in this language."""

    number: Text = Field(min_length=1, max_length=40)
    language: Literal["fa", "en"] = "fa"


class CallTrial(Trial):
    """A test call, by this trunk alone, or as every call goes."""

    trunk: Text = Field("", max_length=20)


class SetUpCity(BaseModel):
    """The city, as its file describes it; `sample`: it is the one that comes along."""

    name_fa: str
    name_en: str
    districts: int
    offices: int
    departments: int
    file: str
    sample: bool


class SetUpTrunk(BaseModel):
    """A trunk and how it is. `answers` is null where it was never heard, `registered` where none is wanted.

    `said`: what it said to the last call that it did not take (SIP); 0: nothing.
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

    `trunk` carried it or said the last word, `said` (SIP; 0: nothing); `tried` are those before it, with
    their words.
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
    """Who speaks a language: a Piper voice, gTTS or espeak-ng. `sample`: a prompt of it can be heard."""

    language: Literal["fa", "en"]
    voice: Literal["piper", "gtts", "espeak"]
    sample: bool


class SetUp(BaseModel):
    """What is set and what is missing. `providers` are the settings' own, the first preferred.

    `by_proxy`: a SIP proxy of ours is before the trunks.
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
