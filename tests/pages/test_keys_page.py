"""The keys of programs: an administrator issues one, sees it once, and revokes it."""

from playwright.sync_api import expect
from sqlalchemy import Engine

from db.engine import writing
from db.models import Role
from hotline.people import api_keys
from hotline.people.api_keys import Scope
from tests.kit.pages import is_fit
from tests.kit.refusal import refusal
from tests.pages.conftest import OpenAs


def test_issued_api_key_is_shown_once_and_works_until_revoked(open_as: OpenAs, engine: Engine) -> None:
    page = open_as(Role.ADMINISTRATOR, "keys")
    page.get_by_test_id("add-key").click()
    page.get_by_test_id("confirm").click()
    expect(page.locator("[data-field=name]")).to_have_attribute("aria-invalid", "true")
    page.get_by_test_id("key-name").fill("شهروند همراه")
    page.get_by_test_id("may-report").check()
    page.get_by_test_id("per-minute").fill("۳۰")
    is_fit(page)
    page.get_by_test_id("confirm").click()
    secret = page.get_by_test_id("issued-key").inner_text()
    is_fit(page)
    page.get_by_test_id("noted").click()
    expect(page.get_by_test_id("issued-key")).to_have_count(0)
    row = page.get_by_test_id("key")
    expect(row).to_contain_text("حداکثر ۳۰ بار در دقیقه")
    expect(row).to_contain_text(secret.split("_")[1])
    with writing(engine) as session:
        program = api_keys.use_key(session, secret)
    assert (program.may_read, program.may_report) == (False, True)

    row.get_by_test_id("revoke-key").click()
    page.get_by_test_id("confirm").click()
    expect(row).to_contain_text("باطل از")
    expect(row.get_by_test_id("revoke-key")).to_have_count(0)
    with writing(engine) as session:
        assert refusal(api_keys.use_key, session, secret) == "key-unknown"


def test_auditor_reads_the_api_keys_without_changing_them(open_as: OpenAs, engine: Engine) -> None:
    with writing(engine) as session:
        api_keys.issue(session, name="An app", may=[Scope.READ], per_minute=60, who="admin")
    page = open_as(Role.AUDITOR, "keys", language="en")
    expect(page.get_by_test_id("key")).to_contain_text("list all requests")
    expect(page.get_by_test_id("add-key")).to_have_count(0)
    expect(page.get_by_test_id("revoke-key")).to_have_count(0)
    is_fit(page)
