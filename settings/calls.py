"""Calls: desks, callers, callbacks, urgent cases, prompts."""

from datetime import time

from pydantic import Field, ValidationInfo, field_validator

from settings.part import Part
from settings.values import Quiet, QuietHours, VoiceFiles, Words


class Calls(Part):
    """Calls: desks, callers, callbacks, urgent cases, prompts."""

    desks: int = Field(60, ge=1, le=500)
    """How many desks the office has; each has a phone account."""
    max_calls: int = Field(200, ge=1, le=5000)
    """Callers at one time, at most. A further caller hears that the lines are full. If the trunk has no
    channel left for that, the caller gets a busy signal."""
    callers_per_number: int = Field(4, ge=1, le=5000)
    """Callers at one time with the same number, at most, once half of all lines are taken. A further call
    gets a busy signal and takes no line. Calls with a hidden number are not counted."""
    ring_seconds: int = Field(30, ge=5, le=120)
    """How long a citizen's phone rings. Below 8, a slow trunk may ring a phone after the dialer gave the call
    up. An unanswered invitation lasts 7.5 seconds."""
    answer_seconds: float = Field(7.0, gt=0, le=60)
    """How long a caller has to press a key after a question."""
    detect_machines: bool = False
    """Listen for an answering machine when a callback is answered. If one seems to speak, ask only once for
    the 1. The hint decides nothing else. It costs every citizen up to two seconds of silence."""
    max_attempts: int = Field(3, ge=1, le=20)
    """Callbacks to one registration in one round, at most."""
    retry_seconds: int = Field(600, ge=0)
    """Wait before an unanswered callback is retried, from the citizen's own place; the wait doubles each
    time. A busy phone waits half of it, an unreachable one twice as long (hotline/callbacks/schedule.py)."""
    hold_seconds: int = Field(60, ge=5, le=600)
    """How long a citizen hears music while a desk that was lost in a conversation may come back."""
    on_hold_seconds: int = Field(180, ge=5, le=600)
    """How long a desk may keep a citizen on hold. Then the citizen is connected with the desk again."""
    call_ahead_most: int = Field(4, ge=1, le=10)
    """Citizens called ahead for each desk of a round, at most, including those who wait for the desk. The
    dialer calls so many only while few answer."""
    calls_per_number: int = Field(8, ge=1, le=100)
    """Outgoing calls of any kind to one number in 24 hours, at most. A place's first call in its round is
    made all the same. Calls to supervisors about urgent cases and to the emergency service have their own
    hourly caps."""
    calls_per_hour: int = Field(300, ge=1, le=100_000)
    """Outgoing calls in an hour, all together: a cap on a runaway bill."""
    calls_per_day: int = Field(3000, ge=1, le=1_000_000)
    """Outgoing calls in 24 hours, all together."""
    calls_at_once: int = Field(20, ge=1, le=1000)
    """Outgoing calls at one time; callers use channels of the same trunk."""
    registrations_per_day: int = Field(3, ge=1, le=100)
    """Places that one caller may ask for in 24 hours, for any number. Counting places that were given up
    again, the cap is twice as high. The operators' line is counted apart."""
    urgent_number: str = Field("", pattern=r"^(\d{2,15})?$")
    """The emergency service's number, as it is dialled. With no free desk, a caller who presses 3 for danger
    is connected with it or told to dial it. Empty: neither."""
    urgent_minutes: int = Field(5, ge=1, le=60)
    """How long an urgent request or a caller in danger may wait before supervisors are called."""
    supervisor_numbers: Words = ()
    """Supervisors' numbers, called and texted in this order: +989131234567. Empty: nobody."""
    quiet_hours: Quiet = QuietHours(time(22), time(8))
    """When citizens get no text message, no callback, no confirmation call and no call that their turn is
    near. In the city's own time; 00:00-00:00 is never."""
    turn_near_places: int = Field(5, ge=1, le=100)
    """A citizen who comes within this many places of a live round's front gets a text message."""
    turn_near_call: bool = False
    """Call these citizens, too, once a round. They press 1 if they can be reached in these minutes, 2 for the
    next round."""
    line_wait_minutes: int = Field(15, ge=1, le=120)
    """How long a caller waits on the line for an operator. Then the system says that it will call back."""
    prompts_piper: VoiceFiles = Field({})
    """Voice files of Piper, by language: fa=/srv/voices/fa.onnx. Piper itself is installed separately. These
    files win over those that `hotline137 prompts voice` has downloaded."""
    prompts_gtts: bool = False
    """Let gTTS speak the prompts in the languages it has (not Persian); it sends their text to Google."""

    @field_validator("supervisor_numbers")
    @classmethod
    def _supervisors(cls, value: tuple[str, ...], others: ValidationInfo) -> tuple[str, ...]:
        # these settings are wrong themselves and named in their own error
        prefixes = others.data.get("allowed_prefixes") or "+"
        if not all(n[1:].isdecimal() and 9 <= len(n) <= 16 and n.startswith(prefixes) for n in value):
            raise ValueError("must be numbers such as +989131234567, of the allowed prefixes")
        return value
