"""What the generator was shown before each version of a trajectory, from what is on record."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from iterpref_assets.core.prompts import Message, debug_conversation, solve_conversation


def shown_conversations(
    prompt: str, versions: pl.DataFrame
) -> Iterator[tuple[int, tuple[Message, ...]]]:
    """Each round of one trajectory and the conversation that its version answers.

    Args:
        prompt: the problem's.
        versions: the trajectory's rows of tables.VERSIONS, in order of rounds.
    """
    conversation = solve_conversation(prompt)
    for round_, code, feedback in versions.select("round", "code", "feedback").iter_rows():
        yield round_, conversation
        conversation = debug_conversation(prompt, code, feedback)
