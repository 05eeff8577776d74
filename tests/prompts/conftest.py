"""No studio recordings, so that what is built is the synthetic voice's."""

from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def no_recordings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("no-recordings")
