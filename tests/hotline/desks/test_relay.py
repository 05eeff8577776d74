"""A desk's account at the TURN server."""

from datetime import UTC, datetime

from hotline.desks import relay
from settings import Settings

URLS = ("turn:137.example:3478?transport=udp", "turn:137.example:3478?transport=tcp")


def test_turn_account_lasts_half_a_day_in_coturns_form(
    settings: Settings,
) -> None:
    at = datetime(2026, 11, 29, 8, tzinfo=UTC)
    settings = settings.model_copy(update={"turn_urls": URLS, "turn_secret": "a secret of both of us"})

    account = relay.relay(settings, "desk-7", at)

    # printf 1795982400:desk-7 | openssl dgst -sha1 -hmac "a secret of both of us" -binary | base64
    assert account == (URLS, "1795982400:desk-7", "PqPYOvHo6WWVqG5bB2IWwoftlbM=")


def test_turn_account_needs_a_server_and_has_a_secret(
    settings: Settings,
) -> None:
    at = datetime(2026, 11, 29, 8, tzinfo=UTC)
    assert relay.relay(settings, "desk-7", at) is None
    assert relay.get_secret(settings) == relay.get_secret(settings) != settings.secret_for("desk-7")
    assert relay.get_secret(settings.model_copy(update={"turn_secret": "x" * 16})) == "x" * 16
