"""What the page tells of the arms before any of their figures."""

import re

from iterpref_assets.core.experiment.arms import ARMS
from iterpref_assets.core.experiment.preface import PARTS


def test_the_parts_of_the_arms_names_are_explained_and_no_others():
    parts = [part for arm in ARMS for part in arm.name.split("-")[1:]]
    assert {re.sub(r"[\d.]+$", "", part) for part in parts} == set(PARTS)
