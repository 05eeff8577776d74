"""A provider of text messages, and settings that send by it."""

from collections.abc import Iterator

import pytest

from settings import Settings
from tests.kit.outbox import NEVER
from tests.kit.sms_provider import KEY, SECRET, SmsProvider


@pytest.fixture
def provider() -> Iterator[SmsProvider]:
    with SmsProvider() as listening:
        yield listening


@pytest.fixture
def ready(settings: Settings, provider: SmsProvider) -> Settings:
    """Settings with Kavenegar at the test's provider, and no quiet hours."""
    return settings.model_copy(
        update={
            "sms_provider": "kavenegar",
            "sms_kavenegar_url": provider.url,
            "sms_kavenegar_key": KEY,
            "sms_sender": "10004346",
            "sms_http_url": f"{provider.url}/send",
            "notice_webhook": f"{provider.url}/hook/s3cr3t",
            "notice_webhook_secret": SECRET,
            "quiet_hours": NEVER,
        }
    )
