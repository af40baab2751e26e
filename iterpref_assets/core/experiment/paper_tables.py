"""The paper's tables with our figures beside its own (METHOD.md, section 3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from iterpref_assets.core.evaluation.bootstrap import Interval
from iterpref_assets.core.experiment.results import Results, error_counts
from iterpref_assets.core.experiment.rounds_table import rounds_text
from iterpref_assets.core.experiment.wording import ABSENT, NOT_RUN, interval
from iterpref_assets.core.reporting.markdown import table
from iterpref_assets.core.training.recipes import REFERENCE


@dataclass(frozen=True, slots=True)
class PaperRow:
    """One variant: what the paper calls it, which arm it is here, and the paper's figures."""

    label: str
    arm: str
    figures: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PaperTable:
    """One table of the paper's: `columns` say what its figures are of."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[PaperRow, ...]


_AVERAGE = ("the paper, average",)
PAPER_TABLES: tuple[PaperTable, ...] = (
    PaperTable(
        "Table 1: variants on debugging pairs",
        ("DS-Coder-7B", "Qwen2.5-Coder-7B", "CodeQwen1.5-7B", "StarCoder2-15B"),
        (
            PaperRow("reference", REFERENCE, ("45.5", "43.9", "49.3", ABSENT)),
            PaperRow("DPO", "dpo", ("45.5", "41.1", "47.0", "30.4")),
            PaperRow("RPO", "rpo", ("43.6", "41.4", "46.0", "30.9")),
            PaperRow("focal DPO", "focal_dpo", ("48.8", "55.3", "52.5", "43.1")),
            PaperRow("focal RPO", "focal_rpo", ("49.9", "56.3", "52.3", "43.7")),
        ),
    ),
    PaperTable(
        "Table 2: imitation against focal preference",
        _AVERAGE,
        (
            PaperRow("SFT on y+", "sft", ("62.9",)),
            PaperRow("focal DPO", "focal_dpo", ("65.0",)),
        ),
    ),
    PaperTable(
        "Table 7: where pairs come from",
        _AVERAGE,
        (
            PaperRow("sampling", "focal_dpo-sampled", ("62.3",)),
            PaperRow("debugging", "focal_dpo", ("64.1",)),
        ),
    ),
    PaperTable(
        "Table 14: beta of focal DPO",
        _AVERAGE,
        (
            PaperRow("0.1", "focal_dpo", ("69.7",)),
            PaperRow("0.3", "focal_dpo-beta0.3", ("69.1",)),
            PaperRow("0.5", "focal_dpo-beta0.5", ("67.5",)),
        ),
    ),
    PaperTable(
        "Table 15: alpha of focal RPO",
        _AVERAGE,
        (
            PaperRow("1", "focal_rpo", ("70.5",)),
            PaperRow("3", "focal_rpo-alpha3", ("67.9",)),
            PaperRow("5", "focal_rpo-alpha5", ("68.7",)),
            PaperRow("without end", "sft", ("68.7",)),
        ),
    ),
    PaperTable(
        "Table 19: how the difference is found, focal DPO",
        _AVERAGE,
        (
            PaperRow("line LCS", "focal_dpo", ("64.4",)),
            PaperRow("prefix and suffix", "focal_dpo-prefix_suffix", ("61.9",)),
        ),
    ),
    PaperTable(
        "Table 20: which failing version is y-, focal DPO",
        _AVERAGE,
        (
            PaperRow("random", "focal_dpo", ("64.4",)),
            PaperRow("last", "focal_dpo-last", ("63.7",)),
            PaperRow("first", "focal_dpo-first", ("62.2",)),
        ),
    ),
)

ERRORS: tuple[tuple[str, str, str], ...] = (
    ("AttributeError", "145", "127"),
    ("KeyError", "139", "100"),
    ("NameError", "41", "46"),
    ("FileNotFoundError", "44", "35"),
)
"""Table 18: programs that fail by error, of RPO and of focal RPO."""


def paper_tables_text(results: Results, rates: Mapping[str, Interval]) -> list[str]:
    """Every table of the paper's that our figures can stand beside, and why the others lack.

    Args:
        results: what was exported.
        rates: the pass rate of every arm that has one.
    """
    note = (
        "The paper's figures are pass@1 (%) averaged over its benchmarks; ours are greedy pass@1 "
        "(%) on the reported problems. Only signs and orders can be compared: models, data and "
        "problems are others. Table 3 is not formed: the project's notes hold none of its "
        "figures.\n"
    )
    return [
        note,
        *(_table_text(each, rates) for each in PAPER_TABLES),
        rounds_text(results.rounds),
        _errors_text(results),
    ]


def _table_text(each: PaperTable, rates: Mapping[str, Interval]) -> str:
    rows = [[row.label, *row.figures, row.arm, _scored(rates, row.arm)] for row in each.rows]
    return f"{each.title}\n\n{table(['variant', *each.columns, 'arm', 'here'], rows)}"


def _scored(rates: Mapping[str, Interval], arm: str) -> str:
    return interval(rates[arm]) if arm in rates else NOT_RUN


def _errors_text(results: Results) -> str:
    arms = ("rpo", "focal_rpo")
    counted = [error_counts(results, arm) if arm in results.arms else None for arm in arms]
    rows = [
        [
            name,
            *paper,
            *(NOT_RUN if each is None else f"{each.get(name, 0.0):.1f}" for each in counted),
        ]
        for name, *paper in ERRORS
    ]
    head = ["error", "the paper, RPO", "the paper, focal RPO", "rpo", "focal_rpo"]
    about = (
        "Table 18: programs that fail, by error (the paper: BigCodeBench, whose tasks use files "
        "and objects; here: mean over seeds)"
    )
    return f"{about}\n\n{table(head, rows)}"
