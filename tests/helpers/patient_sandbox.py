"""A sandbox in which time ends no program, so that verdicts do not say how busy a machine is."""

from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any

from iterpref_assets.core.records import Tests
from iterpref_assets.core.sandbox.code_tests import ProxiedTests
from iterpref_assets.core.sandbox.sandbox import Sandbox
from iterpref_assets.core.sandbox.verdicts import Execution, Limits
from iterpref_assets.core.sandbox.worker import Running

UNREACHED = Limits(cpu_seconds=600, wall_seconds=86_400, idle_seconds=86_400)
"""Limits on time that no program of a test reaches, however slow or busy the machine is."""
SOON = replace(UNREACHED, cpu_seconds=0.5)
"""The same for programs that never end: CPU time alone ends them."""


class PatientSandbox(Sandbox):
    """A sandbox whose limits on time are `UNREACHED`, unless a test sets others."""

    def judge(
        self, code: str, tests: Tests | ProxiedTests, limits: Limits | None = None
    ) -> Execution:
        return super().judge(code, tests, limits or UNREACHED)

    def _running(
        self, request: dict[str, Any], files: list[bytes], limits: Limits | None, nonce: bytes = b""
    ) -> AbstractContextManager[Running]:
        return super()._running(request, files, limits or UNREACHED, nonce)
