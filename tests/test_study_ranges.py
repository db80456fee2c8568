"""Ranges of realised volatility in a study: what they are made of, and how often they hold."""

import numpy as np
import pandas as pd
import panels
import pytest

import riskmodel as rm

FEW = {"long": rm.RandomLong(3), "equal": rm.EqualWeights()}


def steady(returns):
    """A forecast that knows nothing of recent returns."""
    return np.diag(np.full(returns.shape[1], 1e-4))


def made(t=1_000, **settings):
    walk = rm.WalkForward(
        {"sample": lambda r: r.cov(), "steady": steady},
        **({"window": rm.Horizon(60), "horizon": rm.Horizon(15), "portfolios": FEW} | settings),
    )
    return walk.run(panels.clean(t=t, n=4))


@pytest.fixture(scope="module")
def study():
    return made()


def test_ratios_are_of_squares_and_forecast_variances(study):
    records = study.records
    mine = records[records.index.get_level_values("method") == "sample"]
    values = np.sqrt(mine["squares"] / mine["variance"])
    for families in (["long"], ["long", "equal"]):
        part = values[mine.index.get_level_values("family").isin(families)]
        own = rm.VolatilityRatios.of(part, rm.Horizon(15))
        pd.testing.assert_frame_equal(study.ratios("sample", families).ranges(0.7), own.ranges(0.7))
    assert study.ratios("sample").horizon == rm.Horizon(15)
    assert made(300, horizon=rm.Horizon(21)).ratios("sample").horizon.name == "month"


def test_coverage_is_of_dates_held_back(study):
    table = study.coverage([0.7, 0.9])
    assert list(table.index.names) == ["family", "method", "level"]
    for (family, method, level), row in table.iterrows():
        ratios = study.ratios(method, [family])
        inside = ratios.ranges(level)["inside"]
        assert row["dates"] == len(inside) == len(study.dates) - 19
        assert row["coverage"] == pytest.approx(inside.mean())
        assert row["std_error"] == pytest.approx(inside.std() / np.sqrt(len(inside)))
        assert (row["low"], row["high"]) == ratios.range(level)
    assert set(study.coverage().index.get_level_values("level")) == {0.7, 0.95}


def test_a_wrong_size_is_calibrated_away():
    study = made(2_500, horizon=rm.Horizon(10), window=rm.Horizon(30))
    table = study.coverage([0.7]).xs(0.7, level="level")
    assert (table["coverage"] - 0.7).abs().max() < 0.05
    assert table.loc[("equal", "steady"), "high"] != pytest.approx(table.loc[("equal", "sample"), "high"], rel=0.05)


def test_ranges_of_overlapping_periods_know_only_what_is_over():
    study = made(500, every=5)
    assert study.overlap == 2
    ratios = study.ratios("sample", ["equal"])
    table = ratios.ranges(0.7)
    assert len(table) == len(study.dates) - 19 - 2
    assert study.ends[18] <= table.index[0]


def test_too_few_dates_and_rows():
    few = made(300)
    assert "coverage" not in few.frames()
    with pytest.raises(rm.NotEstimatedError) as error:
        few.coverage()
    assert error.value.details["minimum"] == 19 or error.value.details["minimum"] == 39
    with pytest.raises(rm.NotEstimatedError) as error:
        made(200, horizon=rm.Horizon(4)).ratios("sample")
    assert error.value.details == {"rows": 4}


@pytest.mark.parametrize(("method", "families", "which"), [("none", None, "method"), ("sample", ["none"], "families")])
def test_unknown_names_are_refused(study, method, families, which):
    with pytest.raises(rm.InvalidParameterError) as error:
        study.ratios(method, families)
    assert error.value.details["parameter"] == which


def test_the_report_shows_the_coverage(study):
    report = rm.StudyReport.of(study)
    table = next(t for t in report.document().tables if t.title == "Ranges of realised volatility")
    coverage = study.coverage()
    assert [row[4] for row in table.rows] == [f"{100 * c:.1f}" for c in coverage["coverage"]]
    assert report.to_dict()["coverage"][0]["coverage"] == pytest.approx(coverage["coverage"].iloc[0])
    assert "RANGES OF REALISED VOLATILITY" in report.to_text()
