"""Another process that holds what this one wants."""

import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

_HOLDING = """
import sys
from pathlib import Path
from iterpref_assets.core.files import held
with held(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def held_elsewhere(path: Path) -> Generator[subprocess.Popen[bytes]]:
    """The process, which holds `path` until the block ends or it is killed."""
    command = [sys.executable, "-c", _HOLDING, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        try:
            yield holder
        finally:
            holder.kill()


def is_free(path: Path) -> bool:
    """Whether another process gets hold of `path` now."""
    command = [sys.executable, "-c", _HOLDING, str(path)]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    assert done.returncode == 0 or b"another process is working on this" in done.stderr
    return done.returncode == 0
