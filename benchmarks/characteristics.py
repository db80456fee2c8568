"""A fundamental model of made characteristics, beside that of skfolio on the same numbers."""

from __future__ import annotations

import numpy as np
import pandas as pd

import riskmodel as rm
from benchmarks.timing import Figure, best

# Dates, assets, styles and industries; with the market, 60 factors.
SIZE = (2_520, 3_000, 19, 40)
QUICK = (252, 1_000, 19, 40)


class Made:
    """Returns and characteristics by date, asset and style."""

    def __init__(self, t, n, styles, industries, seed=0):
        rng = np.random.default_rng(seed)
        self.days = pd.bdate_range("2010-01-01", periods=t + 1)
        self.styles = [f"style_{j}" for j in range(styles)]
        self.industries = np.array([f"industry_{j:02}" for j in range(industries)])
        self.of = np.arange(n) % industries
        self.values = {name: rng.normal(size=(t + 1, n)) for name in self.styles}
        self.caps = np.exp(rng.normal(size=n) + 0.01 * rng.normal(size=(t + 1, n)).cumsum(axis=0))
        self.returns = 0.02 * rng.normal(size=(t, n))
        self.returns += 0.01 * rng.normal(size=(t, 1)) + 0.005 * rng.normal(size=(t, industries))[:, self.of]

    def ours(self, steps):
        """The panel, and an estimator of the parts that skfolio has by default."""
        t, n = self.returns.shape
        panel = rm.ReturnPanel(
            dates=self.days[1:],
            assets=pd.RangeIndex(n),
            factors=pd.Index([]),
            excess_returns=self.returns,
            factor_returns=np.zeros((t, 0)),
            risk_free=np.zeros(t),
            horizon=rm.DAY,
            definitions=(),
            dropped=pd.DataFrame({"date": [], "reason": []}),
        )
        tables = {name: pd.DataFrame(values, self.days, copy=False) for name, values in self.values.items()}
        known = rm.Characteristics.wide(tables | {"cap": pd.DataFrame(self.caps, self.days, copy=False)})
        known = known.join(rm.Characteristics.static(pd.Series(self.industries[self.of], name="industry")))
        loadings = rm.CrossSectional(
            known, styles=[rm.Style(name, steps) for name in self.styles], groups=["industry"], caps="cap"
        )
        covariance = rm.RegimeAdjusted(rm.EWMACovariance(rm.Horizon(40), rm.Horizon(60)), rm.Horizon(20))
        idio = rm.RegimeAdjustedVariance(rm.EWMAVariance(rm.Horizon(40)), rm.Horizon(20))
        return panel, rm.Assembled(loadings, covariance, idio)

    def theirs(self, prepare):
        """A function that fits skfolio's model; `prepare` says what becomes of styles: None for its default."""
        from skfolio.containers import AssetPanel, FieldCategorical
        from skfolio.descriptor import Passthrough
        from skfolio.factor_exposure import FixedWeightedFactor, GlobalFactor, OneHotCategoricalFactors
        from skfolio.prior import CharacteristicsFactorModel

        t, n = self.caps.shape
        returns = np.vstack([np.zeros((1, n)), self.returns])
        codes = FieldCategorical(np.tile(self.of, (t, 1)), self.industries)
        fields = {"returns": returns, "market_cap": self.caps, "industry": codes} | self.values
        panel = AssetPanel(fields, self.days.to_numpy(), np.arange(n).astype(str))
        styles = [
            FixedWeightedFactor(
                descriptors=[(name, Passthrough(name))], outlier_transformer=prepare, scoring_transformer=prepare
            )
            for name in self.styles
        ]

        def fit():
            return CharacteristicsFactorModel(
                factors=[
                    ("market", GlobalFactor()),
                    ("industries", OneHotCategoricalFactors("industry", family="industry")),
                    *zip(self.styles, styles, strict=True),
                ],
                constrained_families=[("industry", None)],
            ).fit(characteristics=panel)

        return fit


def cross_sectional(size=SIZE):
    """A fundamental model of 60 factors, and the same by skfolio: regressions, F and D."""
    made = Made(*size)
    _require_the_same(Made(*QUICK))
    t, n, styles, industries = size
    work, peer = f"fundamental model, {t:,} × {n:,} × {1 + styles + industries}", "skfolio CharacteristicsFactorModel"
    panel, given = made.ours([])
    # styles by robust deviations here, by percentiles there
    _, prepared = made.ours([rm.WinsorisedByMAD(), rm.Standardised()])
    fit, plain, whole, theirs_plain, theirs = best(
        lambda: prepared.loadings.fit(panel),
        lambda: given.fit(panel),
        lambda: prepared.fit(panel),
        made.theirs("passthrough"),
        made.theirs(None),
        rounds=3,
    )
    return [
        Figure(f"{work}: exposures prepared, regressions, t values", "a minute", 60, fit, "seconds"),
        Figure(f"{work}: all parts, of given exposures", peer, 10, theirs_plain / plain),
        Figure(f"{work}: all parts, exposures winsorised and standardised", peer, 10, theirs / whole),
    ]


def _require_the_same(made):
    """Raise unless both find the same factor returns of unprepared styles."""
    panel, estimator = made.ours([])
    ours = estimator.loadings.fit(panel).factor_returns
    theirs = made.theirs("passthrough")().factor_model_.factor_returns_df
    theirs.columns = ["Market", *made.industries, *made.styles]
    if np.abs(ours - theirs[list(ours)].to_numpy()[-len(ours) :]).max(axis=None) > 1e-12:
        raise AssertionError("expected the factor returns of skfolio, got others")
