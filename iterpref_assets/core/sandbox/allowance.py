"""Whether this process may grant programs their limits, since none can be raised above its own."""

from __future__ import annotations

import math
import resource
from functools import lru_cache

from iterpref_assets.core.errors import SandboxUnavailableError
from iterpref_assets.core.sandbox.inside.child import STACK_BYTES
from iterpref_assets.core.sandbox.verdicts import Limits


@lru_cache
def require_allowed(limits: Limits) -> None:
    """Refuse limits that are above the hard limits this process was started with.

    Raises:
        SandboxUnavailableError: naming the limit, and how the shell sets it.
    """
    wanted = (
        ("open files", "-n", resource.RLIMIT_NOFILE, limits.open_files, 1),
        ("bytes in a file", "-f", resource.RLIMIT_FSIZE, limits.file_bytes, 1024),
        ("bytes of address space", "-v", resource.RLIMIT_AS, limits.memory_bytes, 1024),
        ("bytes of stack", "-s", resource.RLIMIT_STACK, STACK_BYTES, 1024),
        ("seconds of CPU time", "-t", resource.RLIMIT_CPU, math.ceil(limits.cpu_seconds) + 1, 1),
    )
    for name, option, kind, needed, unit in wanted:
        hard = resource.getrlimit(kind)[1]
        if hard != resource.RLIM_INFINITY and hard < needed:
            raise SandboxUnavailableError(
                f"programs need {needed:,} {name}, and this process may give them only {hard:,}",
                remedy=f"Raise the hard limit before the start: ulimit -H{option[1:]} "
                f"{math.ceil(needed / unit)}, or unlimited",
            )
