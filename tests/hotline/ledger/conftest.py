"""A citizen's and a desk's story for the ledger to tell."""

import pytest
from sqlalchemy import Engine

from settings import Settings
from tests.kit.story import Story


@pytest.fixture
def conf(settings: Settings) -> Settings:
    return settings.model_copy(update={"max_attempts": 2, "retry_seconds": 3600})


@pytest.fixture
def story(engine: Engine, conf: Settings) -> Story:
    return Story(engine, conf)
