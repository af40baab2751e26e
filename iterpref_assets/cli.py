"""The `iterpref` console script: one command per job, each usable without Dagster's UI."""

from __future__ import annotations

import errno
import functools
import inspect
import os
import sys
from collections.abc import Callable
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from iterpref_assets.core.errors import INTERRUPTED, InputError

COMMANDS = {
    "init": "init",
    "run": "run",
    "prepare": "run",
    "settings": "settings",
    "backfill": "backfill",
    "pairs": "pairs",
    "export": "pairs",
    "provenance": "provenance",
    "pages": "pages",
    "train": "train",
    "generate": "generate",
    "evaluate": "evaluate",
    "experiment": "experiment",
    "sanitize": "evaluate",
    "publish": "publish",
}
"""The module of `commands` that holds each command; only that of the one asked for is imported."""
_ANOTHER = "Give another place, or change what may be written there"
_ROOM = "Free space and run again"
_PLACES = {
    **dict.fromkeys(
        (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EISDIR, errno.EEXIST),
        _ANOTHER,
    ),
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT), _ROOM),
}
"""What to do about a place that the user named; any other error is a fault of ours."""


def main() -> None:
    """Run a command.

    Bad input, a place that cannot be written and Ctrl-C are one line on stderr, with exit status 2,
    2 and 130.
    """
    asked = sys.argv[1:2]
    try:
        app = _app(*asked) if asked and asked[0] in COMMANDS else _app(*COMMANDS)
        app()
    except InputError as error:
        _end(str(error), 2)
    except OSError as error:
        if error.errno not in _PLACES or error.filename is None:
            raise
        _end(f"{error.filename}: {error.strerror}. {_PLACES[error.errno]}", 2)
    except KeyboardInterrupt:
        _end("interrupted", INTERRUPTED)


def _end(reason: str, status: int) -> NoReturn:
    print(f"iterpref: {reason}", file=sys.stderr)  # noqa: T201
    raise SystemExit(status) from None


def _app(*names: str) -> typer.Typer:
    app = typer.Typer(
        no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode="markdown"
    )
    app.callback()(_about)  # also keeps a single command a command
    for name in names:
        module = import_module(f"iterpref_assets.commands.{COMMANDS[name]}")
        command = getattr(module, name)
        if isinstance(command, typer.Typer):
            command.callback()(_about)
            for each in command.registered_commands:
                each.callback = _with_settings(each.callback)
            app.add_typer(command, name=name)
        else:
            app.command(name)(_with_settings(command))
    return app


def _tell_version(asked: bool) -> None:
    if asked:
        typer.echo(f"iterpref {version('iterpref-assets')}")
        raise typer.Exit


Version = Annotated[
    bool,
    typer.Option("--version", help="Print the version.", callback=_tell_version, is_eager=True),
]
SettingsFile = Annotated[
    Path | None, typer.Option("--settings", help="TOML file of settings, as ITERPREF_SETTINGS.")
]


def _about(settings_file: SettingsFile = None, version_: Version = False) -> None:  # noqa: ARG001
    """Focal preference learning for code LLMs from iterative debugging."""
    _read_settings_of(settings_file)


def _read_settings_of(file: Path | None) -> None:
    if file:
        os.environ["ITERPREF_SETTINGS"] = str(file)


def _with_settings(command: Callable[..., None] | None) -> Callable[..., None]:
    """The command with the options that every command takes."""
    if command is None:
        raise TypeError("a command without a function")

    @functools.wraps(command)
    def run(**arguments: Any) -> None:
        del arguments["version_"]
        _read_settings_of(arguments.pop("settings_file"))
        try:
            command(**arguments)
        except KeyboardInterrupt:  # typer would take it, and say nothing
            _end("interrupted", INTERRUPTED)

    signature = inspect.signature(command, eval_str=True)
    extra = {"settings_file": (SettingsFile, None), "version_": (Version, False)}
    run.__signature__ = signature.replace(
        parameters=[
            *signature.parameters.values(),
            *(
                inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=a, default=d)
                for name, (a, d) in extra.items()
            ),
        ]
    )
    run.__annotations__ = {
        name: each.annotation for name, each in run.__signature__.parameters.items()
    }
    return run
