"""Made markets with known characteristics and factor returns, and the dense formulas of their regressions."""

from __future__ import annotations

import numpy as np
import pandas as pd

import riskmodel as rm

INDUSTRIES, COUNTRIES = ["energy", "health", "retail", "tech"], ["DE", "FR", "US"]


def panel_of(returns, horizon=rm.DAY):
    """A panel of excess returns, without factors."""
    return rm.ReturnPanel(
        dates=pd.DatetimeIndex(returns.index),
        assets=returns.columns,
        factors=pd.Index([]),
        excess_returns=returns.to_numpy(),
        factor_returns=np.zeros((len(returns), 0)),
        risk_free=np.zeros(len(returns)),
        horizon=horizon,
        definitions=(),
        dropped=pd.DataFrame({"date": [], "reason": []}),
    )


class Market:
    """N assets with two styles, an industry, a country and a capitalisation, all by date, and their returns."""

    def __init__(self, seed=0, t=60, n=80, noise=0.01, missing=0.0):
        rng = np.random.default_rng(seed)
        self.days = pd.bdate_range("2019-12-31", periods=t + 1)
        self.assets = [f"A{i:03}" for i in range(n)]
        self.industry = np.array(INDUSTRIES)[rng.integers(0, 4, n)]
        self.country = np.array(COUNTRIES)[rng.integers(0, 3, n)]
        self.cap = np.exp(rng.normal(0, 1, n) + 0.02 * rng.normal(0, 1, (t + 1, n)).cumsum(axis=0))
        self.value = rng.normal(0, 1, n) + 0.05 * rng.normal(0, 1, (t + 1, n)).cumsum(axis=0)
        self.size = rng.normal(0, 1, n) + 0.05 * rng.normal(0, 1, (t + 1, n)).cumsum(axis=0)
        self.truth = rng.normal(0, 0.01, (t, 3))  # market, value, size
        self.industry_truth = rng.normal(0, 0.005, (t, 4))
        self.idio = rng.uniform(0.5, 1.5, n) * noise
        of = np.searchsorted(INDUSTRIES, self.industry)
        self.returns = (
            self.truth[:, [0]] + self.truth[:, [1]] * self.value[:-1] + self.truth[:, [2]] * self.size[:-1]
            + self.industry_truth[:, of] + self.idio * rng.normal(size=(t, n))
        )  # fmt: skip
        if missing:
            self.returns[rng.random((t, n)) < missing] = np.nan

    def wide(self, name):
        return pd.DataFrame(getattr(self, name), self.days, self.assets)

    @property
    def numbers(self):
        return rm.Characteristics.wide({name: self.wide(name) for name in ("cap", "value", "size")})

    @property
    def groups(self):
        frame = pd.DataFrame({"industry": self.industry, "country": self.country}, self.assets)
        return rm.Characteristics.static(frame)

    @property
    def characteristics(self):
        return self.numbers.join(self.groups)

    @property
    def panel(self):
        return panel_of(pd.DataFrame(self.returns, self.days[1:], self.assets))

    def estimator(self, **changes):
        plain = [rm.Style("value", []), rm.Style("size", [])]
        settings = {"styles": plain, "groups": ["industry"], "caps": "cap"}
        return rm.CrossSectional(self.characteristics, **(settings | changes))

    def design(self, t, families=("industry",)):
        """Columns of date t in the order of the model: the market, groups, value, size."""
        indicators = [(getattr(self, f)[:, None] == np.unique(getattr(self, f))).astype(float) for f in families]
        return np.column_stack([np.ones(len(self.assets)), *indicators, self.value[t], self.size[t]])

    def constraints(self, t, members, families=("industry",)):
        """Rows C with C f = 0: capitalisation by group."""
        x = self.design(t, families)
        rows, start = [], 1
        for family in families:
            width = len(np.unique(getattr(self, family)))
            row = np.zeros(x.shape[1])
            row[start : start + width] = self.cap[t, members] @ x[members, start : start + width]
            rows.append(row / row.sum())
            start += width
        return np.array(rows)


def constrained(x, y, weights, constraints):
    """Weighted least squares under C f = 0, by the equations of Lagrange."""
    k, m = x.shape[1], len(constraints)
    system = np.block([[x.T @ (weights[:, None] * x), constraints.T], [constraints, np.zeros((m, m))]])
    return np.linalg.lstsq(system, np.concatenate([x.T @ (weights * y), np.zeros(m)]), rcond=None)[0][:k]
