"""The tables. Rules that must always hold are indexes and checks here, not code elsewhere."""

from db.models.base import Base, UtcDateTime, word, words
from db.models.callbacks import Breaker, Callback, CallQuality, Guest, Note, PlacedCall, WaitingCaller
from db.models.categories import Category, Evidence, Responsible, TimeUnit
from db.models.citizens import CitizenCode, CitizenSession, CodeWay, Erasure, KnownBrowser
from db.models.desks import Break, BreakReason, Desk, DeskMessage, DeskWord, Hearing
from db.models.keys import ApiKey
from db.models.ledger import LedgerEntry, Seal
from db.models.line import (
    STRETCHES,
    BlockedNumber,
    BlockReason,
    CallerNow,
    Carry,
    Confirmation,
    ConfirmationKind,
    LineCount,
    Registration,
    SilentCaller,
    TurnNearCall,
)
from db.models.log import AuditEntry, Event, Heartbeat
from db.models.outbox import TO_WEBHOOKS, Delivery, OutboxKind, OutboxMessage
from db.models.people import FailedSignIn, RecoveryCode, Role, SignIn, User, Wall
from db.models.pictures import Picture, PictureKind, PublicPicture
from db.models.recordings import Recording, VoiceSummary
from db.models.reports import Incoming, IncomingCalls, RequestFigures
from db.models.requests import (
    Department,
    Escalation,
    Follower,
    Rating,
    Release,
    Reminder,
    Request,
    RequestEntry,
    SolvedCall,
)
from db.models.rounds import Official, OfficialKind, Round, Subject, round_deputies
from db.models.timetable import (
    DayOverride,
    Holiday,
    TimetableOfficial,
    TimetableRule,
    timetable_deputies,
)
from db.models.uploads import Upload, UploadKind
from db.models.urgent import RescueCall, UrgentMatter

__all__ = [
    "STRETCHES",
    "TO_WEBHOOKS",
    "ApiKey",
    "AuditEntry",
    "Base",
    "BlockReason",
    "BlockedNumber",
    "Break",
    "BreakReason",
    "Breaker",
    "CallQuality",
    "Callback",
    "CallerNow",
    "Carry",
    "Category",
    "CitizenCode",
    "CitizenSession",
    "CodeWay",
    "Confirmation",
    "ConfirmationKind",
    "DayOverride",
    "Delivery",
    "Department",
    "Desk",
    "DeskMessage",
    "DeskWord",
    "Erasure",
    "Escalation",
    "Event",
    "Evidence",
    "FailedSignIn",
    "Follower",
    "Guest",
    "Hearing",
    "Heartbeat",
    "Holiday",
    "Incoming",
    "IncomingCalls",
    "KnownBrowser",
    "LedgerEntry",
    "LineCount",
    "Note",
    "Official",
    "OfficialKind",
    "OutboxKind",
    "OutboxMessage",
    "Picture",
    "PictureKind",
    "PlacedCall",
    "PublicPicture",
    "Rating",
    "Recording",
    "RecoveryCode",
    "Registration",
    "Release",
    "Reminder",
    "Request",
    "RequestEntry",
    "RequestFigures",
    "RescueCall",
    "Responsible",
    "Role",
    "Round",
    "Seal",
    "SignIn",
    "SilentCaller",
    "SolvedCall",
    "Subject",
    "TimeUnit",
    "TimetableOfficial",
    "TimetableRule",
    "TurnNearCall",
    "Upload",
    "UploadKind",
    "UrgentMatter",
    "User",
    "UtcDateTime",
    "VoiceSummary",
    "WaitingCaller",
    "Wall",
    "round_deputies",
    "timetable_deputies",
    "word",
    "words",
]
