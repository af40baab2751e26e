"""What both back ends start the fork server with: command, environment, files."""

from __future__ import annotations

import sys
from importlib import metadata
from pathlib import Path

from iterpref_assets.core.errors import InputError

ENVIRONMENT = {
    "PATH": "/usr/bin:/bin",
    "MPLBACKEND": "Agg",
    "HOME": "/box",
    "TMPDIR": "/box",
    "USER": "program",
    "LANG": "C.UTF-8",
    "TZ": "UTC",
    "PYTHONHASHSEED": "0",
    "PYTHONUTF8": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
}


def boot_command(folder: Path | str) -> list[str]:
    """The command that runs the server, whose package `inside` lies in `folder`.

    Without `site`, so that what happens to be installed beside this Python stays out of reach of
    `import`; of what `site` adds, programs keep `exit` and `quit`.
    """
    executable = Path(sys.base_prefix) / "bin" / f"python3.{sys.version_info.minor}"
    boot = (
        "import site, sys; site.setquit(); "
        f"sys.path.insert(0, {str(folder)!r}); import inside.server; "
        "sys.path.pop(0); inside.server.main()"
    )
    return [str(executable), "-S", "-s", "-P", "-B", "-c", boot]


def system_files() -> list[str]:
    """The Python installation and the libraries it is linked with."""
    if Path(sys.base_prefix) == Path("/usr"):
        return ["/usr"]
    return ["/usr/lib", "/usr/lib64", sys.base_prefix]


def package_files(packages: tuple[str, ...]) -> list[Path]:
    """The top-level files and folders of installed distributions, to be importable inside.

    Raises:
        InputError: if one is not installed.
    """
    found: set[Path] = set()
    for name in packages:
        try:
            distribution = metadata.distribution(name)
        except metadata.PackageNotFoundError as error:
            raise InputError(
                f"the package {name} that programs may import is not installed",
                remedy=f"Install it (pip install {name})",
            ) from error
        for file in distribution.files or []:
            top = file.parts[0]
            if top not in {"..", "__pycache__"} and not top.endswith(".pth"):
                found.add(Path(str(distribution.locate_file(top))))
    return sorted(found)
