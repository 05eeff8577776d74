"""A backup is signed by its installation; a machine that restores it is given the signer."""

import hashlib
import json
import tarfile
from collections.abc import Callable
from pathlib import Path

import pyrage
import pytest

from ops.backup.archive import MANIFEST, SIGNATURE, Unusable
from ops.backup.restore import prove, restore
from ops.backup.signing import KEY
from settings import Settings
from tests.kit.story import Story
from tests.ops.backup.archives import left, rewrite, rows, signer_of, taken

pytestmark = pytest.mark.parametrize("backend", ["sqlite"])
Change = Callable[[dict[str, bytes]], None]
MESSAGE = "state/messages/said.wav"


def unsign(members: dict[str, bytes]) -> None:
    """Make of it what versions made that signed nothing."""
    manifest = json.loads(members[MANIFEST])
    for kept in manifest["files"].values():
        del kept["mtime"]
    members[MANIFEST] = json.dumps(manifest).encode()
    del members[SIGNATURE]


def exchange_message(members: dict[str, bytes]) -> None:
    """Exchange a citizen's voice message, with a manifest that fits."""
    members[MESSAGE] = b"something that nobody said"
    manifest = json.loads(members[MANIFEST])
    digest = hashlib.sha256(members[MESSAGE]).hexdigest()
    manifest["files"][MESSAGE] |= {"size": len(members[MESSAGE]), "sha256": digest}
    members[MANIFEST] = json.dumps(manifest).encode()


def redate_head(members: dict[str, bytes]) -> None:
    head = json.loads(members["hotline137.json"])
    members["hotline137.json"] = json.dumps(head | {"at": "2027-01-01T00:00:00+00:00"}).encode()


def spoil_signature(members: dict[str, bytes]) -> None:
    members[SIGNATURE] = b'{"signer": 137}'


@pytest.mark.parametrize("encrypted", [False, True])
def test_signed_backup_is_restored_by_its_signer(
    city: Story, settings: Settings, target: Path, elsewhere: Settings, encrypted: bool
) -> None:
    key = pyrage.x25519.Identity.generate()
    made = taken(settings, target, str(key.to_public()) if encrypted else "")
    spoken = " ".join([signer_of(settings)[:32].upper(), signer_of(settings)[32:]])
    done = restore(elsewhere, made.path, str(key), signer=spoken)
    assert done.unproven == "" and prove(elsewhere).problems == []


def test_own_backup_is_restored_without_naming_a_signer(
    city: Story, settings: Settings, target: Path
) -> None:
    made = taken(settings, target)
    before = signer_of(settings)
    assert restore(settings, made.path, over=True).unproven == ""
    assert signer_of(settings) == before


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (unsign, "it is not signed"),
        (exchange_message, "somebody changed it"),
        (redate_head, "somebody changed it"),
        (spoil_signature, "its signature is damaged"),
    ],
)
def test_changed_or_unsigned_backup_needs_the_flag(
    city: Story, settings: Settings, target: Path, elsewhere: Settings, change: Change, said: str
) -> None:
    made = taken(settings, target)
    rewrite(made.path, change)
    with pytest.raises(Unusable, match=rf"{said}.*--unproven"):
        restore(elsewhere, made.path, signer=signer_of(settings))
    assert left(elsewhere.state_dir) == ["backup.lock"]
    done = restore(elsewhere, made.path, signer=signer_of(settings), unproven=True)
    assert said in done.unproven
    assert rows(elsewhere.database) == rows(settings.database)


def test_file_redated_to_be_deleted_is_refused(
    city: Story, settings: Settings, target: Path, elsewhere: Settings
) -> None:
    made = taken(settings, target)
    whole = made.path.read_bytes()
    with tarfile.open(made.path) as tar:
        info = tar.getmember(MESSAGE)
    at = info.offset
    old = info.replace(mtime=0, deep=False).tobuf(tarfile.PAX_FORMAT)
    made.path.write_bytes(whole[:at] + old + whole[at + len(old) :])
    with pytest.raises(Unusable, match=f"{MESSAGE} is not what was written"):
        restore(elsewhere, made.path, signer=signer_of(settings))


def test_backup_of_another_installation_is_refused(
    city: Story, settings: Settings, target: Path, elsewhere: Settings
) -> None:
    made = taken(settings, target)
    own = signer_of(elsewhere)
    for signer in ("", own):
        with pytest.raises(Unusable, match=rf"another installation signed it: \w{{8}}…, not {own[:8]}…"):
            restore(elsewhere, made.path, signer=signer)
    assert left(elsewhere.state_dir) == [KEY, "backup.lock"]


def test_empty_machine_without_a_signer_restores_nothing(
    city: Story, settings: Settings, target: Path, elsewhere: Settings
) -> None:
    made = taken(settings, target)
    with pytest.raises(Unusable, match=r"no signer is known here\. --signer .*--unproven"):
        restore(elsewhere, made.path)
    with pytest.raises(Unusable, match="64 hexadecimal digits"):
        restore(elsewhere, made.path, signer="age1xyz")
    assert left(elsewhere.state_dir) == ["backup.lock"]


def test_private_key_is_in_no_backup(city: Story, settings: Settings, target: Path) -> None:
    made = taken(settings, target)
    seed = (settings.state_dir / KEY).read_text().strip().encode()
    assert (settings.state_dir / KEY).stat().st_mode & 0o077 == 0
    assert seed not in made.path.read_bytes()


def test_broken_signing_key_makes_no_backup(city: Story, settings: Settings, target: Path) -> None:
    (settings.state_dir / KEY).write_text("")
    with pytest.raises(Unusable, match=r"backup\.key is empty: delete the file"):
        taken(settings, target)
    assert left(target) == []
