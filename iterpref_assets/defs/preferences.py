"""Group preferences: pairs, their tokens, and what the reference model thinks of them."""

from iterpref_assets.core import tables
from iterpref_assets.defs import conditions, metadata
from iterpref_assets.defs.stage import stage_asset
from iterpref_assets.settings import load_settings
from iterpref_assets.steps.checkpoints import REFERENCE_LOGPROBS
from iterpref_assets.steps.data_cards import DATA_CARDS
from iterpref_assets.steps.pairs import CODEFLOW_PAIRS, PREFERENCE_PAIRS

_ASKS_A_JUDGE = load_settings().pairs.judge is not None

codeflow_pairs = stage_asset(
    CODEFLOW_PAIRS,
    description="CodeFlow pairs: the passing version, an earlier failing one, the lines that "
    "differ.",
    group="preferences",
    kinds={"polars", "parquet"},
    pool="gpu" if _ASKS_A_JUDGE else "sandbox",
    in_worker=True,
    section="pairs",
    automation=conditions.MAKE,
    describe=metadata.of_pairs,
    schema=tables.PAIRS,
)

preference_pairs = stage_asset(
    PREFERENCE_PAIRS,
    description="The kept pairs in one base model's tokens, with the masks of D+ and D-.",
    group="preferences",
    kinds={"polars", "huggingface", "parquet"},
    in_worker=True,
    section="pairs",
    automation=conditions.MAKE,
    describe=metadata.of_preference_pairs,
    schema=tables.TOKENIZED_PAIRS,
)

reference_logprobs = stage_asset(
    REFERENCE_LOGPROBS,
    description="The reference model's log-probability of every token of every pair.",
    group="preferences",
    kinds={"torch", "parquet"},
    pool="gpu",
    in_worker=True,
    automation=conditions.MAKE,
    describe=metadata.of_nothing,
    schema=tables.REFERENCE_LOGPROBS,
)

data_cards = stage_asset(
    DATA_CARDS,
    description="What the pairs are like: counts by stage, lengths, failures, features, ten pairs.",
    group="preferences",
    kinds={"markdown", "matplotlib"},
    automation=conditions.KEEP_UP,
    describe=metadata.of_data_card,
)
