"""Why a reference solution cannot pass in the sandbox, told from how it failed.

What is lacking is by design (no network, no `/proc`) or not the libraries' to bring (data that they
fetch). A failure that nothing here explains is none of these, and stays a failure.
"""

from __future__ import annotations

import re

from iterpref_assets.core.sandbox.verdicts import Execution

NETWORK, PROC = "needs the network", "needs /proc"

_RESOURCE = re.compile(r"Resource (?:\x1b\[\d+m)?([a-z_]+)")
_NETWORK = re.compile(
    r"name resolution|Failed to resolve|Max retries exceeded|URL Error|Network is unreachable"
    r"|Function not implemented|gaierror|URLError|ConnectionError"
)
_PROC = re.compile(r"'/proc/|PID not found|NoSuchProcess")
_COMMAND = re.compile(r"No such file or directory: '((?:/bin/|/usr/bin/)?[\w.-]+)'")


UNTOLD = {
    "BigCodeBench/111": "expects numpy 1.21, which has no build for this Python",
    "BigCodeBench/147": NETWORK,
    "BigCodeBench/176": NETWORK,
    "BigCodeBench/276": "expects scipy 1.7, which has no build for this Python",
    "BigCodeBench/461": PROC,
    "BigCodeBench/1028": PROC,
}
"""References of v0.1.4 that pass on a host with its libraries, and whose failure here does not tell
why: they swallow the error, or return something else."""


def excuse(task_id: str, execution: Execution) -> str:
    """What is lacking here, or "" where nothing is known to be."""
    said = f"{execution.error_type}: {execution.message}"
    if execution.error_type in ("LookupError", "MissingCorpusError"):
        found = _RESOURCE.search(execution.message)
        return f"needs data that its library fetches{f': {found[1]}' if found else ''}"
    if execution.error_type in ("ImportError", "ModuleNotFoundError"):
        return f"lacks a library: {execution.message}"
    if _NETWORK.search(said):
        return NETWORK
    if _PROC.search(said):
        return PROC
    if found := _COMMAND.search(said):
        return f"needs the command {found[1]}"
    return UNTOLD.get(task_id, "")
