"""The settings as others read them: each is explained, and what is made of them is current."""

import re
from pathlib import Path

import pytest

from ops import settings_docs
from settings import Settings, load

pytestmark = pytest.mark.usefixtures("own_environment")


def test_settings_are_explained_and_their_files_current() -> None:
    project = Path(settings_docs.__file__).parent.parent

    explained = [
        name for part in settings_docs.list_parts() for name in settings_docs.find_explanations(part)
    ]
    assert explained == list(Settings.model_fields)
    assert (project / "docs" / "settings.md").read_text() == settings_docs.render_page()
    assert (project / "hotline.env.example").read_text() == settings_docs.render_example()


def test_uncommented_example_equals_the_defaults(tmp_path: Path, own_environment: None) -> None:
    filled_in = re.sub(r"^#(HOTLINE_)", r"\1", settings_docs.render_example(), flags=re.M)
    file = tmp_path / "hotline.env"
    file.write_text(filled_in)

    assert load(_env_file=file) == load(_env_file=None)
