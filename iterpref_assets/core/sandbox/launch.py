"""What both back ends start the fork server with: command, environment, files."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
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
    "PYTHONUTF8": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
}


_COMMANDS = ("/usr/bin", "/etc/alternatives")


@dataclass(frozen=True, slots=True)
class Granted:
    """What programs get besides Python.

    `importable` are files and folders; `commands` are the system's, such as `sh` and `tar`;
    `hash_seed` is what orders their sets of strings.
    """

    importable: tuple[Path, ...] = ()
    commands: bool = False
    hash_seed: int = 0

    @property
    def environment(self) -> dict[str, str]:
        """The environment of programs."""
        own = f"{sys.base_prefix}/bin:" if self.commands else ""
        path = f"{own}{ENVIRONMENT['PATH']}"
        return {**ENVIRONMENT, "PATH": path, "PYTHONHASHSEED": str(self.hash_seed)}

    @property
    def command_files(self) -> tuple[str, ...]:
        """Where the system's commands lie, where they are granted."""
        return _COMMANDS if self.commands else ()


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


def importable_files(packages: Sequence[str], libraries: Path | None) -> tuple[Path, ...]:
    """The top-level files and folders to be importable inside.

    Args:
        packages: distributions installed beside this project.
        libraries: a folder of libraries (`pip install --target`), all of which is granted.

    Raises:
        InputError: if a distribution is not installed, or there is no such folder.
    """
    files = package_files(packages)
    if libraries is None:
        return tuple(files)
    if not libraries.is_dir():
        raise InputError(
            "no such folder of libraries",
            file=libraries,
            remedy="Install them: pip install --target FOLDER -r requirements/bigcodebench.txt",
        )
    here = libraries.resolve()
    return (*files, *sorted(path for path in here.iterdir() if path.name != "__pycache__"))


def package_files(packages: Sequence[str]) -> list[Path]:
    """The top-level files and folders of installed distributions.

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
