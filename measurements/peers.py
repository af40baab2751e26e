"""Running a peer's harness: without a network, with what it may write in memory alone.

The harnesses that BigCodeBench and LiveCodeBench publish run programs without a sandbox. They can
read the machine's other files, but not the user's home folder, and get none of its variables.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

_APART = [
    "bwrap", "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "--tmpfs", "/tmp",
    "--tmpfs", "/dev/shm", "--unshare-all", "--die-with-parent", "--chdir", "/tmp",
]  # fmt: skip


def run_peer(script: Path, arguments: Sequence[str], libraries: Path | None, given: Any) -> Any:
    """What a script prints as JSON that is given JSON, in a root that it cannot write to.

    Args:
        script: a file of this folder that imports nothing of the project.
        arguments: its command line.
        libraries: a folder that it finds before what is installed beside the project.
        given: what it reads.

    Raises:
        CalledProcessError: if it fails; what it said is on stderr.
    """
    # Of /tmp and of the home folder nothing is seen, so what is needed from there is shown by name.
    shown = [script.parent.resolve(), Path(sys.base_prefix), Path(sys.prefix)]
    shown += [Path(each) for each in arguments[:1]]
    if libraries is not None:
        shown.append(libraries.resolve())
    binds = [word for path in shown for word in ("--ro-bind", str(path), str(path))]
    # Programs get no other variables: they may hold the user's tokens.
    environment = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    environment |= {"MPLBACKEND": "Agg", "HOME": "/tmp"}
    if libraries is not None:
        environment["PYTHONPATH"] = str(libraries.resolve())
    done = subprocess.run(
        [
            *_APART,
            "--tmpfs",
            str(Path.home()),
            *binds,
            sys.executable,
            "-B",
            str(script.resolve()),
            *arguments,
        ],
        input=json.dumps(given),
        stdout=subprocess.PIPE,
        env=environment,
        text=True,
        check=True,
    )
    return json.loads(done.stdout.splitlines()[-1])
