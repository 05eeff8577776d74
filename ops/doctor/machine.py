"""Checks of this machine: versions, clock, disk, permissions, prompts, the last backup."""

import os
import platform
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hotline import backups
from hotline.recordings import disk
from hotline.version import VERSION, read_build
from ops.backup import signing
from ops.doctor.findings import Finding, Known, fail, report_ok, warn
from ops.doctor.stored import find_sqlite_file
from settings import SECRETS, Settings, explain_bad_links

_OTHERS = 0o077
_LATE, _LOST = timedelta(hours=36), timedelta(days=7)
_ASKED_S = 3.0
_LEAST_INODES = 0.05


def report_versions(known: Known) -> Iterator[Finding]:
    """Report the versions of this program, its commit, and of Python."""
    build = f" ({found})" if (found := read_build()) else ""
    yield report_ok("version", f"hotline137 {VERSION}{build}, Python {platform.python_version()}")


def check_links(known: Known) -> Iterator[Finding]:
    """Check that links in messages to citizens lead to us."""
    if said := explain_bad_links(known.settings):
        yield warn("links", said, "HOTLINE_PUBLIC_URL=https://137.city.example; docs/operate/proxy.md")


def check_ntp(_known: Known) -> Iterator[Finding]:
    """Check that the clock is set by NTP, by systemd's word; elsewhere that is unknown."""
    asked = ["timedatectl", "show", "--property=NTPSynchronized", "--value"]
    try:
        told = subprocess.run(asked, check=False, capture_output=True, text=True, timeout=_ASKED_S).stdout
    except (OSError, subprocess.TimeoutExpired):
        return
    if told.strip() == "no":
        yield warn("clock", "it is not set by NTP", "apt-get install chrony, or systemd-timesyncd")
    elif told.strip() == "yes":
        yield report_ok("clock", "set by NTP")


def check_space(known: Known) -> Iterator[Finding]:
    """Check the space on the disks of the state folder and of a database file elsewhere."""
    folders = {known.settings.state_dir}
    if path := find_sqlite_file(known.settings):
        folders.add(path.parent)
    seen = set()
    for folder in sorted(folders):
        there = next(each for each in (folder, *folder.parents) if each.exists())
        if (device := there.stat().st_dev) in seen:
            continue
        seen.add(device)
        yield _space(folder, there)


def _space(folder: Path, there: Path) -> Finding:
    left, inodes = disk.find_disk(there), os.statvfs(there)
    said = f"{left.free / 1e9:.1f} of {left.total / 1e9:.1f} GB are left for {folder}"
    do = "free some, or keep less: retention.recordings_days, pictures_days in city.toml; du -sh there"
    if left.free < disk.SPARE:
        return fail("disk", said, do)
    if left.nearly_full:
        return warn("disk", said, do)
    if inodes.f_files and inodes.f_favail < inodes.f_files * _LEAST_INODES:
        return warn("disk", f"nearly no more files fit for {folder}", "many small files lie on that disk")
    return report_ok("disk", said)


def check_permissions(known: Known) -> Iterator[Finding]:
    """Check who may read and write the state folder, with citizens' numbers and voices and the secret."""
    folder = known.settings.state_dir
    if not folder.is_dir():
        yield warn("permissions", f"{folder} is not there yet", "hotline137 run (or prepare) makes it")
        return
    if not os.access(folder, os.R_OK | os.X_OK):
        yield fail("permissions", f"{folder} is closed to you", "run this as its owner (sudo -u …)")
        return
    found = [*_readable(folder), *_owned(folder), *_writable(folder), *_settings_file(known.settings)]
    yield from found or [report_ok("permissions", f"{folder} is its owner's alone, and can be written")]


def _readable(folder: Path) -> Iterator[Finding]:
    for path in (folder, folder / "secret", folder / signing.KEY):
        if path.exists() and (mode := stat.S_IMODE(path.stat().st_mode)) & _OTHERS:
            say = fail if path.is_file() else warn
            yield say("permissions", f"others may open {path} ({mode:o})", f"chmod go= {path}")


def _owned(folder: Path) -> Iterator[Finding]:
    """Find files of another owner: a command run by root leaves files that the service cannot write."""
    owner = folder.stat().st_uid
    foreign = [path.name for path in sorted(folder.iterdir()) if path.lstat().st_uid != owner]
    if foreign:
        names = ", ".join(foreign[:5])
        yield fail(
            "permissions", f"not the folder's owner's: {names}", f"chown -R --reference={folder} {folder}"
        )


