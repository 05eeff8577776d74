"""Names in the form for a round's notice; `notices` chooses the sentences, hotline/words/public/ has them."""

from db.models import Official, Round
from hotline import control_characters
from hotline.dates import Language
from hotline.words import PUBLIC


def clean_line(text: str) -> str:
    """Return a person's text as one line, without invisible characters and direction marks."""
    return " ".join(control_characters.clean(text).split())


def format_office(official: Official, language: Language) -> str:
    """Return the office's name in the form for publication."""
    return clean_line(official.office_fa if language == "fa" else official.office_en)


def find_speaker_name(round_: Round, language: Language) -> str:
    """Return who answers: the official, or the substitute in their place."""
    official = format_office(round_.official, language)
    if round_.substitute is None:
        return official
    names = {"substitute": format_office(round_.substitute, language), "official": official}
    return PUBLIC.fill(language, "notice", "instead", names)
