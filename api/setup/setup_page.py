"""The setup page: present settings, missing ones, and live tests. It changes no setting."""

from pathlib import Path
from typing import Literal, get_args

from fastapi import APIRouter
from fastapi.responses import FileResponse
from sqlalchemy.orm import Session

from api.access import InForce, MayAdminister, Reading, Writing
from api.reports import retention_overview, retention_schemas
from api.rounds import outbox, outbox_schemas
from api.setup import setup_schemas
from api.sounds import SOUND
from db import models
from hotline import audit, backups
from hotline.errors import Refused
from hotline.setup import trial_calls, trial_texts
from hotline.trunk import circuit_breaker, selection, status
from hotline.trunk.status import Is
from prompts import voices
from prompts.render import Manifest
from settings import Settings, city_file

router = APIRouter(prefix="/setup", tags=["setup"])

_Language = Literal["fa", "en"]
_SAMPLE = "trial-call"


@router.get("")
def show(_user: MayAdminister, session: Reading, settings: InForce) -> setup_schemas.SetUp:
    """City, trunks, text messages, voices and backup, with the last test calls and messages."""
    down = circuit_breaker.find_outage(session)
    return setup_schemas.SetUp(
        city=_city(settings),
        trunks=_trunks(session, settings),
        sample_trunk=settings.has_sample_trunk,
        calls_down_since=down.since if down else None,
        by_proxy=settings.sip_proxy is not None,
        prefixes=list(settings.allowed_prefixes),
        calls=[_call(session, call) for call in trial_calls.list_latest(session)],
        providers=[name for name in (settings.sms_provider, *settings.sms_next) if name],
        accounts=outbox.list_accounts(session, settings),
        texts=[outbox.describe_message(message) for message in trial_texts.list_latest(session)],
        voices=[_voice(settings, language) for language in get_args(_Language)],
        backup=retention_overview.find_last_backup(settings),
        backup_dir=str(settings.backup_dir or ""),
    )


@router.post("/calls", status_code=202)
def call(
    body: setup_schemas.CallTrial, user: MayAdminister, session: Writing, settings: InForce
) -> setup_schemas.TrialCall:
    """Call this telephone by the trunk; it hears one sentence. Pressing twice places one call."""
    asked = trial_calls.ask(
        session,
        body.number,
        who=user.username,
        language=body.language,
        settings=settings,
        trunk=body.trunk,
    )
    return _call(session, asked)


@router.post("/texts", status_code=202)
def text(
    body: setup_schemas.Trial, user: MayAdminister, session: Writing, settings: InForce
) -> outbox_schemas.OutboxMessage:
    """Send a test message to this number; twice within half a minute sends one."""
    return outbox.describe_message(
        trial_texts.ask(session, body.number, who=user.username, language=body.language, settings=settings)
    )


@router.post("/backup", status_code=202)
def backup(user: MayAdminister, session: Writing, settings: InForce) -> retention_schemas.Backup:
    """Ask for a backup now, like the nightly one; asking again before it is made changes nothing."""
    if settings.backup_dir is None:
        raise Refused("backup-off", "HOTLINE_BACKUP_DIR names no folder")
    if backups.find_asked_at(settings) is None:
        audit.record(session, user.username, "backup-asked", "backup")
        session.flush()
        try:
            backups.ask(settings)
        except OSError as error:
            raise Refused("disk-full", f"the state folder takes nothing: {error.strerror}") from None
    return retention_overview.find_last_backup(settings)


@router.get("/voices/{language}", **SOUND)
def hear(language: _Language, _user: MayAdminister, settings: InForce) -> FileResponse:
    """The test call's sentence, as callers hear it."""
    path = _sample(settings, language)
    if not path.is_file():
        raise Refused("not-found", "the prompts are not rendered yet")
    return FileResponse(path, media_type="audio/wav")


def _city(settings: Settings) -> setup_schemas.SetUpCity:
    city = settings.of_city
    return setup_schemas.SetUpCity(
        name_fa=city.name("fa"),
        name_en=city.name("en"),
        districts=len(city.districts),
        offices=len(city.offices),
        departments=len(city.departments),
        file=str(settings.city_path),
        sample=settings.city_path == city_file.SAMPLE,
    )


def _trunks(session: Session, settings: Settings) -> list[setup_schemas.SetUpTrunk]:
    names = [trunk.name for trunk in settings.trunks]
    found, told = selection.find_states(session, names), status.list_statuses(session, names)
    unknown = models.TrunkState(taken=0, refused=0)
    return [
        setup_schemas.SetUpTrunk(
            name=trunk.name,
            host=str(trunk.host),
            answers=None if told[trunk.name].state is Is.UNHEARD else told[trunk.name].state is Is.UP,
            registered=row.registered if trunk.registers else None,
            latency_ms=row.latency_ms,
            down_since=told[trunk.name].since,
            said=row.said,
            taken=row.taken,
            refused=row.refused,
        )
        for trunk in settings.trunks
        for row in (found.get(trunk.name, unknown),)
    ]


def _call(session: Session, call: models.TrialCall) -> setup_schemas.TrialCall:
    names = setup_schemas.TrialCall.model_fields.keys() - {"number", "result"}
    return setup_schemas.TrialCall(
        **{name: getattr(call, name) for name in names},
        number=trial_calls.mask_number(call),
        result=trial_calls.find_result(session, call),
    )


def _voice(settings: Settings, language: _Language) -> setup_schemas.SetUpVoice:
    gave_up = Manifest.read(settings.prompts_dir).gave_up
    source, _ = voices.choose(settings, language, gave_up)
    kind: Literal["piper", "gtts", "espeak"] = (
        "piper"
        if isinstance(source, voices.Piper)
        else "gtts"
        if isinstance(source, voices.Google)
        else "espeak"
    )
    return setup_schemas.SetUpVoice(
        language=language, voice=kind, sample=_sample(settings, language).is_file()
    )


def _sample(settings: Settings, language: _Language) -> Path:
    return settings.prompts_dir / language / f"{_SAMPLE}.wav"
