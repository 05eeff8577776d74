"""The file of several trunks: what it may say, and how a wrong one is named, without its secrets."""

from pathlib import Path

import pytest

from settings import SettingsError, load
from settings.trunks import Trunk, load_profiles
from tests.kit.trunk_file import write_trunk

GIVEN = {"user": "137", "secret": "s3cret-word", "host": "192.0.2.1:5060"}


def read(tmp_path: Path, text: str, **settings: object) -> tuple[Trunk, ...]:
    path = tmp_path / "trunks.toml"
    path.write_text(text)
    return load(_env_file=None, state_dir=tmp_path / "state", trunks=str(path), **settings).trunks


def written(**values: object) -> str:
    return "\n".join(f"{key} = {value!r}".replace("'", '"').lower() for key, value in values.items())


def test_file_in_the_state_folder_counts_unless_one_is_named(tmp_path: Path) -> None:
    def hosts(**settings: object) -> list[str]:
        found = load(_env_file=None, state_dir=tmp_path, **settings)
        return [str(trunk.host) for trunk in found.trunks]

    other = tmp_path / "other.toml"
    other.write_text("[one]\nprofile = 'address'\nhost = '192.0.2.9:5060'")

    assert hosts() == ["127.0.0.1:5070"]
    assert hosts(sample_trunk="192.0.2.7:5060 192.0.2.7") == ["192.0.2.7:5060"]
    write_trunk(tmp_path, host="192.0.2.8:5060")
    assert hosts(trunk_host="192.0.2.1:5060", trunks="") == ["192.0.2.8:5060"]
    assert hosts(trunks=str(other)) == ["192.0.2.9:5060"]


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        *(("trunk_host", host, "must be host:port") for host in ("here", "h:0", "h:65536", "a;b:5060")),
        *(("trunk_user", user, "should match pattern") for user in ("a b", "a\n", "x;y", "x]\n")),
        *(("trunk_secret", word, "must have no space") for word in ("a;b", "a\nb", "a\\")),
        ("trunk_allowed", "127.0.0.1 trunk.example", "does not appear to be an IPv4 or IPv6 network"),
        ("trunk_codecs", "alaw,mp3", "must be some of alaw, g722, opus, ulaw"),
    ],
)
def test_wrong_value_of_an_old_name_is_named_by_its_key(
    tmp_path: Path, name: str, value: str, says: str
) -> None:
    given = {"trunk_user": "137", name: value}
    with pytest.raises(SettingsError) as error:
        load(_env_file=None, state_dir=tmp_path, **given)
    assert str(error.value).startswith(f"HOTLINE_TRUNKS: [trunk] {name.removeprefix('trunk_')}: ")
    assert says in str(error.value) and value not in str(error.value)


@pytest.mark.parametrize("name", load_profiles())
def test_complete_table_makes_a_trunk_of_its_profile(tmp_path: Path, name: str) -> None:
    profile = load_profiles()[name]
    needs = {key: GIVEN[key] for key in profile["needs"]}
    (trunk,) = read(tmp_path, f"[one]\nprofile = '{name}'\n{written(**needs)}")
    assert profile["about"]
    assert {key: getattr(trunk, key) for key in profile["trunk"]} == profile["trunk"]
    assert trunk.by_line or trunk.allowed == ("192.0.2.1",)


