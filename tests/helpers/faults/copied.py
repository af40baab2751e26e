"""A copy of the undisturbed deployment, whose services and launches are processes of their own."""

import os
import shutil
from pathlib import Path

from faults.plan import TINY, replaying


def copied(chain: Path, root: Path, **settings: str) -> dict[str, str]:
    """Copy the deployment that lies below `chain` to `root`; the variables of its processes.

    Args:
        chain: where `chain.prepare` made it.
        root: the copy's folder.
        settings: what differs from the chain's own, without the prefix of the variables.
    """
    undisturbed = chain / "undisturbed"
    shutil.copytree(undisturbed / "artifacts", root / "artifacts", copy_function=os.link)
    shutil.copytree(undisturbed / "dagster", root / "dagster")
    values = {**TINY, **replaying(chain / "recorded"), **settings}
    return {
        **{f"ITERPREF_{name}": value for name, value in values.items()},
        "ITERPREF_ROOT": str(root), "DAGSTER_HOME": str(root / "dagster"),
    }  # fmt: skip
