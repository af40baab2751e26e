"""Small inputs of a kind, each with its right outcome, from the folder beside the project."""

import json
from pathlib import Path
from typing import Any

import pytest

SHARED_CASES = Path(__file__).resolve().parents[3] / "shared" / "cases"


def cases(name: str) -> list[Any]:
    """The objects of one JSON-lines file as parameters, or one that is skipped with the reason."""
    path = SHARED_CASES / name
    if not path.is_file():
        reason = f"needs ../shared/cases/{name}, which is not here"
        return [pytest.param(None, marks=pytest.mark.skip(reason=reason), id="absent")]
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]
    return [pytest.param(row, id=row.get("name", str(n))) for n, row in enumerate(rows)]
