"""A peer's harness runs without what the machine's user holds."""

import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from peers import run_peer

LOOKS = """
import json, os, pathlib, sys
home = pathlib.Path(json.load(sys.stdin))
found = [str(each) for each in home.rglob("*.py")]
print(json.dumps({"variables": dict(os.environ), "home": found}))
"""

pytestmark = pytest.mark.skipif(shutil.which("bwrap") is None, reason="needs bubblewrap")


@pytest.fixture
def seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """What a peer's script sees whose user has this folder for a home, and a token."""
    monkeypatch.setenv("HOME", str(Path(__file__).parent))
    monkeypatch.setenv("HF_TOKEN", "secret")
    script = tmp_path / "looks.py"
    script.write_text(LOOKS)
    return run_peer(script, [], None, str(Path(__file__).parent))


def test_a_peer_has_no_variables_but_those_it_is_given(seen: Any) -> None:
    assert seen["variables"].keys() <= {"PATH", "LANG", "LC_CTYPE", "MPLBACKEND", "HOME", "PWD"}
    assert seen["variables"]["PATH"] == os.environ["PATH"]


def test_a_peer_sees_nothing_of_its_user_s_home(seen: Any) -> None:
    assert seen["home"] == []
