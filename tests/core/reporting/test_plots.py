import io
import subprocess
import sys

import matplotlib as mpl
import pytest
from PIL import Image

from iterpref_assets.core.evaluation.bootstrap import Interval
from iterpref_assets.core.reporting import plots

SCORES = [
    plots.PlottedScore("reference", Interval(estimate=0.4, low=0.3, high=0.5), 100),
    plots.PlottedScore("focal_rpo", Interval(estimate=0.5, low=0.4, high=0.6), 100),
]
CURVES = {"focal_rpo": [{"step": 1, "loss": 0.7}, {"step": 2, "loss": 0.6}], "sft": [{"step": 1}]}


def _figures() -> list[bytes]:
    return [
        plots.pass_rate_by_round([0.2, 0.4]),
        plots.pairs_by_filter(10, {"empty_focus": 2, "equal_ast": 0}),
        plots.training_curves(CURVES, "loss", "Loss (nats)"),
        plots.scores_by_variant(SCORES, "Held-out pass@1"),
    ]


def test_equal_data_give_equal_bytes():
    assert _figures() == _figures()


def test_other_data_give_other_bytes():
    assert plots.pass_rate_by_round([0.2, 0.4]) != plots.pass_rate_by_round([0.2, 0.5])


def test_figures_are_pictures_without_the_writers_version():
    for figure in _figures():
        image = Image.open(io.BytesIO(figure))
        assert image.format == "PNG"
        assert "Software" not in image.info


def test_the_users_own_matplotlib_settings_change_nothing():
    figure = plots.pass_rate_by_round([0.2, 0.4])
    with mpl.rc_context({"axes.facecolor": "red", "font.size": 30}):
        assert plots.pass_rate_by_round([0.2, 0.4]) == figure


def test_drawing_leaves_global_settings_alone():
    before = dict(mpl.rcParams)
    _figures()
    assert dict(mpl.rcParams) == before


def test_a_metric_that_nobody_logged_is_an_error():
    with pytest.raises(ValueError, match="reward_margin"):
        plots.training_curves(CURVES, "reward_margin", "Reward margin (nats)")


def test_importing_the_report_loads_no_matplotlib():
    code = (
        "import sys, iterpref_assets.core.reporting.report; assert 'matplotlib' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
