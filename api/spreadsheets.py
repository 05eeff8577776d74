"""Exported tables, CSV and XLSX, written row by row: a long one needs no more memory."""

import csv
import io
import re
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import chain

import jdatetime
from fastapi.responses import StreamingResponse

from hotline.dates import Language
from settings import CITY

Cell = str | int | float | None

_BOM = "\N{ZERO WIDTH NO-BREAK SPACE}"
"""The byte order mark that tells a spreadsheet that the file is UTF-8."""
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "|")
_LED_BY_ZERO = re.compile(r"0[0-9]+")
_CHUNK = 1 << 16
_WIDTH = 18


def escape_cell(cell: Cell) -> Cell:
    """Return the cell; a text that a spreadsheet would run as a formula gets an apostrophe in front."""
    return f"'{cell}" if isinstance(cell, str) and cell.lstrip(" ").startswith(_FORMULA) else cell


def keep_zero(cell: Cell) -> Cell:
    """Return a CSV's cell; a number with a leading 0 gets an apostrophe in front.

    Otherwise a spreadsheet would drop the 0 of a telephone, ticket or tracking number. An XLSX needs no
    apostrophe.
    """
    return f"'{cell}" if isinstance(cell, str) and _LED_BY_ZERO.fullmatch(cell) else cell


def format_moment(at: datetime | None, language: Language) -> str:
    """Return the time by the city's clock and the language's calendar, in a form that sorts."""
    if at is None:
        return ""
    local = at.astimezone(CITY)
    shown = jdatetime.datetime.fromgregorian(datetime=local) if language == "fa" else local
    return shown.strftime("%Y-%m-%d %H:%M:%S")


def make_csv(
    name: str, header: Sequence[str], rows: Iterable[Sequence[Cell]], *, for_programs: bool = False
) -> StreamingResponse:
    """Return the table as `name`.csv. `for_programs`: numbers with a leading 0 stay as they are."""
    kept = (lambda cell: cell) if for_programs else keep_zero

    def parts() -> Iterator[str]:
        buffer = io.StringIO(_BOM)
        buffer.seek(0, io.SEEK_END)
        writer = csv.writer(buffer)
        for row in chain([header], rows):
            writer.writerow([kept(escape_cell(cell)) for cell in row])
            if buffer.tell() > _CHUNK:
                yield buffer.getvalue()
                buffer.seek(0)
                buffer.truncate()
        yield buffer.getvalue()

    return StreamingResponse(parts(), media_type="text/csv; charset=utf-8", headers=_named(f"{name}.csv"))


def make_xlsx(
    name: str, header: Sequence[str], rows: Iterable[Sequence[Cell]], language: Language
) -> StreamingResponse:
    """Return the table as `name`.xlsx; a Persian sheet runs from right to left."""
    # imported late: it costs a third of the whole API's import time, and few people export a sheet
    from openpyxl import Workbook  # noqa: PLC0415
    from openpyxl.cell import WriteOnlyCell  # noqa: PLC0415
    from openpyxl.styles import Font  # noqa: PLC0415
    from openpyxl.utils import get_column_letter  # noqa: PLC0415

    book = Workbook(write_only=True)
    sheet = book.create_sheet("137")
    sheet.sheet_view.rightToLeft = language == "fa"
    sheet.freeze_panes = "A2"
    for column in range(len(header)):
        sheet.column_dimensions[get_column_letter(column + 1)].width = _WIDTH
    head = [WriteOnlyCell(sheet, value=escape_cell(cell)) for cell in header]
    for cell in head:
        cell.font = Font(bold=True)
    sheet.append(head)
    for row in rows:
        sheet.append([escape_cell(cell) for cell in row])
    file = tempfile.TemporaryFile()  # noqa: SIM115  (closed once it is sent)
    book.save(file)
    file.seek(0)

    def parts() -> Iterator[bytes]:
        with file:
            while chunk := file.read(_CHUNK):
                yield chunk

    media = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    return StreamingResponse(parts(), media_type=media, headers=_named(f"{name}.xlsx"))


def _named(name: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{name}"'}
