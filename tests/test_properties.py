"""What holds for every model, portfolio and panel."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import strategies as our
from hypothesis import assume, given
from hypothesis import strategies as st

import riskmodel as rm

Hedged = rm.HedgedPortfolio


def terms(covariance, w):
    """What rounding of w'Σw is measured by: the sum of the sizes of its terms."""
    b, f = covariance.loadings.abs().to_numpy(), covariance.factor_covariance.abs().to_numpy()
    x = b.T @ np.abs(w)
    return float(x @ f @ x + covariance.idio_variance.to_numpy() @ np.asarray(w) ** 2)


@st.composite
def hedged_portfolios(draw):
    s = draw(our.strategies())
    kind = draw(st.sampled_from(["none", "neutral", "share", "own"]))
    if kind == "neutral":
        return Hedged.neutral(s)
    if kind == "share":
        return Hedged.with_factor_share(s, draw(st.floats(0.01, 0.99)))
    if kind == "own":
        names = [*s.model.factors, *s.model.assets]
        return Hedged(s, draw(our.weights(names)))
    return s


@given(hedged_portfolios())
def test_contributions_sum_to_the_total(portfolio):
    split = portfolio.decompose()
    held = portfolio.model.covariance.restrict(portfolio.weights.index)
    scale = terms(held, portfolio.weights) + float(
        portfolio.legs.abs() @ portfolio.model.factor_covariance.abs() @ portfolio.legs.abs()
    )
    assert split.by_factor.sum() == pytest.approx(split.total_variance, rel=1e-12, abs=1e-14 * scale)
    assert split.by_asset.sum() == pytest.approx(split.total_variance, rel=1e-12, abs=1e-13 * scale)
    assert split.factor_variance + split.idio_variance == split.total_variance
    assert 0.0 <= split.factor_share <= 1.0


@given(our.strategies())
def test_hedging_twice_is_hedging_once(s):
    once = Hedged.neutral(s)
    twice = Hedged.neutral(once)
    assert not twice.exposures.any()
    assert twice.legs.equals(once.legs)
    assert twice.decompose().total_variance == once.decompose().total_variance


@given(our.strategies(), st.floats(1e-3, 1e3), st.booleans())
def test_scaling_weights_scales_volatility_and_leaves_shares_alone(s, size, short):
    scale = -size if short else size
    scaled = rm.Strategy(s.weights * scale, s.model)
    rounding = 1e-13 * terms(s.model.covariance.restrict(s.weights.index), s.weights) / s.decompose().total_variance
    assert scaled.volatility == pytest.approx(size * float(s.volatility), rel=1e-12 + rounding)
    assert scaled.decompose().factor_share == pytest.approx(s.decompose().factor_share, rel=1e-12, abs=1e-12 + rounding)
    assert scaled.alpha == pytest.approx(scale * s.alpha, rel=1e-9, abs=1e-14 * size * s.weights.abs().sum())
    gross = s.model.loadings.loc[s.weights.index].abs().T @ s.weights.abs()
    assert (
        np.abs(Hedged.neutral(scaled).hedge_weights - scale * Hedged.neutral(s).hedge_weights) <= 1e-13 * size * gross
    ).all()


@given(our.models(), st.data())
def test_permuting_assets_or_factors_permutes_results(model, data):
    assets = data.draw(st.permutations(list(model.assets)))
    factors = data.draw(st.permutations(list(model.factors)))
    other = rm.FactorModel.from_parameters(
        assets=assets, factors=factors, alpha=model.alpha, loadings=model.loadings, factor_mean=model.factor_mean,
        factor_covariance=model.factor_covariance, idio_variance=model.idio_variance, horizon=model.horizon,
    )  # fmt: skip
    w = data.draw(our.weights(model.assets))
    this, that = rm.Strategy(w, model), rm.Strategy(w.iloc[::-1], other)
    size = terms(model.covariance, w.reindex(model.assets, fill_value=0.0))
    assert that.decompose().total_variance == pytest.approx(
        this.decompose().total_variance, rel=1e-12, abs=1e-14 * size
    )
    b = model.loadings.abs().T @ w.abs().reindex(model.assets, fill_value=0.0)
    assert (np.abs(that.exposures[model.factors] - this.exposures) <= 1e-14 * b + 1e-300).all()
    by = that.decompose().by_asset[this.weights.index]
    assert (np.abs(by - this.decompose().by_asset) <= 1e-12 * size).all()
    x, y = model.covariance.solve(w), other.covariance.solve(w)
    residual = np.linalg.norm(model.covariance @ (y[model.assets] - x))
    dense = model.covariance.to_dense().to_numpy()
    assert residual <= 1e-10 * (np.linalg.norm(dense, 2) * np.linalg.norm(x) + np.linalg.norm(w))


