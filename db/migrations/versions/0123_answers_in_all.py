"""Find the answers of a day to the text messages of all numbers without reading the whole outbox."""

import sqlalchemy as sa
from alembic import op

revision = "0123"
down_revision = "0122"


def upgrade() -> None:
    """Add one small index: answers are few among messages."""
    answers = sa.text("kind = 'answer'")
    op.create_index("outbox_answers", "outbox", ["made_at"], sqlite_where=answers, postgresql_where=answers)
