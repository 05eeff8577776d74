"""A desk's account at the TURN server."""

from datetime import UTC, datetime

from hotline.desks import relay
from settings import Settings

URLS = ("turn:137.example:3478?transport=udp", "turn:137.example:3478?transport=tcp")


def test_given_a_turn_server_when_a_desk_asks_then_it_may_for_half_a_day_what_coturn_would_let_it(
    settings: Settings,
) -> None:
    at = datetime(2026, 11, 29, 8, tzinfo=UTC)
    settings = settings.model_copy(update={"turn_urls": URLS, "turn_secret": "a secret of both of us"})

    account = relay.relay(settings, "desk-7", at)

    # printf 1795982400:desk-7 | openssl dgst -sha1 -hmac "a secret of both of us" -binary | base64
    assert account == (URLS, "1795982400:desk-7", "PqPYOvHo6WWVqG5bB2IWwoftlbM=")


def test_given_no_secret_or_no_server_when_a_desk_asks_then_the_secret_is_our_own_or_there_is_no_account(
    settings: Settings,
) -> None:
    at = datetime(2026, 11, 29, 8, tzinfo=UTC)
    assert relay.relay(settings, "desk-7", at) is None
    assert relay.secret(settings) == relay.secret(settings) != settings.secret_for("desk-7")
    assert relay.secret(settings.model_copy(update={"turn_secret": "x" * 16})) == "x" * 16
