"""What a pair table may vary, and what may drop a pair."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field, JsonValue

from iterpref_assets.core.engines.config import EngineConfig, engine_identity, gpus_of
from iterpref_assets.core.records import Record


class Negatives(StrEnum):
    """Which failing program is y- (paper, Table 20)."""

    RANDOM = "random"
    """Any earlier version of the trajectory whose last version is y+."""
    FIRST = "first"
    """The first version of that trajectory."""
    LAST = "last"
    """The last version of it before y+."""
    PASS_RATE = "pass_rate"  # noqa: S105
    """No debugging at all, but another independent sample of the same problem, as Code-Optimise and
    PLUM do; the baseline that debugging pairs are compared with (Tables 5, 7)."""
    NEAREST = "nearest"
    """Ours: of all failing versions of the problem the one that leaves the fewest characters on D+
    and D-, for every different program that passes."""


class Difference(StrEnum):
    """How D+ and D- are found (paper, Table 19); TOKENS, FORKS and NODES are ours.

    Filters ask about lines, which these three find as LCS does. What they mark is finer; where it
    is nothing at all of a side, since that only lacks what the other has, its lines stand.
    """

    LCS = "lcs"
    """The lines outside their longest common subsequence."""
    PREFIX_SUFFIX = "prefix_suffix"
    """The lines between the common first and last ones."""
    TOKENS = "tokens"
    """The model's tokens outside their longest common subsequence."""
    FORKS = "forks"
    """Of every run of TOKENS the first: where the programs part. What follows it is written in the
    wake of a mistake, whatever its own worth."""
    NODES = "nodes"
    """The smallest syntax-tree nodes that the other program does not share."""


class Filter(StrEnum):
    """Why a pair is dropped, in the order in which the filters are asked.

    EMPTY_FOCUS is ours: the paper leaves open what to do where y+ only adds lines. The focal term
    then has no token to penalise and the loss is that of SFT, so such pairs are dropped for every
    recipe (all recipes see the same pairs) and counted under their own name. So are NO_PROGRAM (y-
    is a refusal or other prose) and NO_ENTRY_POINT (y- is a program that does not define the
    function that the tests ask for, such as another task's). BENCHMARK_OVERLAP is asked only where
    `iterpref pairs` is given benchmarks: the chain keeps its seeds clear of them. TOO_MANY_TOKENS
    is asked first of programs so long that no tokenizer need count.
    """

    NO_PROGRAM = "no_program"
    NO_ENTRY_POINT = "no_entry_point"
    EMPTY_FOCUS = "empty_focus"
    ONLY_COMMENTS = "only_comments"
    LONG_DIFFERENCE = "long_difference"
    EQUAL_AST = "equal_ast"
    FORMATTING_ONLY = "formatting_only"
    BENCHMARK_OVERLAP = "benchmark_overlap"
    JUDGED_FORMATTING = "judged_formatting"
    TOO_MANY_TOKENS = "too_many_tokens"


class JudgeConfig(Record):
    """The LLM that is asked whether two programs differ in form alone; its answers are greedy."""

    engine: EngineConfig = Field(description="What the judge runs on")
    model: str = Field(
        min_length=1,
        description="A checkpoint's folder, a name on the hub, or the name that a server knows",
    )
    max_tokens: int = Field(
        default=512,
        ge=1,
        description="Longest answer, tokens; a longer one is cut off and counts as malformed",
    )
    max_in_flight: int = Field(
        default=64,
        ge=1,
        description="Questions held at once; it bounds memory and changes no answer",
    )
    max_failed_share: float = Field(
        default=0.1,
        ge=0,
        le=1,
        description="Calls that may give no answer, as a share of 1; more end the run. One alone "
        "never does, unless the share is 0",
    )

    def for_result(self) -> dict[str, JsonValue]:
        """The options that answers depend on: not the concurrency, not what failures may cost."""
        left_out = {"max_in_flight", "max_failed_share"}
        options = self.model_dump(mode="json", exclude=left_out)
        return {**options, "engine": engine_identity(self.engine)}


def judge_gpus(judge: JudgeConfig | None) -> int:
    """How many GPUs a judge computes on; none where nobody is asked."""
    return gpus_of(judge.engine) if judge else 0


class PairConfig(Record):
    """How pairs are made from trajectories."""

    negatives: Negatives = Field(Negatives.RANDOM, description="Which failing program is rejected")
    difference: Difference = Field(Difference.LCS, description="How D+ and D- are found")
    max_diff_lines: int = Field(
        default=20, ge=1, description="The longest D- that is kept, lines: filter (ii)"
    )
    max_tokens: int = Field(
        default=2048,
        ge=1,
        description="The longest y+ or y- that is kept, tokens with the end-of-turn token: filter "
        "(iii)",
    )
    seed: int = Field(0, description="Draws the negatives")
    judge: JudgeConfig | None = Field(
        None, description="Who is asked about pairs that no other filter dropped; unset asks nobody"
    )

    def for_result(self) -> dict[str, JsonValue]:
        """The options that pairs depend on, of the judge those that its answers do."""
        judge = self.judge.for_result() if self.judge else None
        return {**self.model_dump(mode="json", exclude={"judge"}), "judge": judge}