def _writable(folder: Path) -> Iterator[Finding]:
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"\0" * 4096)
            file.flush()
    except OSError as error:
        yield fail(
            "permissions",
            f"{folder} cannot be written: {error.strerror}",
            "run this as who runs hotline137 (sudo -u …); is the disk full, or mounted read-only?",
        )


def _settings_file(settings: Settings) -> Iterator[Finding]:
    named = Settings.model_config["env_file"]
    paths = {trunk.source for trunk in settings.trunks if trunk.secret.get_secret_value()} - {None}
    if any(getattr(settings, name) for name in SECRETS):
        paths |= {Path(str(file)) for file in (named, settings.messages, settings.directory) if file}
    for path in sorted(path for path in paths if path and path.is_file()):
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & 0o007:
            yield warn("permissions", f"anybody may read {path} ({mode:o})", f"chmod o= {path}")


def check_prompts(known: Known) -> Iterator[Finding]:
    """Check that every prompt is rendered from its present text."""
    from prompts import plan
    from prompts.render import RECORDINGS, Manifest, is_current
    from prompts.sources import VoiceError

    manifest = Manifest.read(known.settings.prompts_dir)
    try:
        made = plan.make(known.settings, RECORDINGS, manifest.gave_up, manifest.of_city)
    except VoiceError as error:
        yield fail("prompts", str(error), "HOTLINE_PROMPTS_PIPER; docs/voices.md")
        return
    takes = made.takes
    for problem in made.problems:
        yield warn("prompts", problem, "docs/voices.md")
    lacking = sum(not is_current(known.settings, manifest, take) for take in takes)
    if lacking == len(takes):
        yield warn("prompts", "none is rendered yet", "hotline137 prompts build (run does it, too)")
    elif lacking:
        yield fail("prompts", f"{lacking} of {len(takes)} are missing or stale", "hotline137 prompts build")
    else:
        yield report_ok("prompts", f"all {len(takes)} are rendered")


def check_backup(known: Known) -> Iterator[Finding]:
    """Report the age of the last good backup, its gaps, and whether backups are encrypted."""
    folder, last = known.settings.backup_dir, backups.read(known.settings)
    if folder and not folder.is_dir():
        yield fail("backup", f"{folder} is not there", "mount it; docs/operate/backup.md")
    yield from _unencrypted(known.settings, last)
    if last and not last.ok:
        yield warn(
            "backup",
            f"the last try failed: {(last.error or 'why is not known')[:200]}",
            "docs/operate/backup.md",
        )
    for note in last.notes if last else ():
        yield warn("backup", note, "docs/operate/backup.md")
    if last is None or last.good_at is None:
        yield warn("backup", "there was never one", "HOTLINE_BACKUP_DIR, or hotline137 backup DIR")
        return
    age = datetime.now(UTC) - datetime.fromisoformat(last.good_at)
    said = f"the last whole one is {age.total_seconds() / 3600:.0f} hours old"
    if age < timedelta(0):
        yield warn("backup", "the last whole one is of a time to come", "the clock: set it by NTP (chrony)")
    elif age > _LATE:
        say = fail if age > _LOST else warn
        yield say(
            "backup", said, "hotline137 backup DIR now; why does the scheduler not? docs/operate/backup.md"
        )
    else:
        yield report_ok("backup", said)


def _unencrypted(settings: Settings, last: backups.Status | None) -> Iterator[Finding]:
    """Find backups that anybody can read, and the setting that leads to them."""
    holds = "the secret, providers' keys, and citizens' numbers and voices"
    if settings.backup_dir and not settings.backup_recipient:
        yield fail(
            "backup",
            f"backups are not encrypted: each has {holds}",
            "HOTLINE_BACKUP_RECIPIENT=age1…, of `age-keygen -o key.txt` on another machine; "
            "docs/operate/backup.md",
        )
        return
    plain = set(settings.backup_dir.glob(backups.PLAIN)) if settings.backup_dir else set()
    if last and last.good_path and (path := Path(last.good_path)).match(backups.PLAIN) and path.is_file():
        plain.add(path)
    if plain:
        newest = max(plain, key=lambda path: path.name)
        yield fail(
            "backup",
            f"{len(plain)} not encrypted, the newest {newest}: whoever has it has {holds}",
            f"once an encrypted one is made: rm {newest.parent}/{backups.PLAIN}",
        )
