"""Names fit to stand in a round's notice; `notices` chooses its sentences, hotline/words/public/ has them."""

from db.models import Official, Round
from hotline import characters
from hotline.dates import Language
from hotline.words import PUBLIC


def plain(text: str) -> str:
    """One line of what a person typed, without signs that are invisible or turn other text round."""
    return " ".join(characters.cleaned(text).split())


def office(official: Official, language: Language) -> str:
    """The name of the office, fit to be published."""
    return plain(official.office_fa if language == "fa" else official.office_en)


def who(round_: Round, language: Language) -> str:
    """Who answers: the official, or the substitute in their place."""
    official = office(round_.official, language)
    if round_.substitute is None:
        return official
    names = {"substitute": office(round_.substitute, language), "official": official}
    return PUBLIC.fill(language, "notice", "instead", names)