@given(our.covariances(), our.SEEDS, st.floats(0, 3))
def test_another_basis_of_the_factors_leaves_the_covariance_alone(cov, seed, spread):
    k = len(cov.factors)
    rng = np.random.default_rng(seed)
    q, _ = np.linalg.qr(rng.standard_normal((k, k)))
    scales = 10 ** rng.uniform(-spread, spread, k)
    turn, back = q * scales, (q / scales).T
    turned = back @ cov.factor_covariance.to_numpy() @ back.T
    other = rm.FactorCovariance(
        cov.assets, cov.factors, cov.loadings.to_numpy() @ turn, (turned + turned.T) / 2, cov.idio_variance, cov.horizon
    )
    b, f = np.abs(cov.loadings.to_numpy()).sum(axis=1), np.abs(cov.factor_covariance.to_numpy()).sum()
    scale = np.outer(b, b) * f * 10 ** (2 * spread) + np.diag(cov.idio_variance)
    assert (np.abs(other.to_dense() - cov.to_dense()) <= 1e-12 * scale).all(axis=None)


@given(our.covariances(), st.data())
def test_solving_undoes_multiplying(cov, data):
    w = data.draw(our.vectors(len(cov.assets)))
    b, f = np.abs(cov.loadings.to_numpy()), np.abs(cov.factor_covariance.to_numpy())
    largest = np.linalg.norm(b @ f @ b.T + np.diag(cov.idio_variance), 2)
    lost = largest / np.linalg.eigvalsh(cov.to_dense().to_numpy()).min()
    assume(0 < lost < 1e8)
    allowed = 1e-14 * lost * len(w) * np.linalg.norm(w)
    assert np.linalg.norm(cov.solve(cov @ w) - w) <= allowed
    assert np.linalg.norm(cov @ cov.solve(w) - w) <= allowed


@given(our.covariances(zeros=True), st.data())
def test_the_covariance_is_positive_semidefinite(cov, data):
    w = data.draw(our.vectors(len(cov.assets)))
    assert cov.variance(w) >= 0.0
    dense = cov.to_dense().to_numpy()
    scales = np.sqrt(np.diag(dense))
    scales[scales == 0] = 1.0
    assert np.linalg.eigvalsh(dense / np.outer(scales, scales)).min() >= -1e-12


@given(our.models(), our.horizons())
def test_a_horizon_there_and_back_is_the_identity(model, horizon):
    there = model.at(horizon)
    back = there.at(model.horizon)
    assert there.loadings.equals(model.loadings)
    for part in ("alpha", "factor_mean", "factor_covariance", "idio_variance"):
        assert getattr(back, part).to_numpy() == pytest.approx(getattr(model, part).to_numpy(), rel=1e-14)
    size = float(model.covariance.to_dense().abs().to_numpy().max())
    assert (back.covariance.to_dense() - model.covariance.to_dense()).abs().to_numpy().max() <= 1e-14 * size


