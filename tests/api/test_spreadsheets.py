"""Tables to take along: as wide as they get, and nothing in them is a formula."""

import asyncio
import io

from fastapi.responses import StreamingResponse
from openpyxl import load_workbook

from api import spreadsheets

COLUMNS = 31
FORMULA = '=HYPERLINK("http://example.org")'


def _bytes(response: StreamingResponse) -> bytes:
    async def read() -> bytes:
        parts = [part async for part in response.body_iterator]
        return b"".join(part.encode() if isinstance(part, str) else bytes(part) for part in parts)

    return asyncio.run(read())


def test_sheet_has_more_columns_than_letters() -> None:
    header = [f"ستون {number}" for number in range(COLUMNS)]
    book = load_workbook(io.BytesIO(_bytes(spreadsheets.make_xlsx("report", header, [header], "fa"))))
    assert [cell.value for cell in book["137"][1]] == header


def test_formula_is_written_as_text() -> None:
    book = load_workbook(io.BytesIO(_bytes(spreadsheets.make_xlsx("report", ["a"], [[FORMULA]], "en"))))
    assert book["137"]["A2"].data_type == "s"
    line = _bytes(spreadsheets.make_csv("report", ["a"], [[FORMULA]])).decode("utf-8-sig").splitlines()[1]
    assert not line.lstrip('"').startswith("=")


def test_leading_zero_survives_a_spreadsheet() -> None:
    row = ["09131112233", "012345678", "0", "0.5", 7, "0913…33"]
    header = ["a"] * len(row)

    def line(*, for_programs: bool) -> str:
        table = _bytes(spreadsheets.make_csv("report", header, [row], for_programs=for_programs))
        return table.decode("utf-8-sig").splitlines()[1]

    assert line(for_programs=False) == "'09131112233,'012345678,0,0.5,7,0913…33"
    assert line(for_programs=True) == "09131112233,012345678,0,0.5,7,0913…33"
    book = load_workbook(io.BytesIO(_bytes(spreadsheets.make_xlsx("report", header, [row], "en"))))
    assert [book["137"][f"{column}2"].value for column in "AB"] == row[:2]
