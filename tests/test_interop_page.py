"""The page on optimisers runs as it is printed, and its packages agree."""

import numpy as np
import pytest
from interop_peers import peer
from pages import run_page

for name in ("cvxpy", "skfolio", "pypfopt", "riskfolio", "cvxportfolio", "sklearn", "ledge", "cvxcla", "cvx.risk"):
    peer(name)


def test_the_page_on_optimisers():
    page = run_page("docs/how-to/optimisers.md")
    least, cov, model = page["least"], page["cov"], page["model"]
    for weights in (page["structured"].values(), page["given"].weights_, page["by_cvxcla"]):
        np.testing.assert_allclose(list(weights), least, atol=3e-4)
    np.testing.assert_allclose(page["by_ledge"].weights, least, atol=3e-4)
    annual = cov.at(page["rm"].YEAR)
    benchmark = np.full(5, 0.2)
    assert float(annual.volatility(page["active"] - benchmark)) == pytest.approx(0.02, rel=1e-4)
    assert page["volatility_"] == pytest.approx(float(annual.volatility(least)), rel=1e-4)
    assert page["by_cvxrisk"].estimate(least.to_numpy()) == pytest.approx(float(cov.volatility(least)), rel=1e-9)
    assert page["largest"][0] == pytest.approx(np.linalg.eigvalsh(cov.to_dense())[-1], rel=1e-9)
    last = page["history"].asof(page["calendar"][0].tz_localize(None) - page["pd"].Timedelta(days=1))
    np.testing.assert_array_equal(page["tables"]["d"].iloc[0], last.idio_variance)
    assert page["walk"].sum(axis=1).to_numpy() == pytest.approx(1.0)
    assert page["riskfolio_weights"].sum() == pytest.approx(1.0)
    assert sum(page["sharpest"].values()) == pytest.approx(1.0)
    assert page["best"] in {page["rm"].MONTH, page["rm"].QUARTER, page["rm"].YEAR}
    assert page["attribution"].total.vol == pytest.approx(float(annual.volatility(least)), rel=1e-3)
    for result in (page["result"], page["of_history"]):
        assert result.w.iloc[:, :-1].to_numpy().min() > -1e-6
    assert page["scores"][0] > 0
    assert len(page["unusual"]) == 3
    assert list(model.assets) == list(page["walk"].columns)