@given(our.strategies(), st.floats(1e-4, 0.99), our.SEEDS)
def test_the_share_hedge_meets_its_cap_and_no_smaller_one_does(s, cap, seed):
    hedged = Hedged.with_factor_share(s, cap)
    before, after = s.decompose(), hedged.decompose()
    assert after.idio_variance == before.idio_variance
    if before.factor_share <= cap:
        assert not hedged.hedge_weights.any()
        return
    f, b, x = s.model.factor_covariance.to_numpy(), s.exposures.to_numpy(), hedged.exposures.to_numpy()
    # b + h is rounded to the digits of b
    rounding = 4e-16 * (np.abs(b) @ np.abs(f) @ (np.abs(x) + np.abs(b) * 1e-16)) / after.factor_variance
    assert after.factor_share == pytest.approx(cap, rel=1e-12 + 2 * rounding)
    assume(rounding < 1e-9)
    length = np.linalg.norm(hedged.hedge_weights)
    towards = hedged.hedge_weights.to_numpy() / length
    rng = np.random.default_rng(seed)
    for size, wander in ((0.999, 0.0), (0.99, 0.1), (0.9, 1.0)):
        other = towards + wander * rng.standard_normal(len(b))
        other *= size * length / np.linalg.norm(other)
        share = Hedged(s, pd.Series(other, s.exposures.index)).decompose().factor_share
        assert share > cap * (1 - 1e-9)


@given(hedged_portfolios(), st.floats(1.0, 1e9), our.horizons(), our.horizons())
def test_budget_times_volatility_is_the_limit(portfolio, amount, horizon, other):
    assume(portfolio.volatility > 1e-9)
    budget = rm.RiskBudget(amount, horizon)
    position = budget.size(portfolio)
    assert position.capital * portfolio.volatility.at(horizon) == pytest.approx(amount, rel=1e-12)
    assert position.volatility == pytest.approx(amount, rel=1e-12)
    assert budget.utilisation(position).iloc[0] == pytest.approx(1.0, rel=1e-12)
    assert budget.check(position) == ()
    grown = position.expected_pnl(other)
    assert grown == pytest.approx(float(position.expected_pnl(horizon)) * other.days / horizon.days, rel=1e-12)


def fitted(returns, factors, rate, end=None):
    data = rm.InMemory(returns, factors=factors, risk_free=rate, horizon=rm.DAY)
    try:
        return rm.OLS().fit(data.panel(data.assets, data.factors, end=end))
    except rm.EstimationError:
        # a window may leave too little of an asset, in which case it does so whatever comes later
        return None


def bits(model):
    if model is None:
        return None
    parts = [model.alpha, model.loadings, model.factor_mean, model.factor_covariance, model.idio_variance]
    parts += [model.regression.total_variance, model.regression.std_errors]
    return [part.to_numpy().tobytes() for part in parts]


@given(our.return_frames(), st.data())
def test_what_comes_later_changes_no_bit_of_an_earlier_estimate(frames, data):
    r, f, rate = frames
    end = data.draw(st.integers(len(r) // 2, len(r) - 2))
    date = r.index[end]
    as_of = fitted(r.iloc[: end + 1], f.iloc[: end + 1], rate.iloc[: end + 1])
    assert bits(fitted(r, f, rate, end=date)) == bits(as_of)
    later = r.copy()
    later.iloc[end + 1 :] = np.random.default_rng(data.draw(our.SEEDS)).normal(0, 0.05, later.iloc[end + 1 :].shape)
    factors = f.copy()
    factors.iloc[end + 1 :] *= -3.0
    assert bits(fitted(later, factors, rate, end=date)) == bits(as_of)


@given(our.return_frames())
def test_ragged_and_full_panels_agree_where_they_overlap(frames):
    r, f, rate = frames
    together = fitted(r, f, rate)
    assume(together is not None)
    for asset in r.columns:
        own = r[asset].dropna().index
        alone = fitted(r.loc[own, [asset]], f.loc[own], rate.loc[own])
        assume(alone is not None)
        size = np.abs(alone.loadings.to_numpy()).max()
        assert together.loadings.loc[asset].to_numpy() == pytest.approx(
            alone.loadings.loc[asset].to_numpy(), rel=1e-8, abs=1e-9 * size
        )
        assert together.idio_variance[asset] == pytest.approx(alone.idio_variance[asset], rel=1e-8)
        assert together.alpha[asset] == pytest.approx(alone.alpha[asset], rel=1e-7, abs=1e-12)
    full = [a for a in r.columns if r[a].notna().all()]
    if full:
        only = fitted(r[full], f, rate)
        assert only.loadings.to_numpy() == pytest.approx(together.restrict(full).loadings.to_numpy(), rel=1e-10)
        assert only.factor_covariance.to_numpy() == pytest.approx(together.factor_covariance.to_numpy(), rel=1e-12)
