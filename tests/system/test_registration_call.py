"""A real phone dials the real system: what it hears and what is registered."""

from tests.kit import sound
from tests.kit.phone import Phone
from tests.kit.process import until
from tests.kit.system import System


def _until_heard(phone: Phone, system: System, clip: str, timeout: float = 30.0) -> None:
    path = system.clips[clip]
    until(lambda: sound.best_score(phone.recording(), path) > sound.THRESHOLD, f"heard {clip}", timeout)


def _said(phone: Phone, system: System) -> list[str]:
    return [match.clip for match in sound.heard(phone.recording(), system.clips)]


def test_given_a_phone_when_it_registers_by_keys_then_it_hears_the_right_prompts(system: System) -> None:
    number = system.number()
    with system.only_round() as round_id, Phone(number, port=system.trunk_port) as phone:
        phone.dial(system.hotline)
        phone.wait_for("established")
        _until_heard(phone, system, "greeting")
        phone.press("1")
        _until_heard(phone, system, "confirm-number.1")
        phone.press("1")
        phone.wait_for("closed", timeout=60)
        [registration] = system.registrations(round_id)
        said = _said(phone, system)

    assert registration.number == "+98" + number[1:]
    assert said[0] == "greeting"
    told = said[said.index("registered.1") :]
    spoken_ticket = told[1 : told.index("ticket-again.1")]
    digits = [clip[-1] for clip in spoken_ticket if clip != "pause"]
    assert "".join(digits) == registration.ticket
    assert told[-3:] == ["ahead-none", "will-call", "goodbye"]
