"""What a citizen does not want to be told of requests, and in which way; all is told until then."""

from collections.abc import Collection, Sequence

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from db.models import MutedNotice, NoticeTopic, NoticeWay


def muted(session: Session, number: str) -> Sequence[MutedNotice]:
    """What an E.164 number has switched off."""
    return session.scalars(select(MutedNotice).where(MutedNotice.number == number)).all()


def wanted(session: Session, number: str, topic: NoticeTopic) -> Collection[NoticeWay]:
    """In which ways this number wants to be told of this."""
    off = {each.way for each in muted(session, number) if each.topic is topic}
    return [way for way in NoticeWay if way not in off]


def choose(session: Session, number: str, topic: NoticeTopic, ways: Collection[NoticeWay]) -> None:
    """The number is told of this in these ways alone, from now on. The caller has the number to itself."""
    mine = MutedNotice.number == number, MutedNotice.topic == topic
    session.execute(delete(MutedNotice).where(*mine).execution_options(synchronize_session=False))
    session.add_all(MutedNotice(number=number, topic=topic, way=way) for way in NoticeWay if way not in ways)
    session.flush()
