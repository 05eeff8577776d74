"""The real Asterisk still answers as the transcripts say, from which the fake one answers."""

from tests.kit import transcripts


def test_asterisk_still_answers_as_the_transcripts() -> None:
    then, now = transcripts.recorded(), transcripts.record()
    assert {c: list(ends) for c, ends in now.items()} == {c: list(ends) for c, ends in then.items()}
    for command, ends in then.items():
        for end, lines in ends.items():
            said = [transcripts.plain(line) for line in now[command][end]]
            assert said == [transcripts.plain(line) for line in lines], f"{command}: {end}"
