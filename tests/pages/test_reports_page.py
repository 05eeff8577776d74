"""Reports in a real browser: a span, its charts and tables, files to take along, and on paper."""

import csv
import io
from datetime import time, timedelta

from openpyxl import load_workbook
from playwright.sync_api import Page, Route, expect
from sqlalchemy import Engine

from db.engine import now, writing
from db.models import Callback, Role, Round
from db.states import CallbackState, Outcome, Phase, RegistrationState
from hotline.timetable import days
from tests.factories import HOUR, a_desk, a_quality, a_registration, a_round, some_registrations
from tests.kit.pages import PATIENT, is_fit
from tests.pages.conftest import OpenAs


def a_round_of_today(engine: Engine) -> Round:
    """Three registered, of whom one was reached; at nine, whatever the hour at which the tests run."""
    with writing(engine) as session:
        round_ = a_round(session, Phase.OPEN)
        start = days.find_moment(days.find_local_day(now(session)), time(9))
        round_.announce_at = round_.registration_from = start - 30 * HOUR
        round_.registration_until, round_.starts_at, round_.ends_at = start, start, start + 2 * HOUR
        round_.opened_at, round_.ended_at = start, start + 2 * HOUR
        round_.official.office_fa, round_.official.office_en = "=شهردار اصفهان", "=Mayor"
        some_registrations(session, round_, 2, subject=3)
        desk = a_desk(session)
        reached = a_registration(
            session, round_, subject=3, state=RegistrationState.REACHED, registered_at=start - HOUR
        )
        callback = Callback(
            registration=reached,
            round_id=round_.id,
            desk_id=desk.id,
            token=f"callback-{reached.ticket}",
            state=CallbackState.CLOSED,
            outcome=Outcome.REACHED,
            claimed_at=start,
            called_at=start,
            talking_at=start,
            ended_at=start + timedelta(minutes=6),
        )
        session.add(callback)
        session.flush()
        session.add(a_quality(callback.id, 2.5, start))
        return round_


def taken(page: Page, kind: str) -> bytes:
    """The file behind a button."""
    with page.expect_download() as download:
        page.get_by_test_id(kind).click()
    assert download.value.suggested_filename.endswith(f".{kind}")
    return download.value.path().read_bytes()


FROM_RIGHT = """(parts) => parts
  .map((part) => [part.getBoundingClientRect().right, part.getAttribute('fill') ?? part.textContent.trim()])
  .sort(([one], [other]) => other - one).map(([, found]) => found)"""


def test_late_part_of_a_round_page_moves_nothing(open_as: OpenAs, engine: Engine) -> None:
    round_ = a_round_of_today(engine)
    page = open_as(Role.AUDITOR, "rounds")
    late: list[Route] = []
    page.evaluate(PATIENT)
    page.route("**/carries", lambda route: late.append(route))  # noqa: PLW0108  (Playwright marks it)
    with page.expect_response("**/report"):
        page.get_by_test_id("round").get_by_role("link").click()
    expect(page.get_by_test_id("phase")).to_be_visible()
    expect(page.get_by_test_id("to-reports")).to_be_hidden()
    late.pop().continue_()
    expect(page.get_by_test_id("carries")).to_be_visible()
    page.get_by_test_id("to-reports").click()
    expect(page.get_by_test_id("counts")).to_be_visible()

    page.goto(page.url.split("/reports")[0] + f"/rounds/{round_.id}")  # and now it never comes
    expect(page.get_by_test_id("to-reports")).to_be_visible()
    assert late


def test_grouped_bars_run_in_the_order_of_the_legend(open_as: OpenAs, engine: Engine) -> None:
    round_ = a_round_of_today(engine)
    page = open_as(Role.AUDITOR, f"rounds/{round_.id}")
    page.get_by_test_id("to-reports").click()
    chart = page.get_by_test_id("counts").locator(".recharts-wrapper")
    bars = chart.locator(".recharts-bar-rectangle path")
    expect(bars).to_have_count(2)
    assert bars.evaluate_all(FROM_RIGHT) == ["var(--chart-3)", "var(--chart-1)"]  # registered, reached
    legend = chart.locator(".mantine-ChartLegend-legendItem").evaluate_all(FROM_RIGHT)
    heads = page.get_by_test_id("counts").get_by_role("columnheader").all_inner_texts()
    assert legend == [heads[1], heads[3], heads[5]]


