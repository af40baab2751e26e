"""The page that tells every file that goes in or out, docs/FORMATS.md, from the schemas."""

from __future__ import annotations

import ast
import inspect
import json
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from string import Template
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl
from pydantic import BaseModel

from iterpref_assets.core import records, tables
from iterpref_assets.core.columns import DESCRIPTIONS
from iterpref_assets.core.pairs.formats import write_messages, write_target_dpo, write_trl
from iterpref_assets.core.pairs.own import TrajectoryLine

_HEAD = """\
# Formats

`iterpref settings formats` writes this page from the schemas in `core/records.py` and
`core/tables.py`. Tables are Parquet. Columns are checked whenever a table is read or written.

## Problems, one JSON object a line

What `seeds.kind = "files"` reads: each `*.jsonl` in `seeds.folder` is a shard, and `seeds.heldout`
is one more file, whose lines say `"split": "heldout"`. Values in `arguments` and `expected` are
Python literals as text; `arguments` is a tuple. `iterpref init` writes these lines:

"""
_SAMPLES = """
## Samples, one JSON object a line

What `iterpref generate` writes and `iterpref evaluate --samples` reads. `solution` is a whole
program, `completion` goes on after the task's prompt, `answer` is a chat's whole answer, which
`--answers` reads. A task may have several lines.

```json
{"task_id": "HumanEval/53", "solution": "def add(x: int, y: int):\\n    return x + y\\n"}
{"task_id": "HumanEval/53", "completion": "    return x + y\\n"}
{"task_id": "HumanEval/53", "solution": "def add(x, y): return x + y", "answer": "Like this: ..."}
```

## Pairs as JSON

`iterpref export` writes kept pairs ([PAIRS.md](PAIRS.md)). `--format messages`, one pair a line:

```json
$messages
```

`--format trl`, one pair a line with the messages, and the ids and masks of one tokenizer:

```json
$trl
```

`--format target-dpo`, the authors' form, one JSON list of all pairs:

```json
$release
```

## Recorded trajectories, one JSON object a line

What `iterpref pairs --trajectories` reads beside tables and LLMDebugger's files
([PAIRS.md](PAIRS.md#your-own-trajectories)):

```json
$trajectory
```
$trajectory_fields
## What commands write as JSON
$written
## Tables

A table has no lines; below each stands one of its rows as JSON.
"""
_TRAJECTORY = {
    "problem_id": "homework/17",
    "source": "our-homework",
    "prompt": "Write add(a, b), which returns the sum of two numbers.",
    "tests": {
        "kind": "function",
        "entry_point": "add",
        "cases": [{"arguments": "(1, 2)", "expected": "3"}],
    },
    "versions": ["def add(a, b):\n    return a - b", "def add(a, b):\n    return a + b"],
}
ROWS = Path(__file__).with_name("formats_rows.json")
"""A row of each table, and a line of each file of _WRITTEN, as the project's code wrote them."""
_WRITTEN = {
    "results.jsonl": "`results.jsonl` of `iterpref evaluate --out`, one program a line",
    "summary.json": "`summary.json` beside it, one object",
    "SAMPLES.completions.jsonl": "`SAMPLES.completions.jsonl` of `iterpref generate`, one answer a "
    "line behind a first one with the settings",
    "PAIRS.manifest.json": "`PAIRS.manifest.json` of `iterpref pairs`, one object",
    "metrics.jsonl": "`metrics.jsonl` of a trained model, one logged step a line",
    "training.json": "`training.json` of `iterpref train`, one object",
}
"""Each file that commands write as JSON, but for exports, in words."""
FILES = {
    "PROBLEMS": "`problems.parquet` of `raw_seeds`, `seed_problems`, `heldout_problems`",
    "UNUSABLE_SEEDS": "`unusable.parquet` of `raw_seeds`",
    "DROPPED_SEEDS": "`dropped_seeds.parquet` of `seed_problems`",
    "COMPLETIONS": "`completions.parquet` of `synthetic_tasks`, `initial_samples`, "
    "`debug_trajectories`; what engine `replay` reads",
    "WRITTEN_PROGRAMS": "the programs that came with synthesised tests",
    "TEST_QUALITY": "`quality.parquet` of `test_quality`",
    "VERSIONS": "`versions.parquet` of `debug_trajectories`; what `iterpref pairs` reads",
    "PAIRS": "`pairs.parquet` of `codeflow_pairs` and `preference_pairs`, and of `iterpref pairs`",
    "JUDGEMENTS": "`judgements.parquet` of `codeflow_pairs`, where a judge is set",
    "TOKENIZED_PAIRS": "`tokens.parquet` of `preference_pairs`; what `iterpref train` reads",
    "REFERENCE_LOGPROBS": "`logprobs.parquet` of `reference_logprobs`",
    "SCORES": "`greedy.parquet`, `sampled.parquet` of `heldout_scores`; `scores.parquet`",
    "STRONGER": "`stronger.parquet` of `experiment_stronger`",
    "BENCHMARK_TASKS": "`tasks.parquet` of a benchmark's tasks",
    "LEADERBOARD": "`leaderboard.parquet` of `leaderboard`",
}
"""Where each table of core.tables lies."""
_RECORDS = (
    records.Problem,
    records.FunctionTests,
    records.Case,
    records.RaisingCase,
    records.StdioTests,
    records.StdioCase,
    records.CodeTests,
)


