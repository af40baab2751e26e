import io

import polars as pl
from PIL import Image

from iterpref_assets.core.reporting.leaderboard import (
    failures_text,
    leaderboard_lines,
    leaderboard_plot,
    leaderboard_text,
)
from iterpref_assets.core.tables import LEADERBOARD

BOARD = pl.DataFrame(
    [
        ("HE", "reference", 164, 0.616, 0.54, 0.69, None, None, None),
        ("HE", "focal_rpo", 164, 0.896, 0.85, 0.94, 0.28, 0.2, 0.36),
        ("HE+", "reference", 164, 0.53, 0.45, 0.6, None, None, None),
    ],
    schema=LEADERBOARD,
    orient="row",
)


def test_variants_are_rows_and_benchmarks_columns_with_intervals_and_averages():
    text = leaderboard_text(BOARD)
    assert "| Variant | HE | HE+ | Average |" in text
    assert "| reference | 61.6 (54.0 to 69.0) | 53.0 (45.0 to 60.0) | 57.3 |" in text
    assert "| tasks | 164 | 164 |" in text


def test_what_was_not_scored_is_left_open_and_has_no_average():
    assert "| focal_rpo | 89.6 (85.0 to 94.0) | - | - |" in leaderboard_text(BOARD)


def test_the_differences_to_the_reference_model_have_a_table_of_their_own():
    before, after = leaderboard_text(BOARD).split("Difference to the reference model")
    assert "+28.0" not in before
    assert "| focal_rpo | +28.0 (+20.0 to +36.0) | - | - |" in after
    assert "reference |" not in after.split("\n", 1)[1]


def test_the_reference_model_alone_has_no_table_of_differences():
    assert "Difference" not in leaderboard_text(BOARD.filter(variant="reference"))


def test_a_line_a_variant_fits_a_terminal():
    assert leaderboard_lines(BOARD) == [
        "reference           HE 61.6  HE+ 53.0",
        "focal_rpo           HE 89.6",
    ]


def test_the_figure_is_a_picture_with_the_same_bytes_each_time():
    figure = leaderboard_plot(BOARD)
    assert Image.open(io.BytesIO(figure)).format == "PNG"
    assert leaderboard_plot(BOARD) == figure


def test_failures_have_a_column_per_variant():
    errors = pl.DataFrame(
        {"error_type": ["KeyError", "timeout"], "rpo": [139, 1], "focal": [100, 0]}
    )
    text = failures_text("BCB-F comp", errors)
    assert "| error_type | rpo | focal |" in text
    assert "| KeyError | 139 | 100 |" in text


def test_faultless_models_have_no_failures_to_show():
    empty = pl.DataFrame(schema={"error_type": pl.String, "rpo": pl.Int64})
    assert failures_text("HE", empty).endswith("None.\n")
