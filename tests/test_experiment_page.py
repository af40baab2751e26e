"""docs/EXPERIMENT.md is what the recorded results say."""

from pathlib import Path

from iterpref_assets.core.experiment.page import write_page

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "measurements" / "results" / "experiment"


def test_the_page_is_that_of_the_recorded_results(tmp_path):
    write_page(RESULTS, tmp_path / "EXPERIMENT.md")
    written = (tmp_path / "EXPERIMENT.md").read_text(encoding="utf-8")
    assert written == (ROOT / "docs" / "EXPERIMENT.md").read_text(encoding="utf-8")
