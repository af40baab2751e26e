"""Load HumanEval+ and MBPP+ v0.2.0 with evalplus's own loaders and input deserializer.

evalplus's start-up takes over a second, so what its loaders made of a file is kept beside the
expected outputs, by the file's content and evalplus's version: plain values in `marshal`'s form,
written and read by this module alone.
"""

from __future__ import annotations

import marshal
import zlib
from collections.abc import Collection, Generator
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from importlib.metadata import version
from operator import attrgetter
from pathlib import Path
from types import ModuleType
from typing import Any

from iterpref_assets.core.digests import Checksums
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.files import read_bytes, replacing


class EvalPlusBenchmark(StrEnum):
    """The two benchmarks, by evalplus's names."""

    HUMANEVAL = "humaneval"
    MBPP = "mbpp"


@dataclass(frozen=True, slots=True)
class EvalPlusProblem:
    """One task; each input is the list of one call's arguments, as plain Python values."""

    task_id: str
    prompt: str
    entry_point: str
    canonical_solution: str
    base_input: list[list[Any]]
    plus_input: list[list[Any]]
    atol: float

    @property
    def reference(self) -> str:
        """The whole program of the reference solution."""
        return self.prompt + self.canonical_solution


@dataclass(frozen=True, slots=True)
class EvalPlusData:
    """A loaded benchmark; the checksums are those of the unpacked file, md5 as evalplus reports."""

    benchmark: EvalPlusBenchmark
    problems: dict[str, EvalPlusProblem]
    sha256: str
    md5: str

    def of_tasks(self, names: Collection[str]) -> EvalPlusData:
        """The same benchmark with the tasks of these names alone."""
        problems = {name: each for name, each in self.problems.items() if name in names}
        return replace(self, problems=problems)


def load_evalplus(benchmark: EvalPlusBenchmark, path: Path | None = None) -> EvalPlusData:
    """The benchmark from `path` (.jsonl or .jsonl.gz), or from evalplus's source where None.

    Raises:
        InputError: where the file is missing, is not such a benchmark, or cannot be fetched.
    """
    from evalplus.data import humaneval, mbpp

    if benchmark is EvalPlusBenchmark.HUMANEVAL:
        module, load, locate = (
            humaneval,
            humaneval.get_human_eval_plus,
            "_ready_human_eval_plus_path",
        )
    else:
        module, load, locate = mbpp, mbpp.get_mbpp_plus, "_ready_mbpp_plus_path"
    with _overriding(module, f"{benchmark.upper()}_OVERRIDE_PATH", path), _explained(path):
        raw = load()
        source = Path(getattr(module, locate)())
        problems = {
            task_id: EvalPlusProblem(
                task_id=task_id,
                prompt=task["prompt"],
                entry_point=task["entry_point"],
                canonical_solution=task["canonical_solution"],
                base_input=list(task["base_input"]),
                plus_input=list(task["plus_input"]),
                atol=task["atol"],
            )
            for task_id, task in raw.items()
        }
    content = read_bytes(source, "Give the benchmark's file (.jsonl or .jsonl.gz)")
    if not problems:
        raise InputError("no tasks", file=source, remedy="Give a benchmark file of evalplus")
    checksums = Checksums(content)
    return EvalPlusData(benchmark, problems, checksums.sha256, checksums.md5)


@contextmanager
def _overriding(module: ModuleType, name: str, path: Path | None) -> Generator[None]:
    """Set in place what evalplus reads from the environment, and only when it is imported."""
    if path is None:
        yield
        return
    before = getattr(module, name)
    setattr(module, name, str(path))
    try:
        yield
    finally:
        setattr(module, name, before)


@contextmanager
def _explained(path: Path | None) -> Generator[None]:
    try:
        yield
    except FileNotFoundError:
        raise InputError("no such file", file=path, remedy="Give the benchmark's file") from None
    except (OSError, zlib.error) as error:
        raise InputError(
            f"cannot be read ({error})",
            file=path,
            remedy="Give the benchmark's file (.jsonl or .jsonl.gz), "
            "or a network from which evalplus can fetch it",
        ) from error
    except (KeyError, TypeError, ValueError, AssertionError, EOFError) as error:
        raise InputError(
            f"is not a benchmark file of evalplus ({type(error).__name__}: {error})",
            file=path,
            remedy="Give HumanEvalPlus or MbppPlus as evalplus publishes it, unchanged",
        ) from error


_row = attrgetter(*[field.name for field in fields(EvalPlusProblem)])
_FORMAT = 2
"""Of marshal: the one without references, so that equal data give equal bytes."""


def load_evalplus_again(benchmark: EvalPlusBenchmark, path: Path, cache: Path) -> EvalPlusData:
    """The benchmark at `path`, from `cache` where it was loaded before.

    Raises:
        InputError: where the file is missing or is not such a benchmark.
    """
    content = read_bytes(path, "Give the benchmark's file (.jsonl or .jsonl.gz)")
    checksums = Checksums(content)
    made_of = f"{checksums.sha256[:16]}-evalplus-{version('evalplus')}"
    kept = cache / f"data-{benchmark}-{made_of}.marshal"
    if kept.exists():
        problems = [EvalPlusProblem(*row) for row in marshal.loads(kept.read_bytes())]  # noqa: S302
        by_name = {each.task_id: each for each in problems}
        return EvalPlusData(benchmark, by_name, checksums.sha256, checksums.md5)
    data = load_evalplus(benchmark, path)
    rows = [_row(problem) for problem in data.problems.values()]
    with replacing(kept) as partial:
        partial.write_bytes(marshal.dumps(rows, _FORMAT))
    return data


SANDBOX_PACKAGES = ("numpy", "pandas", "python-dateutil", "six")
"""The libraries for data that evalplus's own requirements bring, with what those need."""


def library_versions() -> dict[str, str]:
    """Their versions, by name."""
    return {name: version(name) for name in SANDBOX_PACKAGES}
