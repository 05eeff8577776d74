"""Callers and calls of ours by the real Kamailio: to which node, and what both sides hear."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.kit.process import in_time, until
from tests.kit.proxied import STRANGER, MakeCall, Place, make, node_of, place, route, running, started
from tests.kit.sip_peer import Call

pytestmark = pytest.mark.long

__all__ = ["make", "place", "running"]


def test_each_caller_goes_to_the_node_with_the_fewest_calls(place: Place, make: MakeCall):
    first = [make() for _ in range(10)]
    assert [call.status for call in first] == ["200"] * 10
    assert (len(place.one.callers()), len(place.two.callers())) == (5, 5)

    for call in first:
        if node_of(place, call) is place.one:
            assert call.ask("BYE").text.startswith("SIP/2.0 200")
    place.one.requests.clear()
    for _ in range(4):
        make()
    assert len(place.one.callers()) == 4


def test_requests_within_a_call_pass_the_same_node(place: Place, make: MakeCall):
    call = make()
    node = node_of(place, call)
    node.requests.clear()

    assert call.ask("INVITE").text.startswith("SIP/2.0 200")
    assert len(node.of("INVITE")) == 1
    until(lambda: node.of("ACK"), "what nobody answers has arrived, too")
    assert node.hang_up(call.call_id).text.startswith("SIP/2.0 200")
    assert [bye.call_id for bye in place.carrier.of("BYE")] == [call.call_id]


def test_cancelled_call_reaches_its_node_at_once(
    place: Place,
):
    for node in (place.one, place.two):
        node.rings = True
    call = Call(place.carrier, place.kamailio.address, f"sip:137@{place.settings.sip_proxy}")
    call.begin()
    until(lambda: place.one.callers() + place.two.callers(), "it rings")
    call.cancel()

    assert call.finish().text.startswith("SIP/2.0 487")
    assert len(place.one.of("CANCEL") + place.two.of("CANCEL")) == 1
    assert place.kamailio.nodes().count("DLGLOAD: 0") == 2


def test_callers_of_a_lost_node_reach_the_other_within_3_s(place: Place, make: MakeCall):
    gone = time.monotonic()
    place.one.silent = True
    calls = []
    while not any(node_of(place, call) is place.two and call.took > 1.0 for call in calls) and len(calls) < 4:
        calls.append(make())
    assert all(call.status == "200" and in_time(call.took, 5) for call in calls)
    assert all(node_of(place, call) is place.two for call in calls)
    until(lambda: place.state(place.one) == "I", "it is noticed", every=0.02)
    assert in_time(time.monotonic() - gone, 3)
    assert "node one is gone" in place.kamailio.log()

    place.one.well()
    until(lambda: place.state(place.one) == "A", "it is there again", timeout=5)


def test_silence_of_an_idle_node_is_noticed_within_3_s(place: Place):
    gone = time.monotonic()
    place.two.silent = True
    until(lambda: place.state(place.two) == "I", "it is noticed", every=0.02)
    took = time.monotonic() - gone
    assert in_time(took, 3)


def test_one_lost_ping_keeps_a_node_in_service(place: Place):
    before = place.kamailio.log()
    place.one.lost = 2  # a question is sent twice
    until(lambda: place.one.lost == 0, "both were lost")
    asked = len(place.one.of("OPTIONS"))
    until(lambda: len(place.one.of("OPTIONS")) >= asked + 3, "it is asked again")
    until(place.all_there, "both are there")
    assert place.kamailio.log() == before


def test_nodes_that_answer_no_ping_are_tried_all_the_same(place: Place, make: MakeCall):
    place.one.lost = place.two.lost = 1000  # a rush
    until(lambda: place.state(place.one) + place.state(place.two) == "II", "both count as gone")
    calls = [make() for _ in range(4)]
    assert [call.status for call in calls] == ["200"] * 4
    assert {node_of(place, call) for call in calls} == {place.one, place.two}

    place.one.silent = True  # and one of them is gone indeed
    more = [make() for _ in range(2)]
    assert [node_of(place, call) for call in more] == [place.two] * 2


def test_caller_of_a_full_node_reaches_the_next(place: Place, make: MakeCall):
    place.one.full = True
    calls = [make() for _ in range(4)]

    assert [node_of(place, call) for call in calls] == [place.two] * 4
    assert not place.one.said_full


def test_callers_hear_that_lines_are_full_from_one_node_only(place: Place, make: MakeCall):
    place.one.full = place.two.full = True
    call = make()

    assert place.one.said_full + place.two.said_full == [call.call_id]
    assert len(place.one.of("INVITE")) + len(place.two.of("INVITE")) == 3


def test_node_that_said_full_is_not_asked_for_a_moment(place: Place, make: MakeCall):
    place.one.full = True
    began = time.monotonic()
    calls = [make() for _ in range(8)]
    asked = len(place.one.of("INVITE"))
    assert 1 <= asked <= (time.monotonic() - began) / 0.3 + 1 < 8, "of eight callers"
    assert {node_of(place, call) for call in calls} == {place.two}
    place.one.full = False
    until(lambda: node_of(place, make()) is place.one, "it takes callers again")


def test_rush_on_full_nodes_is_answered_in_part_or_told_to_retry(place: Place, make: MakeCall):
    place.one.full = place.two.full = True
    before = place.turned_away()
    began = time.monotonic()
    calls = [make() for _ in range(20)]
    seconds = int(time.monotonic() - began) + 1
    told = [call for call in calls if call.status == "200"]
    away = [call for call in calls if call.status == "503"]

    assert len(told) + len(away) == len(calls)
    assert 1 <= len(told) <= (seconds + 1) * 5 * 2, "five in a second for each node"
    assert place.one.said_full and place.two.said_full, "not all by one"
    assert all(int(call.first.header("Retry-After")) > 0 for call in away)
    assert sorted(place.one.said_full + place.two.said_full) == sorted(call.call_id for call in told)
    assert place.turned_away() == before | {"full": before["full"] + len(away)}
    asked_in_vain = sum(len(node.of("INVITE")) for node in (place.one, place.two)) - len(told)
    assert asked_in_vain <= (seconds / 0.3 + 1) * 2, "and not for each of them"


def test_node_that_was_full_is_asked_again_when_the_other_hangs(place: Place, make: MakeCall):
    place.one.full = True
    until(lambda: make() and place.one.of("INVITE"), "it has said that it is full")
    place.one.full, place.two.silent = False, True
    with ThreadPoolExecutor(16) as pool:
        calls = list(pool.map(lambda _: make(), range(16)))

    assert {(call.status, node_of(place, call)) for call in calls} == {("200", place.one)}
    assert not place.one.said_full


def test_nodes_without_scripts_still_answer_each_call(place: Place, make: MakeCall):
    place.one.sick = place.two.sick = True
    calls = [make() for _ in range(9)]

    assert [call.status for call in calls] == ["200"] * 9
    assert not place.kamailio.ask("htable.dump", "full").strip("{}\n\t "), "none counts as full"


def test_full_node_answers_when_the_other_is_drained(place: Place, make: MakeCall):
    place.one.sick, place.two.full = True, True
    call = make()

    assert node_of(place, call) is place.two
    assert place.two.said_full == [call.call_id]


def test_nodes_without_any_line_give_503_with_retry_after(place: Place, make: MakeCall):
    for node in (place.one, place.two):
        node.full = node.no_line = True
    before = place.turned_away()
    call = make()

    assert call.status == "503"
    assert int(call.first.header("Retry-After")) > 0
    assert place.turned_away() == before | {"full": before["full"] + 1}


def test_drained_nodes_give_503_at_once(place: Place, make: MakeCall):
    for node in (place.one, place.two):
        node.drains = True
    until(lambda: place.state(place.one) + place.state(place.two) == "II", "both are out")
    said = place.kamailio.log().splitlines()[-2:]
    assert {line.rpartition(": ")[2] for line in said} == {"node one is gone", "node two is gone"}
    before = place.turned_away()
    call = make()

    assert call.status == "503" and call.first.header("Retry-After")
    assert in_time(call.took, 1)
    assert place.turned_away() == before | {"full": before["full"] + 1}, "each was asked, and said so"
    asked = Call(place.carrier, place.kamailio.address, f"sip:{place.settings.sip_proxy}")
    assert asked.ask("OPTIONS").text.startswith("SIP/2.0 503")


def test_silent_nodes_give_503_counted_as_nobody(place: Place, make: MakeCall):
    before = place.turned_away()
    place.one.silent = place.two.silent = True
    call = make()

    assert call.status == "503" and int(call.first.header("Retry-After")) > 1
    assert place.turned_away() == before | {"nobody": before["nobody"] + 1}


def test_callers_of_an_unroutable_node_reach_the_other(
    tmp_path: Path,
):
    with started(Place(tmp_path, one="240.0.0.1:5060")) as place:
        until(lambda: "node one is gone" in place.kamailio.log(), "it is left out")
        place.two.lost = 1000  # now both are, and each is tried
        until(lambda: "node two is gone" in place.kamailio.log(), "so is the other")
        target = f"sip:137@{place.settings.sip_proxy}"
        calls = [Call(place.carrier, place.kamailio.address, target) for _ in range(4)]
        answers = [call.ask("INVITE") for call in calls]
        assert [answer.text.split()[1] for answer in answers if answer] == ["200"] * 4
        assert in_time(max(call.took for call in calls), 1)

        place.two.silent = True
        call = Call(place.carrier, place.kamailio.address, target)
        call.ask("INVITE")
        assert call.status == "503" and int(call.first.header("Retry-After")) > 1
        assert place.turned_away()["nobody"] == 1


def test_draining_node_keeps_its_calls_and_gets_no_new_ones(place: Place, make: MakeCall):
    calls = [make(), make()]
    (kept,) = [call for call in calls if node_of(place, call) is place.one]
    place.one.drains = True
    until(lambda: place.state(place.one) == "I", "it takes no more")
    assert {node_of(place, make()) for _ in range(3)} == {place.two}
    assert kept.ask("BYE").text.startswith("SIP/2.0 200")
    assert place.one.of("BYE")

    place.one.drains = False
    until(place.all_there, "both take callers")
    place.kamailio.ask("dispatcher.set_state", "dx", "1", f"sip:127.0.0.1:{place.one.port}")
    assert {node_of(place, make()) for _ in range(3)} == {place.two}
    place.kamailio.ask("dispatcher.set_state", "ax", "1", f"sip:127.0.0.1:{place.one.port}")


def test_restart_of_a_killed_proxy_lets_both_sides_hang_up(place: Place, make: MakeCall):
    ours, theirs = make(), make()
    place.kamailio.kill()
    place.kamailio.start()

    assert node_of(place, ours).hang_up(ours.call_id).text.startswith("SIP/2.0 200")
    assert theirs.ask("BYE").text.startswith("SIP/2.0 200")
    assert make().status == "200"


def test_outgoing_call_shows_the_carrier_no_inner_address(place: Place):
    carrier = str(place.settings.trunks[0].host)
    out = Call(
        place.one,
        place.kamailio.address,
        f"sip:09131234567@{carrier}",
        more=[route(place), "X-Hotline-Secret: 1"],
        number="137",
    )
    place.carrier.answers_calls = True
    answer = out.ask("INVITE")
    assert answer.text.startswith("SIP/2.0 200")
    (invite,) = place.carrier.of("INVITE")
    said, _, sound = invite.text.partition("\n\n")
    assert f":{place.one.port}" not in said and "Hotline-" not in said and "Route: <sip:127.0.0.1" in said
    assert f"m=audio {place.one.port + 1}" in sound
    assert out.ask("BYE").text.startswith("SIP/2.0 200") and place.carrier.of("BYE")

    target = f"sip:09131234567@{STRANGER}:{place.stranger.port}"
    elsewhere = Call(place.one, place.kamailio.address, target, more=[route(place)])
    assert elsewhere.ask("INVITE").text.startswith("SIP/2.0 403")
    assert not place.stranger.requests
