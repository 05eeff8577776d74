"""Messages to citizens and notices to the webhook: sent ones, failed ones, and the reasons."""

from typing import Annotated

from fastapi import APIRouter, Query
from sqlalchemy.orm import Session

from api.access import InForce, MayOversee, MayPlan, Reading, Writing
from api.ids import PathId
from api.rounds import outbox_schemas
from db.models import OutboxMessage
from hotline.messages import delivery_reports, sent_messages
from hotline.setup import trial_texts
from settings import Settings

router = APIRouter(prefix="/outbox", tags=["outbox"])


@router.get("")
def list_messages(
    _user: MayOversee,
    session: Reading,
    filters: Annotated[outbox_schemas.OutboxFilter, Query()],
) -> list[outbox_schemas.OutboxMessage]:
    """The newest messages, newest first; numbers are masked."""
    return [describe_message(message) for message in sent_messages.list_page(session, **filters.model_dump())]


@router.get("/providers")
def list_providers(_user: MayOversee, session: Reading, settings: InForce) -> list[outbox_schemas.SmsAccount]:
    """Our accounts at the providers of text messages, as each last reported."""
    return list_accounts(session, settings)


@router.post("/{message_id}/retry", status_code=202)
def retry(message_id: PathId, user: MayPlan, session: Writing) -> outbox_schemas.OutboxMessage:
    """Send a message again that failed, expired or did not arrive."""
    sent_messages.retry(session, message_id, user.username)
    return describe_message(session.get_one(OutboxMessage, message_id, populate_existing=True))


def describe_message(message: OutboxMessage) -> outbox_schemas.OutboxMessage:
    """Return a message with the fields that may be shown."""
    names = outbox_schemas.OutboxMessage.model_fields.keys() - {"to", "may_retry", "trial"}
    return outbox_schemas.OutboxMessage(
        **{name: getattr(message, name) for name in names},
        to=sent_messages.mask_recipient(message),
        trial=trial_texts.is_one(message),
        may_retry=sent_messages.may_be_sent(message),
    )


def list_accounts(session: Session, settings: Settings) -> list[outbox_schemas.SmsAccount]:
    """Return our accounts, as each last reported."""
    return [
        outbox_schemas.SmsAccount(
            provider=account.provider,
            credit=account.credit,
            low=delivery_reports.is_low(account, settings.sms_least_credit),
            asked_at=account.asked_at,
            error=account.error,
        )
        for account in delivery_reports.list_accounts(session)
    ]