def formats_page(example: Path) -> str:
    """docs/FORMATS.md; `example` is a problem file whose lines are shown."""
    problems = [line for line in example.read_text(encoding="utf-8").splitlines() if line]
    parts = [_HEAD, "```json\n", "\n".join(problems), "\n```\n"]
    parts += [_record(model) for model in _RECORDS]
    rows = written_rows()
    written = "".join(
        f"\n{words}:\n\n```json\n{_line(rows[name])}\n```\n" for name, words in _WRITTEN.items()
    )
    parts.append(
        Template(_SAMPLES).substitute(
            _exports(rows),
            trajectory=_line(_TRAJECTORY),
            trajectory_fields=_record(TrajectoryLine),
            written=written,
        )
    )
    for name, (schema, about) in schemas().items():
        parts.append(_table(name, schema, about, rows[name]))
    return "".join(parts)


def written_rows() -> dict[str, dict[str, Any]]:
    """The rows and lines that are shown, by the table's name in core.tables or the file's."""
    return json.loads(ROWS.read_text(encoding="utf-8"))


def _exports(rows: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """What `iterpref export` writes of the pair that is shown, by its place on the page."""
    pairs = pl.DataFrame([rows["PAIRS"]], schema=tables.PAIRS)
    tokens = pl.DataFrame([rows["TOKENIZED_PAIRS"]], schema=tables.TOKENIZED_PAIRS)
    with TemporaryDirectory() as scratch:
        out = Path(scratch) / "export.jsonl"
        write_messages(pairs, out)
        messages = out.read_text(encoding="utf-8").strip()
        write_trl(pairs, tokens, out)
        trl = out.read_text(encoding="utf-8").strip()
        write_target_dpo(pairs, out)
        release = out.read_text(encoding="utf-8")
    return {"messages": messages, "trl": trl, "release": release}


def _line(row: Mapping[str, Any]) -> str:
    return json.dumps(row, ensure_ascii=False)


def schemas() -> dict[str, tuple[tables.Schema, str]]:
    """Every schema of core.tables with the words that follow it there."""
    body = ast.parse(inspect.getsource(tables)).body
    found: dict[str, tuple[tables.Schema, str]] = {}
    for statement, after in pairwise(body):
        if not (isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name)):
            continue
        words = ast.literal_eval(after.value) if isinstance(after, ast.Expr) else ""
        name = statement.target.id
        if isinstance(schema := getattr(tables, name), dict):
            found[name] = (schema, " ".join(str(words).split()))
    return found


def _record(model: type[BaseModel]) -> str:
    about = " ".join((inspect.getdoc(model) or "").split())
    return f"\n### {model.__name__}\n\n{about}\n\n" + "\n".join(_fields(model)) + "\n"


def _fields(model: type[BaseModel]) -> Iterator[str]:
    yield "| field | JSON | where left out |"
    yield "|---|---|---|"
    schema = model.model_json_schema()
    for name, field in schema["properties"].items():
        choices = field.get("oneOf") or field.get("anyOf") or [field]
        kind = " or ".join(each.get("type") or each["$ref"].rpartition("/")[2] for each in choices)
        if "const" in field:
            kind = json.dumps(field["const"])
        must = "default" not in field or "const" in field
        default = "must be given" if must else json.dumps(field["default"])
        yield f"| `{name}` | {kind} | {default} |"


def _table(name: str, schema: tables.Schema, about: str, row: Mapping[str, Any]) -> str:
    columns = "\n".join(
        f"| `{column}` | {dtype} | {DESCRIPTIONS[column]} |" for column, dtype in schema.items()
    )
    head = "| column | type | what it holds |\n|---|---|---|"
    return f"\n### {FILES[name]}\n\n{about}\n\n{head}\n{columns}\n\n```json\n{_line(row)}\n```\n"
