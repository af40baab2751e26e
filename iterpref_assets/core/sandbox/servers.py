"""Which servers a sandbox has: by bubblewrap, or in a container that is isolated already."""

from __future__ import annotations

from iterpref_assets.core.errors import SandboxUnavailableError
from iterpref_assets.core.sandbox import container
from iterpref_assets.core.sandbox.bubblewrap import Bubblewrap
from iterpref_assets.core.sandbox.launch import Granted
from iterpref_assets.core.sandbox.seccomp import build_filter
from iterpref_assets.core.sandbox.worker import ServerSettings, Worker


def start_servers(
    preload: tuple[str, ...], opening: str, granted: Granted, count: int
) -> tuple[ServerSettings, list[Worker]]:
    """Servers by bubblewrap if that works here, else beside us in a container isolated enough.

    Raises:
        SandboxUnavailableError: if neither is to be had.
    """
    settings = ServerSettings(Bubblewrap(), preload, granted, build_filter(), opening)
    try:
        return settings, _start_together(settings, count)
    except SandboxUnavailableError as error:
        faults = container.shortcomings()
        if faults:
            raise SandboxUnavailableError(
                f"{error.problem}; and this is no isolated container: {', '.join(faults)}",
                remedy=error.remedy,
            ) from error
    backend = container.ContainerBackend()
    rules = build_filter(signals=backend.signals, metadata=False)
    settings = ServerSettings(backend, preload, granted, rules, opening)
    return settings, _start_together(settings, count)


def _start_together(settings: ServerSettings, count: int) -> list[Worker]:
    """So many servers, the first of which is ready; all load what they preload side by side."""
    servers: list[Worker] = []
    try:
        servers.extend(Worker(settings) for _ in range(count))
        servers[0].await_ready()
    except BaseException:
        for each in servers:
            each.close()
        raise
    return servers
