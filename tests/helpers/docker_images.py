"""The images of this checkout, built by its scripts, without a registry where none is in reach."""

import hashlib
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from places import ROOT

TAG = "test"
OFFICIAL_BASE = "debian:bookworm-slim"
SECONDS_TO_PULL = 60
SECONDS_TO_BUILD = 3600
"""For each script that makes images of nothing, beside other tests."""


@dataclass(frozen=True)
class Images:
    services: str = f"iterpref-services:{TAG}"
    code: str = f"iterpref-code:{TAG}"
    worker: str = f"iterpref-worker:{TAG}"
    sandbox: str = f"iterpref-sandbox:{TAG}"
    postgres: str = f"iterpref-postgres:{TAG}"


def build_images() -> Images:
    images = Images()
    with ThreadPoolExecutor() as pool:
        wheels = pool.submit(_wheels)
        base = _base()
        run(
            "docker", "build", "--quiet", "--network", "host", "--build-arg", f"BASE={base}",
            "--file", "docker/postgres.Dockerfile", "--tag", images.postgres, ".",
        )  # fmt: skip
    run("docker/build.sh", BASE=base, WHEELS=wheels.result(), TAG=TAG)
    return images


def run(*command: str, **variables: str) -> str:
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **variables}, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, timeout=SECONDS_TO_BUILD,
    )  # fmt: skip
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout[-6000:]}"
    return done.stdout


def _base() -> str:
    try:
        pulled = subprocess.run(
            ["docker", "pull", "--quiet", OFFICIAL_BASE],
            capture_output=True, timeout=SECONDS_TO_PULL,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        pulled = None
    if pulled is not None and pulled.returncode == 0:
        return OFFICIAL_BASE
    name = f"iterpref-base:{TAG}"
    if not _exists(name):
        run("docker/base.sh", name)
    return name


def _wheels() -> str:
    """This machine's pip knows where the CPU build of torch is; a build alone does not."""
    digest = hashlib.sha256()
    for lock in ("services", "code", "worker-cpu", "bigcodebench"):
        digest.update((ROOT / "requirements" / f"{lock}.lock").read_bytes())
    name = f"iterpref-wheels:{digest.hexdigest()[:16]}"
    if not _exists(name):
        run("docker/wheels.sh", name, f"{sys.prefix}/bin/pip")
    return name


def _exists(image: str) -> bool:
    found = subprocess.run(["docker", "image", "inspect", image], capture_output=True)
    return found.returncode == 0
