"""The categories of requests: an administrator changes one, and the desk's form follows."""

from dataclasses import replace

from playwright.sync_api import expect
from sqlalchemy import Engine

from db.engine import reading, writing
from db.models import Category, Role
from hotline.requests import categories
from tests.factories import a_department
from tests.kit.pages import is_fit
from tests.pages.conftest import OpenAs


def test_changed_category_sets_the_department_of_new_requests(open_as: OpenAs, engine: Engine) -> None:
    with writing(engine) as session:
        department = a_department(session)
    page = open_as(Role.ADMINISTRATOR, "categories")
    lights = page.get_by_test_id("category").nth(1)
    expect(page.get_by_test_id("category")).to_have_count(9)
    is_fit(page)
    lights.get_by_test_id("change-category").click()
    expect(page.get_by_test_id("solve-amount")).to_have_value("۳")
    with writing(engine) as session:  # another administrator is quicker
        theirs = replace(categories.Values.of(session.get_one(Category, 2)), name_en="Lamps")
        categories.change(session, 2, theirs, who="other")
    overtaken = page.get_by_test_id("category-overtaken")
    expect(overtaken).to_be_visible()
    is_fit(page)
    overtaken.get_by_role("button").click()
    expect(overtaken).to_have_count(0)
    expect(page.get_by_test_id("name-en")).to_have_value("Lamps")
    page.get_by_test_id("solve-amount").fill("سه")
    page.get_by_test_id("save-category").click()
    expect(page.locator("[data-field=solve]")).to_have_attribute("aria-invalid", "true")
    page.get_by_test_id("solve-amount").fill("۶")
    page.get_by_test_id("key").select_option("1")
    page.get_by_test_id("responsible-department").select_option(str(department.id))
    page.get_by_test_id("questions-fa").fill("کدام تیر؟")
    page.get_by_test_id("questions-en").fill("Which pole?")
    page.get_by_test_id("save-category").click()
    expect(page.locator("[data-field=key]")).to_have_attribute("aria-invalid", "true")  # another's
    is_fit(page)
    page.get_by_test_id("key").select_option("2")
    page.get_by_test_id("save-category").click()
    expect(page.get_by_test_id("category-form")).to_have_count(0)
    expect(lights).to_contain_text(department.name_fa)
    with reading(engine) as session:
        values = categories.Values.of(session.get_one(Category, 2))
    assert (values.solve.amount, values.key, values.departments) == (6, 2, {0: department.id})

    page.get_by_test_id("rail-requests").click()
    page.get_by_test_id("write-request").click()
    page.get_by_test_id("category").select_option("2")
    expect(page.get_by_test_id("refer-department")).to_have_value(str(department.id))
    expect(page.get_by_test_id("questions")).to_contain_text("کدام تیر؟")


def test_supervisor_reads_categories_without_changing_them(open_as: OpenAs) -> None:
    page = open_as(Role.SUPERVISOR, "categories", language="en")
    expect(page.get_by_test_id("category").first).to_contain_text("solved within 10 working days")
    expect(page.get_by_test_id("change-category")).to_have_count(0)
    is_fit(page)
