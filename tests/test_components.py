"""Principal components against numpy, statsmodels and scikit-learn, the EM algorithm, and panels with known factors."""

import attrs
import numpy as np
import pandas as pd
import pytest
from panels import clean, panel_of
from statsmodels.multivariate.pca import PCA

import riskmodel as rm
from riskmodel.estimation.loadings import eigen
from riskmodel.estimation.loadings.incomplete import IncompleteComponents
from riskmodel.testing.estimators import EstimatorContract

NO_FACTORS = np.zeros((0, 0))


def simulated(t=300, n=40, k=3, seed=0, noise=1.0):
    """Returns of k factors, the first of them a market; their true loadings and factor returns."""
    rng = np.random.default_rng(seed)
    factors = 0.01 * rng.normal(size=(t, k)) * np.linspace(1.0, 0.6, k)
    loadings = rng.normal(size=(n, k))
    loadings[:, 0] = 1.0 + 0.3 * loadings[:, 0]
    returns = 3e-4 + factors @ loadings.T + 0.01 * noise * rng.normal(size=(t, n)) * rng.uniform(0.5, 1.5, n)
    return returns, loadings, factors


def unnamed(returns):
    return panel_of(returns, np.zeros((len(returns), 0)))


def gaps(returns, seed=0, share=0.15):
    """Late listings of a third of the assets, scattered holes in another third."""
    rng = np.random.default_rng(seed)
    r = returns.copy()
    t, n = r.shape
    r[: t // 2, : n // 3] = np.nan
    some = r[:, n // 3 : 2 * n // 3]
    some[rng.random(some.shape) < share] = np.nan
    return r


def near(got, expected, rtol=1e-8, atol=0.0):
    np.testing.assert_allclose(np.asarray(got), np.asarray(expected), rtol=rtol, atol=atol)


def unexplained(true, estimated):
    """1 - R² of each true series regressed on the estimated ones."""
    design = np.column_stack([np.ones(len(estimated)), estimated])
    left = true - design @ np.linalg.lstsq(design, true, rcond=None)[0]
    return left.var(axis=0) / true.var(axis=0)


def common(fitted):
    """B f less its mean: what does not depend on signs and sizes of components."""
    f = fitted.factor_returns.to_numpy()
    return (f - f.mean(axis=0)) @ fitted.loadings.to_numpy().T


# -- complete panels -----------------------------------------------------------------------------------

SHAPES = pytest.mark.parametrize(("t", "n"), [(120, 30), (60, 90), (50, 50)], ids=["T > N", "N > T", "T = N"])


@SHAPES
def test_unscaled_components_are_those_of_the_covariance(t, n):
    r, _, _ = simulated(t, n)
    fitted = rm.PrincipalComponents(3, scaling=rm.Unscaled()).fit(unnamed(r))
    centred = r - r.mean(axis=0)
    u, s, v = np.linalg.svd(centred, full_matrices=False)
    near(common(fitted), u[:, :3] * s[:3] @ v[:3], atol=1e-14)
    near(np.abs(np.corrcoef(fitted.factor_returns.T.to_numpy() @ u[:, :3])).shape, (3, 3))
    near(unexplained(fitted.factor_returns.to_numpy(), u[:, :3]), 0.0, atol=1e-13)


@SHAPES
def test_components_are_those_of_the_correlation(t, n):
    r, _, _ = simulated(t, n)
    fitted = rm.PrincipalComponents(3).fit(unnamed(r))
    expected = PCA(r, ncomp=3, standardize=True, method="svd")
    near(common(fitted), expected.projection - r.mean(axis=0), atol=1e-13)


def test_components_are_those_of_scikit_learn():
    decomposition = pytest.importorskip("sklearn.decomposition")
    r, _, _ = simulated()
    fitted = rm.PrincipalComponents(2, scaling=rm.Unscaled()).fit(unnamed(r))
    pca = decomposition.PCA(2, svd_solver="full").fit(r)
    near(common(fitted), pca.inverse_transform(pca.transform(r)) - r.mean(axis=0), atol=1e-13)


def test_weighted_components_are_those_of_the_weighted_covariance():
    r, _, _ = simulated()
    fitted = rm.PrincipalComponents(3, half_life=rm.QUARTER, scaling=rm.Unscaled()).fit(unnamed(r))
    _, v = np.linalg.eigh(pd.DataFrame(r).ewm(halflife=63).cov().loc[len(r) - 1])
    projector = v[:, -3:] @ v[:, -3:].T
    weights = np.column_stack([f.weights.to_numpy() for f in fitted.definitions])
    near(projector @ weights, weights, atol=1e-10)
    near(fitted.loadings.to_numpy() @ weights.T, projector, atol=1e-10)  # regressions give the directions back


def test_components_are_portfolios_whose_returns_are_the_factors():
    panel = unnamed(simulated()[0])
    fitted = rm.PrincipalComponents(3).fit(panel)
    near(panel.returns_of(fitted.definitions), fitted.factor_returns, atol=1e-16)
    for factor in fitted.definitions:
        assert factor.weights.abs().sum() == pytest.approx(1.0)
        assert factor.weights.sum() > 0
    assert list(fitted.factors) == ["PC1", "PC2", "PC3"]
    near(fitted.factor_returns.corr() - np.eye(3), 0.0, atol=1e-10)


def test_iteration_for_large_panels_gives_what_factorisation_gives(monkeypatch):
    for t, n in ((200, 150), (150, 200)):
        x = simulated(t, n, noise=0.5)[0]
        values, vectors = eigen.principal_directions(x, 4)
        monkeypatch.setattr(eigen, "_DENSE", 10)
        iterated, directions = eigen.principal_directions(x, 4)
        monkeypatch.undo()
        near(iterated, values, rtol=1e-10)
        near(np.abs((vectors * directions).sum(axis=0)), 1.0, rtol=1e-10)
        near(directions.T @ directions, np.eye(4), atol=1e-10)


@pytest.mark.parametrize(("t", "n"), [(1000, 50), (60, 1000)])
def test_known_factors_and_loadings_are_found(t, n):
    r, loadings, factors = simulated(t, n)
    fitted = rm.PrincipalComponents(3).fit(unnamed(r))
    assert unexplained(factors, fitted.factor_returns.to_numpy()).max() < 0.08
    # the market's loadings vary by 0.3, and each has an error of about 1/√T
    assert unexplained(loadings, fitted.loadings.to_numpy()).max() < 0.02 + 1.2 / t / 0.3**2


# -- missing returns -----------------------------------------------------------------------------------


def test_components_are_where_filling_and_shrinking_ends():
    """Soft-impute, written out: fill with fitted values, shrink singular values, until nothing changes."""
    r, _, _ = simulated(t=100, n=20, k=2)
    z = 100 * gaps(r)
    weights = 0.5 ** (np.arange(99, -1, -1.0) / 40)
    found = IncompleteComponents.of(z, weights, 3)
    missing, root = np.isnan(z), np.sqrt(weights)[:, None]
    mean, common = np.nanmean(z, axis=0), np.zeros_like(z)
    for _ in range(2000):
        filled = np.where(missing, mean + common, z)
        u, s, v = np.linalg.svd(root * (filled - mean), full_matrices=False)
        common = u[:, :3] * np.maximum(s[:3] - found.penalty, 0.0) @ v[:3] / root
        mean = weights @ (filled - common) / weights.sum()
    near(found.fitted, mean + common, atol=1e-5 * z[~missing].std())
    near(np.abs((found.directions.T * v[:3]).sum(axis=1)), 1.0, rtol=1e-5)


def test_the_penalty_is_the_variance_of_noise_over_the_size_of_loadings():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(400, 2)) @ rng.normal(0, 0.8, (2, 300)) + 0.5 * rng.normal(size=(400, 300))
    x[rng.random(x.shape) < 0.2] = np.nan
    assert IncompleteComponents.of(x, np.ones(400), 2).penalty == pytest.approx(0.5**2 / 0.8, rel=0.1)


def test_weak_components_converge():
    """Components of noise would grow without bound on dates on which a third of the returns is missing."""
    z = 100 * gaps(simulated(t=200, n=100)[0])
    for k in (4, 8):
        found = IncompleteComponents.of(z, np.ones(200), k)
        assert np.abs(found.fitted).max() < 2 * np.nanmax(np.abs(z))


@pytest.mark.parametrize(("t", "n"), [(600, 60), (100, 300)])
def test_known_loadings_are_found_on_ragged_panels(t, n):
    r, loadings, factors = simulated(t, n)
    fitted = rm.PrincipalComponents(3).fit(unnamed(gaps(r)))
    assert unexplained(factors, fitted.factor_returns.to_numpy()).max() < 0.1
    late = slice(0, n // 3)  # with half of the dates
    assert unexplained(loadings, fitted.loadings.to_numpy()).max() < 0.15
    assert unexplained(loadings[late], fitted.loadings.to_numpy()[late]).max() < 0.25
    assert fitted.factor_returns.notna().all(axis=None)


def test_returns_that_factors_explain_are_filled():
    r, _, _ = simulated(t=80, n=20, k=2, noise=1e-4)
    z = 100 * r
    hidden = np.isnan(gaps(r))
    found = IncompleteComponents.of(np.where(hidden, np.nan, z), np.ones(80), 2)
    near(found.fitted, z, atol=1e-3 * z.std())


def test_zeros_in_place_of_gaps_would_be_far_off():
    r, _, factors = simulated(200, 60)
    ragged = gaps(r, share=0.5)
    ours = rm.PrincipalComponents(3).fit(unnamed(ragged)).factor_returns.to_numpy()
    zeros = rm.PrincipalComponents(3).fit(unnamed(np.nan_to_num(ragged))).factor_returns.to_numpy()
    assert unexplained(factors, ours).sum() < 0.8 * unexplained(factors, zeros).sum()


def test_components_are_held_in_assets_without_gaps_where_these_are_most():
    r, _, _ = simulated()
    r[:100, :10] = np.nan
    panel = unnamed(r)
    fitted = rm.PrincipalComponents(3).fit(panel)
    assert all(set(f.weights.index) == set(panel.assets[10:]) for f in fitted.definitions)
    near(panel.returns_of(fitted.definitions), fitted.factor_returns, atol=1e-16)
    model = rm.Assembled(rm.PrincipalComponents(3), rm.SampleCovariance(), rm.SampleVariance()).fit(panel)
    near(model.residuals(panel), fitted.residuals, atol=1e-15)
    hedged = rm.HedgedPortfolio.neutral(rm.Strategy({"A0": 1.0}, model))
    near(hedged.exposures, 0.0, atol=1e-12)


def test_components_are_held_in_all_assets_where_few_are_complete():
    r, _, _ = simulated()
    panel = unnamed(gaps(r))
    fitted = rm.PrincipalComponents(3).fit(panel)
    assert set(fitted.definitions[0].weights.index) == set(panel.assets)
    complete = panel.excess_returns.notna().all(axis=1).to_numpy()
    near(panel.returns_of(fitted.definitions)[complete], fitted.factor_returns[complete], atol=1e-16)
    assert np.isnan(panel.returns_of(fitted.definitions)[~complete]).all()


# -- how many ------------------------------------------------------------------------------------------

CRITERIA = {
    "Bai-Ng": rm.BaiNg(),
    "eigenvalue ratio": rm.EigenvalueRatio(8),
    "growth ratio": rm.GrowthRatio(8),
    "Onatski": rm.Onatski(8),
    "parallel analysis": rm.ParallelAnalysis(10, simulations=10),
}
criteria = pytest.mark.parametrize("criterion", CRITERIA.values(), ids=list(CRITERIA))
# Onatski's needs six eigenvalues
criteria_of_few = pytest.mark.parametrize("criterion", [c for c in CRITERIA.values() if not isinstance(c, rm.Onatski)])


@criteria
@pytest.mark.parametrize(("t", "n", "k"), [(300, 60, 1), (300, 60, 3), (100, 300, 4), (200, 200, 6)])
def test_the_number_of_factors_is_found(criterion, t, n, k):
    panels = [unnamed(simulated(t, n, k, seed)[0]) for seed in range(5)]
    found = [len(rm.PrincipalComponents(criterion).fit(panel).factors) for panel in panels]
    # a gap of noise may look like one more
    assert sum(number != k for number in found) <= (1 if isinstance(criterion, rm.Onatski) else 0)


@criteria
def test_the_number_of_factors_is_found_on_ragged_panels(criterion):
    panel = unnamed(gaps(simulated(200, 100, 3)[0]))
    assert len(rm.PrincipalComponents(criterion).fit(panel).factors) == 3


@criteria
def test_no_factor_is_an_error(criterion):
    noise = np.random.default_rng(0).normal(0, 0.01, (300, 60))
    with pytest.raises(rm.EstimationError) as error:
        rm.PrincipalComponents(criterion).fit(unnamed(noise))
    assert error.value.details["number"] == criterion


def test_onatski_is_the_algorithm_of_the_paper():
    for seed in range(20):
        t, n, most = 60, 40, 6
        x = simulated(t, n, 3, seed)[0] + np.random.default_rng(seed).normal(0, 0.02, (t, n))
        values = np.sort(np.linalg.eigvalsh(np.cov(x.T) * (t - 1)))[::-1]
        j = most + 1
        for _ in range(4):
            slope = np.polyfit(np.arange(j - 1, j + 4) ** (2 / 3), values[j - 1 : j + 4], 1)[0]
            wide = [i for i in range(1, most + 1) if values[i - 1] - values[i] >= 2 * abs(slope)]
            found = max(wide, default=0)
            j = found + 1
        criterion = rm.Onatski(most)
        assert criterion.needed == 11
        assert criterion.choose(values[:11], values.sum(), t, n) == found


@pytest.mark.parametrize("criterion", [rm.Onatski(4), rm.ParallelAnalysis(4)])
def test_the_unit_of_returns_does_not_matter(criterion):
    _, values = spectrum()
    first = values[: criterion.needed]
    found = {criterion.choose(unit * first, unit * values.sum(), 150, 80) for unit in (1e-8, 1.0, 1e6)}
    assert found == {3}


def test_onatski_needs_six_eigenvalues():
    with pytest.raises(rm.EstimationError) as error:
        rm.Onatski().choose(np.array([5.0, 4.0, 3.0, 2.0, 1.0]), 15.0, 100, 5)
    assert error.value.details["eigenvalues"] == 5
    assert rm.Onatski().choose(np.array([90.0, 4.0, 3.9, 3.8, 3.7, 3.6]), 109.0, 100, 6) == 1


def test_parallel_analysis_compares_with_simulated_noise():
    t, n = 120, 50
    rng = np.random.default_rng(3)
    noise = [np.sort(np.linalg.eigvalsh(np.corrcoef(rng.normal(size=(t, n)).T)))[::-1] for _ in range(200)]
    edge = np.quantile(noise, 0.95, axis=0)
    analysis = rm.ParallelAnalysis(5, simulations=200)
    for factor, expected in ((0.97, 0), (1.03, 5)):
        assert analysis.choose(factor * edge[:6], float(n), t, n) == expected
    assert analysis.choose(np.array([1.5 * edge[0], 0.5 * edge[1], 2 * edge[2]]), float(n), t, n) == 1
    assert analysis.choose(7.0 * 1.03 * edge[:6], 7.0 * n, t, n) == 5


def test_poet_whose_threshold_leaves_no_covariance_is_components_and_sample_variances():
    r, _, _ = simulated(150, 40, 3)
    x = r - r.mean(axis=0)
    t = len(x)
    values, vectors = np.linalg.eigh(x.T @ x / (t - 1))
    low_rank = vectors[:, -3:] * values[-3:] @ vectors[:, -3:].T
    left = np.diag(np.diag(x.T @ x / (t - 1) - low_rank))
    estimator = rm.Assembled(
        rm.PrincipalComponents(3, scaling=rm.Unscaled()), rm.SampleCovariance(), rm.SampleVariance()
    )
    near(estimator.fit(unnamed(r)).covariance.to_dense(), low_rank + left, rtol=1e-8)


def spectrum(t=150, n=80, k=3):
    x = simulated(t, n, k)[0]
    x = x - x.mean(axis=0)
    return x, np.sort(np.linalg.eigvalsh(x.T @ x))[::-1]


def test_bai_and_ng_is_the_criterion_of_the_residuals():
    x, values = spectrum()
    t, n = x.shape
    u, s, v = np.linalg.svd(x, full_matrices=False)
    criterion = [
        np.log(((x - u[:, :k] * s[:k] @ v[:k]) ** 2).mean()) + k * (n + t) / (n * t) * np.log(min(n, t))
        for k in range(11)
    ]
    assert rm.BaiNg(10).choose(values[:11], values.sum(), t, n) == np.argmin(criterion) == 3


def test_ahn_and_horenstein_are_the_ratios_of_the_paper():
    x, values = spectrum()
    t, n = x.shape
    m = min(t, n)
    mu = values[:m]
    left = [mu[k:].sum() for k in range(m)]
    ratios = [left[0] / np.log(m) / mu[0]] + [mu[k - 1] / mu[k] for k in range(1, 9)]
    star = [mu[k - 1] / left[k] for k in range(1, 10)]
    growth = [np.log1p(1 / np.log(m)) / np.log1p(star[0])]
    growth += [np.log1p(star[k - 1]) / np.log1p(star[k]) for k in range(1, 9)]
    assert rm.EigenvalueRatio(8).choose(values[:9], values.sum(), t, n) == np.argmax(ratios) == 3
    assert rm.GrowthRatio(8).choose(values[:9], values.sum(), t, n) == np.argmax(growth) == 3


@criteria_of_few
def test_fewer_eigenvalues_than_wanted_are_enough(criterion):
    assert 0 <= criterion.choose(np.array([2.0]), 2.0, 30, 1) <= criterion.most
    assert 1 <= len(rm.PrincipalComponents(criterion).fit(unnamed(simulated(60, 5, 1, noise=0.2)[0])).factors) <= 5


# -- wrong input ---------------------------------------------------------------------------------------


def test_short_assets_are_named():
    r, _, _ = simulated()
    r[:-30, 4] = np.nan
    r[:-19, [7, 2]] = np.nan
    with pytest.raises(rm.TooFewObservationsError) as error:
        rm.PrincipalComponents(3).fit(unnamed(r))
    assert error.value.details["assets"] == ["A2", "A7"]
    assert error.value.details["counts"] == {"A2": 19, "A7": 19}
    with pytest.raises(rm.TooFewObservationsError) as error:
        rm.PrincipalComponents(3, minimum=31).fit(unnamed(r))
    assert error.value.details["assets"] == ["A2", "A4", "A7"]


@pytest.mark.parametrize("number", [11, 40])
def test_more_components_than_rank_are_an_error(number):
    r, _, _ = simulated(n=10)
    with pytest.raises(rm.EstimationError) as error:
        rm.PrincipalComponents(number).fit(unnamed(r))
    assert error.value.details["number"] == number


def test_components_without_variance_are_an_error():
    r, _, _ = simulated(k=2, noise=0.0)
    with pytest.raises(rm.EstimationError) as error:
        rm.PrincipalComponents(3).fit(unnamed(r))
    assert error.value.details["number"] == 3


def test_dates_with_fewer_returns_than_components_are_an_error():
    r, _, _ = simulated(n=10)
    r[5, 2:] = np.nan
    with pytest.raises(rm.EstimationError) as error:
        rm.PrincipalComponents(3).fit(unnamed(r))
    assert error.value.details["rows"] == [5]


def test_an_asset_that_does_not_vary_has_no_loadings():
    r, _, _ = simulated()
    r[:, 3] = 1e-4
    fitted = rm.PrincipalComponents(3).fit(unnamed(r))
    near(fitted.loadings.loc["A3"], 0.0, atol=1e-9)
    near(fitted.residuals["A3"], 0.0, atol=1e-12)


@pytest.mark.parametrize(
    "make",
    [
        lambda: rm.PrincipalComponents(0),
        lambda: rm.PrincipalComponents(True),
        lambda: rm.PrincipalComponents("BaiNg"),
        lambda: rm.PrincipalComponents(3, half_life=60),
        lambda: rm.PrincipalComponents(3, scaling=True),
        lambda: rm.PrincipalComponents(3, minimum=1),
        lambda: rm.BaiNg(0),
        lambda: rm.Onatski(0),
        lambda: rm.ParallelAnalysis(simulations=0),
        lambda: rm.ParallelAnalysis(quantile=1.5),
        lambda: rm.ParallelAnalysis(seed=-1),
        lambda: rm.Hybrid(rm.PrincipalComponents(2), rm.TimeSeries(rm.OLS())),
        lambda: rm.Hybrid(rm.OLS(), rm.PrincipalComponents(2)),
    ],
)
def test_wrong_parameters_are_errors(make):
    with pytest.raises(rm.InvalidParameterError):
        make()


# -- hybrid --------------------------------------------------------------------------------------------


def observed_and_hidden(t=400, n=40, ragged=False):
    """A panel whose second and third factor are not among its columns; the true factor returns."""
    r, _, factors = simulated(t, n)
    return panel_of(gaps(r) if ragged else r, factors[:, :1]), factors


HYBRID = rm.Hybrid(rm.TimeSeries(rm.OLS()), rm.PrincipalComponents(2))


def test_hybrid_components_are_those_of_the_residuals():
    panel, _ = observed_and_hidden()
    plain = rm.OLS().fit(panel)
    fitted = rm.Hybrid(rm.TimeSeries(rm.OLS()), rm.PrincipalComponents(2, scaling=rm.Unscaled())).fit(panel)
    near(fitted.loadings["F0"], plain.loadings["F0"])
    residuals = plain.residuals(panel).to_numpy()
    u, s, v = np.linalg.svd(residuals, full_matrices=False)
    g = fitted.factor_returns[["PC1", "PC2"]]
    # B is no direction of the residuals, but is not quite orthogonal to them either
    assert unexplained(g.to_numpy(), u[:, :2]).max() < 0.01
    near(fitted.factor_returns.corr()["F0"][["PC1", "PC2"]], 0.0, atol=1e-10)
    assert ((u[:, :2] * s[:2] @ v[:2] - common(attrs.evolve(fitted))) ** 2).mean() < residuals.var()


@pytest.mark.parametrize("ragged", [False, True], ids=["complete", "ragged"])
def test_hybrid_finds_the_factors_that_are_not_observed(ragged):
    panel, factors = observed_and_hidden(ragged=ragged)
    fitted = HYBRID.fit(panel)
    assert unexplained(factors, fitted.factor_returns.to_numpy()).max() < 0.1
    weights = pd.DataFrame({f.name: f.weights for f in fitted.definitions[1:]}).fillna(0.0)
    near(weights.T @ fitted.loadings.loc[weights.index, ["F0"]], 0.0, atol=1e-14)
    explained = fitted.factor_returns @ fitted.loadings.T + fitted.alpha + fitted.residuals
    near(explained, panel.excess_returns, atol=1e-14)
    assert fitted.residuals.mean().abs().max() < 1e-15


def test_hybrid_without_hidden_factors_is_its_observed_part():
    r, _, factors = simulated(k=1)
    panel = panel_of(r, factors)
    observed = rm.TimeSeries(rm.OLS())
    fitted = rm.Hybrid(observed, rm.PrincipalComponents(rm.BaiNg())).fit(panel)
    assert fitted.loadings.equals(observed.fit(panel).loadings)


def test_hybrid_is_a_stage_and_shows_those_inside():
    panel, _ = observed_and_hidden()
    estimator = rm.Assembled(
        rm.Hybrid(rm.Vasicek(rm.TimeSeries(rm.OLS())), rm.PrincipalComponents(2)),
        rm.SampleCovariance(),
        rm.SampleVariance(),
    )
    stages = estimator.stages(panel).groupby("stage", sort=False)
    assert list(stages.groups) == ["Vasicek", "Hybrid"] or set(stages.groups) == {"Vasicek", "Hybrid"}
    added = stages.get_group("Hybrid").set_index("label")
    model = estimator.fit(panel)
    assert added.loc[[("A3", "PC2")], "after"].iloc[0] == model.loadings.loc["A3", "PC2"]
    assert added.loc[[("A3", "PC2")], "before"].iloc[0] == 0.0
    assert added.loc[[("A3", "F0")], "factor"].iloc[0] == 1.0


def test_hybrid_needs_more_assets_than_factors():
    with pytest.raises(rm.EstimationError):
        HYBRID.fit(clean(n=4, k=3))


# -- the contract --------------------------------------------------------------------------------------


class _Components(EstimatorContract):
    separable = False  # each component is made of all assets
    loadings = rm.PrincipalComponents(2)

    def estimator(self):
        return rm.Assembled(self.loadings, rm.SampleCovariance(), rm.SampleVariance())

    def panel(self):
        names = ["KO", "XOM", "JPM", "CVX", "PEP", "BAC"]
        return rm.SampleData().panel(names, ["Mkt-RF"], start="2018-01-01")


class TestComponents(_Components):
    pass


class TestWeightedComponents(_Components):
    explains_sample_variance = False
    loadings = rm.PrincipalComponents(2, half_life=rm.QUARTER)


class TestHybrid(_Components):
    loadings = HYBRID


class TestAsymptoticComponents(_Components):
    """More assets than dates in each window."""

    def panel(self):
        return unnamed(simulated(t=100, n=120, k=2)[0])


del _Components
