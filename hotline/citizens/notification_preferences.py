"""Notification preferences: which topics and ways a citizen has switched off. By default all are on."""

from collections.abc import Collection, Sequence

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from db.models import MutedNotice, NoticeTopic, NoticeWay


def list_muted(session: Session, number: str) -> Sequence[MutedNotice]:
    """Return the topics and ways that an E.164 number has switched off."""
    return session.scalars(select(MutedNotice).where(MutedNotice.number == number)).all()


def list_wanted_ways(session: Session, number: str, topic: NoticeTopic) -> Collection[NoticeWay]:
    """Return the ways in which this number wants notices of this topic."""
    off = {each.way for each in list_muted(session, number) if each.topic is topic}
    return [way for way in NoticeWay if way not in off]


def choose(session: Session, number: str, topic: NoticeTopic, ways: Collection[NoticeWay]) -> None:
    """Set the ways in which the number gets notices of a topic. The caller must hold the number's lock."""
    mine = MutedNotice.number == number, MutedNotice.topic == topic
    session.execute(delete(MutedNotice).where(*mine).execution_options(synchronize_session=False))
    session.add_all(MutedNotice(number=number, topic=topic, way=way) for way in NoticeWay if way not in ways)
    session.flush()
