"""Pairs in the formats of others: the authors' JSON (METHOD.md, 1.7), and TRL's columns."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from iterpref_assets.core import tables
from iterpref_assets.core.answers import read_answer
from iterpref_assets.core.digests import digest_json
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.files import read_bytes, replacing
from iterpref_assets.core.pairs.build import compare
from iterpref_assets.core.pairs.config import PairConfig
from iterpref_assets.core.prompts import Role, fenced
from iterpref_assets.core.unreachable import reachable_definitions

_ROWS = (".parquet", ".jsonl")


class _Released(BaseModel):
    """One entry of the authors' release; `chosen` and `rejected` are fenced blocks."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    prompt: str
    chosen: str
    rejected: str


_RELEASE = TypeAdapter(list[_Released])


def write_target_dpo(pairs: pl.DataFrame, out: Path) -> int:
    """Write kept pairs as the authors do: a JSON list of `prompt`, `chosen`, `rejected`.

    Args:
        pairs: columns of tables.PAIRS.
        out: the JSON file.

    Returns:
        How many pairs were written.
    """
    kept = pairs.filter(pl.col("dropped_by").is_null()).select("prompt", *_fenced())
    with replacing(out) as partial, partial.open("w", encoding="utf-8") as stream:
        json.dump(kept.to_dicts(), stream, ensure_ascii=False, indent=1)
    return kept.height


def read_target_dpo(file: Path, config: PairConfig) -> pl.DataFrame:
    """The authors' JSON as a pair table, with D+ and D- found and the filters applied.

    The release holds no trajectories, so a pair is named by its place in the file, which also
    stands for its trajectory and problem; rounds are 1 (chosen) and 0 (rejected). It holds no tests
    either: a program's functions and classes count as what they ask for.

    Returns:
        Columns of tables.PAIRS.

    Raises:
        InputError: where the file is no such list, naming the entry and field.
    """
    try:
        entries = _RELEASE.validate_json(read_bytes(file, "Give a readable file"))
    except ValidationError as error:
        raise InputError.of_record(
            error,
            file=file,
            remedy="Give a JSON list of objects with prompt, chosen and rejected",
        ) from None
    rows = [_row(index, entry, config) for index, entry in enumerate(entries)]
    return pl.DataFrame(rows, schema=tables.PAIRS)


def write_trl(pairs: pl.DataFrame, tokens: pl.DataFrame, out: Path) -> int:
    """Write tokenized pairs for TRL and `datasets`, as Parquet or JSON lines.

    Columns: `prompt`, `chosen`, `rejected` (lists of messages, as `write_messages` writes them),
    and `prompt_ids`, `chosen_ids`, `rejected_ids`, `chosen_mask`, `rejected_mask` for one
    tokenizer. TRL's own trainers make the ids anew of the messages and leave the masks alone: they
    are for a trainer or a loss of one's own.

    Args:
        pairs: columns of tables.PAIRS.
        tokens: columns of tables.TOKENIZED_PAIRS; its rows and their order are written.
        out: a file whose name ends in .parquet or .jsonl.

    Returns:
        How many pairs were written.

    Raises:
        InputError: where `out` ends otherwise, or a tokenized pair is not among the pairs.
    """
    _require_suffix(out)
    texts = pairs.with_columns(*_fenced()).select("pair_id", *_messages())
    table = tokens.join(texts, on="pair_id", how="left", maintain_order="left")
    if table["prompt"].has_nulls():
        raise InputError(
            "a tokenized pair is not among the pairs",
            field="pair_id",
            remedy="Give the pair table that was tokenized",
        )
    columns = ["prompt", "chosen", "rejected", *list(tables.TOKENIZED_PAIRS)[1:]]
    _write_rows(table.select(columns), out)
    return table.height


def write_messages(pairs: pl.DataFrame, out: Path) -> int:
    """Write kept pairs as conversations, which TRL and alignment-handbook read for any model.

    Columns: `prompt`, `chosen`, `rejected`, each a list of messages (`role`, `content`), and
    `pair_id`, `chosen_diff_lines`, `rejected_diff_lines` (D+ and D-, lines of the program from 0).

    Args:
        pairs: columns of tables.PAIRS.
        out: a file whose name ends in .parquet or .jsonl.

    Returns:
        How many pairs were written.

    Raises:
        InputError: where `out` ends otherwise.
    """
    _require_suffix(out)
    kept = pairs.filter(pl.col("dropped_by").is_null())
    table = kept.with_columns(*_fenced()).select(
        *_messages(),
        "pair_id",
        "chosen_diff_lines",
        "rejected_diff_lines",
    )
    _write_rows(table, out)
    return table.height


def _require_suffix(out: Path) -> None:
    if out.suffix not in _ROWS:
        names = " or ".join(_ROWS)
        raise InputError(f"cannot write {out.suffix!r}", file=out, remedy=f"End it in {names}")


def _write_rows(table: pl.DataFrame, out: Path) -> None:
    with replacing(out) as partial:
        if out.suffix == ".parquet":
            table.write_parquet(partial)
        else:
            table.write_ndjson(partial)


def _fenced() -> list[pl.Expr]:
    return [
        pl.format(fenced("{}"), pl.col(side).str.strip_chars("\n")).alias(side)
        for side in ("chosen", "rejected")
    ]


def _messages() -> list[pl.Expr]:
    turns = {"prompt": Role.USER, "chosen": Role.ASSISTANT, "rejected": Role.ASSISTANT}
    return [
        pl.concat_list(pl.struct(role=pl.lit(role.value), content=pl.col(name))).alias(name)
        for name, role in turns.items()
    ]


def _row(index: int, entry: _Released, config: PairConfig) -> dict[str, Any]:
    # Pairs of one prompt solve one problem: held-out pairs are drawn by problem.
    problem = f"target-dpo/{digest_json(entry.prompt)[:12]}"
    trajectory = f"{problem}#{index}"
    chosen, rejected = (
        reachable_definitions(_program(side)) for side in (entry.chosen, entry.rejected)
    )
    return {
        "pair_id": f"{trajectory}:0-1",
        "trajectory_id": trajectory,
        "problem_id": problem,
        "prompt": entry.prompt,
        "chosen_round": 1,
        "rejected_round": 0,
        **compare(chosen, rejected, config),
    }


def _program(completion: str) -> str:
    """The program of a completion that is one fenced block, whatever fences stand within it."""
    first, _, rest = completion.strip().partition("\n")
    code, _, last = rest.rpartition("\n")
    if first.startswith("```") and last.strip() == "```":
        return code.strip("\n")
    return read_answer(completion).program or completion.strip("\n")