def test_table_overrides_profile_and_settings(
    tmp_path: Path,
) -> None:
    first, second = read(
        tmp_path,
        "[first]\nprofile = 'e164'\nhost = '192.0.2.1:5060'\nnumbers = 'digits'\ncodecs = ['ulaw']\n"
        "[second]\nprofile = 'address'\nhost = '192.0.2.2:5060'",
        trunk_codecs="g722",
        trunk_national=False,
    )
    assert (first.name, first.numbers, first.codecs) == ("first", "digits", ("ulaw",))
    assert (second.name, second.numbers, second.codecs) == ("second", "e164", ("g722",))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "must have one to 8 tables"),
        ("x = [", "is no TOML"),
        ("host = '192.0.2.1:5060'", "[host] is no table"),
        ("[one]\nhost = '192.0.2.1:5060'", "[one] profile: must be one of address, "),
        ("[one]\nprofile = 'adress'", "[one] profile: must be one of address, "),
        ("[one]\nprofile = ['address']", "[one] profile: must be one of address, "),
        ("[one]\nprofile = 'registration'\nhost = '192.0.2.1:5060'", "[one] user: must be given"),
        ("[one]\nprofile = 'address'\nhost = 'sip.example:5060'", "[one] allowed: must be given"),
        ("[one]\nprofile = 'address'\nhost = '192.0.2.1:5060'\nchanels = 2", "is channels meant?"),
        ("[one]\nprofile = 'address'\nhost = '192.0.2.1'", "[one] host: must be host:port"),
        ("[One]\nprofile = 'address'\nhost = '192.0.2.1:5060'", "[One] name: must be small letters"),
        ("[alive]\nprofile = 'address'\nhost = '192.0.2.1:5060'", "alive is a name of our own"),
        ("['a&b']\nprofile = 'address'\nhost = '192.0.2.1:5060'", "name: must be small letters"),
        ("[one]\nprofile = 'address'\nhost = '192.0.2.1:5060'\nname = 'x'", "no such keys"),
        ("[one]\nprofile = 'address'\nhost = '192.0.2.1:5060'\nsrtp = true", "srtp: needs transport"),
        ("[one]\nprofile = 'address'\nhost = '192.0.2.1:5060'\nprefix = '9)'", "[one] prefix: "),
        ("[one]\nprofile = 'address'\nhost = '192.0.2.1:5060'\nfrom_domain = 'a;b'", "[one] from_domain: "),
        ("[one]\nprofile = 'address'\nhost = '192.0.2.1:5060'\ncaller_id = '1\\n2'", "[one] caller_id: "),
        ("[one]\nprofile = 'address'\nhost = '192.0.2.1:5060'\nallowed = ['x\\n']", "[one] allowed: "),
        ("[one]\nprofile = 'address'\nhost = '192.0.2.1:5060'\nchannels = 2", "CHANNELS_FOR_CALLERS"),
        ("[one]\nprofile = 'address'\nhost = '192.0.2.1:5060'\ncodecs = ['opus']", "[one] codecs: "),
        (
            "[one]\nprofile = 'address'\nhost = '192.0.2.1:5060'\n"
            "[two]\nprofile = 'address'\nhost = '192.0.2.1:5061'\nnumbers = 'digits'",
            "[one] and [two] take calls from the same address",
        ),
    ],
)
def test_fault_is_named_with_its_position(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(SettingsError) as error:
        read(tmp_path, text)
    assert str(error.value).startswith("HOTLINE_TRUNKS='") and says in str(error.value)


def test_each_of_several_faults_is_named_without_secrets(tmp_path: Path) -> None:
    text = (
        "[one]\nprofile = 'registration'\nhost = 'x'\nuser = 'a b'\nsecret = 'p;q-secret'\n"
        "[two]\nprofile = 'registration'\nhost = '192.0.2.1:5060'\nuser = '1'\nsecret = 'r s-secret'"
    )
    with pytest.raises(SettingsError) as error:
        read(tmp_path, text)
    for named in ("[one] host", "[one] user", "[one] secret", "[two] secret"):
        assert named in str(error.value)
    assert "-secret" not in str(error.value)


def test_missing_or_binary_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"HOTLINE_TRUNKS=.*there is no such file"):
        load(_env_file=None, state_dir=tmp_path, trunks=tmp_path / "none.toml")
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(SettingsError, match=r"HOTLINE_TRUNKS=.*is no text"):
        load(_env_file=None, state_dir=tmp_path, trunks=tmp_path / "bytes.toml")


def test_trunk_at_the_address_of_the_tls_proxy_is_refused(
    tmp_path: Path,
) -> None:
    with pytest.raises(SettingsError, match="whence browsers come"):
        read(
            tmp_path,
            "[one]\nprofile = 'address'\nhost = '127.0.0.1:5060'",
            websocket_url="wss://hotline.example/ws",
        )


def test_secret_of_a_trunk_is_never_printed(tmp_path: Path) -> None:
    (trunk,) = read(tmp_path, f"[one]\nprofile = 'registration'\n{written(**GIVEN)}")
    assert "s3cret-word" not in repr(trunk) + str(trunk) + trunk.model_dump_json()


def test_channels_of_all_trunks_are_added(tmp_path: Path) -> None:
    table = "[{0}]\nprofile = 'address'\nhost = '192.0.2.{1}:5060'\nchannels = {2}\n"
    path = tmp_path / "trunks.toml"
    path.write_text(table.format("a", 1, 30) + table.format("b", 2, 10))
    assert load(_env_file=None, state_dir=tmp_path, trunks=path).channels == 40
