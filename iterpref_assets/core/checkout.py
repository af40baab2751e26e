"""The commit of the code that made something."""

from __future__ import annotations

import subprocess
from pathlib import Path

NO_CHECKOUT = "not a git checkout"


def commit_of(file: Path, *, short: bool = False) -> str:
    """The commit that is checked out where `file` lies; NO_CHECKOUT outside one or without git."""
    command = ["git", "rev-parse", *(["--short"] if short else []), "HEAD"]
    try:
        answer = subprocess.run(
            command, cwd=file.parent, capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        return NO_CHECKOUT
    return answer.stdout.strip() if answer.returncode == 0 else NO_CHECKOUT