def test_narrow_english_page_cuts_no_way_to_group(open_as: OpenAs, engine: Engine) -> None:
    a_round_of_today(engine)
    page = open_as(Role.AUDITOR, "reports", language="en")
    page.set_viewport_size({"width": 360, "height": 740})
    ways = page.get_by_test_id("by")
    page.get_by_test_id("counts").wait_for()
    edge = ways.evaluate("(group) => group.getBoundingClientRect().right")
    for way in ("Week", "Round", "Official", "District", "Subject"):
        label = ways.get_by_text(way, exact=True)
        assert label.evaluate(
            "(word) => word.closest('label').scrollWidth <= word.closest('label').clientWidth"
        ), way
        assert label.evaluate("(word) => word.getBoundingClientRect().right") <= edge, way
    ways.get_by_text("Subject", exact=True).click()
    expect(page.get_by_role("heading", level=2).filter(has_text="Subject")).to_be_visible()
    expect(page.locator("html")).to_have_js_property("scrollWidth", 360)


def test_round_report_agrees_on_page_files_and_paper(open_as: OpenAs, engine: Engine) -> None:
    round_ = a_round_of_today(engine)
    page = open_as(Role.AUDITOR, f"rounds/{round_.id}")
    page.get_by_test_id("to-reports").click()
    counts = page.get_by_test_id("counts")
    expect(counts.get_by_role("row").nth(1)).to_contain_text("=شهردار اصفهان")
    expect(counts.get_by_role("row").last.get_by_role("cell")).to_have_text(["۳", "۰", "۱", "۲", "۰"])
    expect(page.get_by_test_id("waits").get_by_role("row").last.get_by_role("cell")).to_have_text(
        ["۶۰", "۶۰"]
    )
    sound = page.get_by_test_id("sound").get_by_role("row").last.get_by_role("cell")
    expect(sound).to_have_text(["۲٫۵", "۱۰۰٪"])
    expect(page.get_by_test_id("outcomes")).to_contain_text("نوبت به ایشان نرسید")
    page.get_by_test_id("by").get_by_text("موضوع").click()
    expect(counts).to_contain_text("زباله و نظافت")
    expect(page.get_by_test_id("pace")).to_have_count(0)
    is_fit(page)

    page.get_by_test_id("by").get_by_text("دور").click()
    expect(counts).to_contain_text("شهردار")
    text = taken(page, "csv").decode("utf-8")
    header, row, total = csv.reader(io.StringIO(text.removeprefix("\ufeff")))
    assert text.startswith("\ufeff") and header[:3] == ["مسئول", "روز", "تاریخ میلادی"]
    assert row[0] == "'=شهردار اصفهان" and row[3:7] == ["3", "0", "1", "2"] and total[0] == "همه"
    sheet = load_workbook(io.BytesIO(taken(page, "xlsx"))).active
    assert sheet.sheet_view.rightToLeft
    assert [cell.value for cell in sheet[2]][3:10] == [3, 0, 1, 2, 0, 1, 1]
    assert [cell.value for cell in sheet[2]][15:17] == [2.5, 1]
    assert sheet["A2"].value == "'=شهردار اصفهان" and sheet["A2"].data_type == "s"

    page.emulate_media(media="print")
    expect(page.get_by_test_id("from")).to_be_hidden()
    expect(page.get_by_test_id("sign-out")).to_be_hidden()
    expect(page.get_by_text("شهرداری اصفهان · ۱۳۷")).to_be_visible()
    page.set_viewport_size({"width": 703, "height": 1000})  # A4 between its margins: nothing is cut
    expect(page.locator("html")).to_have_js_property("scrollWidth", 703)


def test_chosen_days_are_requested_in_english(open_as: OpenAs, engine: Engine) -> None:
    round_ = a_round_of_today(engine)
    with writing(engine) as session:
        a_round(session)  # of another official, who is not told of here
    page = open_as(Role.OFFICIAL, "reports", language="en", official_id=round_.official_id)
    expect(page.get_by_test_id("counts").get_by_role("row")).to_have_count(3)
    page.get_by_test_id("quick-month").click()
    expect(page.get_by_test_id("empty")).to_have_text("There was no round in these days.")
    page.get_by_test_id("quick-week").click()
    expect(page.get_by_test_id("totals")).to_contain_text("New registrations3")
    page.goto(page.url.replace("until=2", "until=1"))
    expect(page.get_by_test_id("wrong-span")).to_be_visible()
