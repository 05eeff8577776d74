"""Commands hotline137 city: the file that describes the city, checked and loaded into the tables."""

from pathlib import Path

import typer

from hotline import audit
from hotline.setup import city_rows
from ops.terminal import fail, load_settings, open_transaction
from prompts import catalogue
from settings import city_file
from settings.city_file import City, CityError

app = typer.Typer(no_args_is_help=True, help="The city: its file, its offices and departments.")


@app.command()
def check(file: Path) -> None:
    """Check a city's file and print its faults; nothing is changed."""
    city = _read(file)
    typer.echo(
        f"{city.name('en')}: {len(city.districts)} districts, {len(city.offices)} offices, "
        f"{len(city.departments)} departments"
    )


@app.command()
def load(
    file: Path | None = typer.Argument(None, help="The city's file; the one in force if not given."),  # noqa: B008
) -> None:
    """Load a city's offices and departments into the database: adds and renames, deletes nothing."""
    city = _read(file or load_settings().city_path)
    with open_transaction() as session:
        done = city_rows.load(session, city, who=audit.COMMAND_LINE)
    for what, names in (("added", done.added), ("renamed", done.renamed), ("not in the file", done.beyond)):
        for name in names:
            typer.echo(f"{what:<16} {name}")
    if file and file.absolute() != load_settings().city_path:
        typer.echo(f"Its names and look are in force with HOTLINE_CITY={file.absolute()}, after a start.")


def _read(file: Path) -> City:
    try:
        return city_file.read(file, catalogue.list_office_clips())
    except CityError as error:
        raise fail("\n".join(f"{file}: {line}" for line in str(error).splitlines())) from None
