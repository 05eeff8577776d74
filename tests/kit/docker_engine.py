"""A Docker engine: the machine's, or one of its own where there is a tool for that."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.kit.process import folder_in_memory

ENGINE_TOOL = Path(__file__).parents[3] / "shared" / "tools" / "with-docker"
"""Runs a command with a private Docker engine, on machines that have this tool and no engine."""
IMAGES_BYTES = 8 << 30
"""Twice what the engine holds; from a disk that alone took a minute and a half to delete."""


@contextmanager
def docker_engine() -> Iterator[dict[str, str]]:
    """What the environment must hold so that `docker` finds its engine: nothing, if there is one already."""
    if "DOCKER_HOST" not in os.environ and ENGINE_TOOL.exists() and os.geteuid() == 0:
        # `cat` ends with its input, so the engine ends with this process, however that ends. One engine at
        # a time: two of them would share, and remove, each other's bridge.
        tool = ["flock", "-o", "/tmp/hotline137-docker.lock", ENGINE_TOOL]
        folder = folder_in_memory("hotline-docker-", needs=IMAGES_BYTES)
        with subprocess.Popen(
            [*tool, "sh", "-c", 'echo "$DOCKER_HOST"; exec cat'],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "TMPDIR": str(folder)},
        ) as process:
            assert process.stdin and process.stdout
            host = process.stdout.readline().strip()
            assert host, f"{ENGINE_TOOL} could not start a Docker engine; its reason is on standard error"
            yield {"DOCKER_HOST": host}
        folder.rmdir()
    else:
        assert shutil.which("docker"), "docker is missing: install docker.io, docker-compose, docker-buildx"
        for needed in ("info", "compose version", "buildx version"):
            done = subprocess.run(["docker", *needed.split()], check=False, capture_output=True, text=True)
            assert done.returncode == 0, f"docker {needed} does not work here: {done.stderr.strip()}"
        yield {}
