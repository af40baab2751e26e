"""What a server's model answered in a finished run: its name on record, ends, rounds and pairs.

    iterpref run --settings SETTINGS --until codeflow_pairs
    python measurements/server_answers.py ROOT SHARD

ROOT is the root of those settings, whose generator is a `remote` one.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import polars as pl

from iterpref_assets.core.artifacts import Artifact, ArtifactKey, ArtifactStore
from iterpref_assets.core.pairs.statistics import count_by_filter


def main() -> None:
    """Read the artifacts of one shard and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("root", type=Path)
    parser.add_argument("shard")
    arguments = parser.parse_args()
    store = ArtifactStore(arguments.root)
    assets = ("initial_samples", "debug_trajectories", "codeflow_pairs")
    samples, debugged, pairs = (store.current(ArtifactKey(a, arguments.shard)) for a in assets)
    for each in (samples, debugged):
        _tell_answers(each)
    rates = debugged.manifest.figures["pass_rate_by_round"]
    counts = count_by_filter(pl.read_parquet(pairs.path("pairs.parquet"), columns=["dropped_by"]))
    print(f"trajectories: {debugged.manifest.figures['trajectories']}, solved by round: {rates}")
    print(f"pairs kept: {counts.kept}, dropped: {json.dumps(counts.dropped)}")


def _tell_answers(artifact: Artifact) -> None:
    """The generator that is on record, the engine of every completion, and how each ended."""
    frame = pl.read_parquet(artifact.path("completions.parquet"))
    ends = dict(frame["finish_reason"].value_counts(sort=True).iter_rows())
    print(artifact.manifest.asset, json.dumps(artifact.manifest.config["generator"]))
    print(f"  {frame.height} completions, {json.dumps(ends)}, {frame['engine'].unique().to_list()}")


if __name__ == "__main__":
    main()
