"""The covariance estimator gives the numbers of scikit-learn's own, and keeps its rules."""

import numpy as np
import pandas as pd
import pytest
from interop_peers import peer, tables

import riskmodel as rm

peer("sklearn")

from sklearn.base import clone  # noqa: E402
from sklearn.covariance import EmpiricalCovariance  # noqa: E402
from sklearn.exceptions import NotFittedError  # noqa: E402
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit  # noqa: E402
from sklearn.utils.estimator_checks import check_estimator  # noqa: E402

from riskmodel.interop._panels import read_rows  # noqa: E402
from riskmodel.interop.sklearn import FactorModelCovariance  # noqa: E402

X, F = tables()
TRAIN, TEST = slice(0, 300), slice(300, 400)


def fitted():
    return FactorModelCovariance().fit(X[TRAIN], factors=F[TRAIN])


def as_theirs(ours):
    theirs = EmpiricalCovariance().fit(X[TRAIN])
    theirs.location_, theirs.covariance_ = ours.location_, ours.covariance_
    theirs.precision_ = np.linalg.inv(ours.covariance_)
    return theirs


def test_the_methods_are_those_of_scikit_learn_on_the_dense_matrix():
    ours = fitted()
    theirs = as_theirs(ours)
    assert ours.score(X[TEST]) == pytest.approx(theirs.score(X[TEST]), rel=1e-10)
    np.testing.assert_allclose(ours.mahalanobis(X[TEST]), theirs.mahalanobis(X[TEST]), rtol=1e-9)
    np.testing.assert_allclose(ours.get_precision(), theirs.get_precision(), rtol=1e-7, atol=1e-4)
    other = np.cov(X[TEST].T)
    for norm in ("frobenius", "spectral"):
        for scaling in (True, False):
            for squared in (True, False):
                expected = theirs.error_norm(other, norm, scaling=scaling, squared=squared)
                assert ours.error_norm(other, norm, scaling=scaling, squared=squared) == pytest.approx(expected)


def test_the_model_is_that_of_the_estimator():
    ours = fitted()
    panel = rm.InMemory(X[TRAIN], factors=F[TRAIN], risk_free=0.0, horizon=rm.DAY).panel(list(X), list(F))
    expected = rm.OLS().fit(panel)
    np.testing.assert_allclose(ours.covariance_, expected.covariance.to_dense(), atol=1e-18)
    np.testing.assert_allclose(ours.location_, X[TRAIN].mean(), atol=1e-16)
    assert ours.covariance_ is ours.covariance_
    assert list(ours.feature_names_in_) == list(X)
    arrays = FactorModelCovariance().fit(X[TRAIN].to_numpy(), factors=F[TRAIN].to_numpy())
    np.testing.assert_allclose(arrays.covariance_, ours.covariance_, atol=1e-18)


def test_scores_of_many_names_make_no_dense_matrix(monkeypatch):
    monkeypatch.setattr(rm.FactorCovariance, "to_dense", lambda *_, **__: pytest.fail("a dense matrix was made"))
    assert np.isfinite(fitted().score(X[TEST]))


def test_it_learns_more_than_a_matrix_without_structure():
    assert fitted().score(X[TEST]) > EmpiricalCovariance().fit(X[TRAIN]).score(X[TEST])


def test_a_search_over_half_lives_and_estimators():
    lives = [rm.WEEK, rm.QUARTER, rm.YEAR]
    search = GridSearchCV(
        FactorModelCovariance(rm.EWMA(rm.WEEK)), {"estimator__half_life": lives}, cv=TimeSeriesSplit(3)
    )
    search.fit(X, factors=F)
    scores = dict(zip(lives, search.cv_results_["mean_test_score"], strict=True))
    assert max(scores, key=scores.get) == search.best_params_["estimator__half_life"] != rm.WEEK
    kinds = GridSearchCV(FactorModelCovariance(), {"estimator": [rm.OLS(), rm.EWMA(rm.WEEK)]}, cv=TimeSeriesSplit(3))
    assert kinds.fit(X, factors=F).best_params_["estimator"] == rm.OLS()


def test_refitting_forgets_the_matrix():
    ours = fitted()
    before = ours.covariance_
    ours.fit(X[TEST], factors=F[TEST])
    assert not np.allclose(ours.covariance_, before, rtol=1e-3)
    assert clone(ours).get_params() == {"estimator": None, "horizon": None}


def test_what_is_refused():
    for unfitted in ("score", "mahalanobis", "error_norm"):
        with pytest.raises(rm.NotEstimatedError) as error:
            getattr(FactorModelCovariance(), unfitted)(X)
        assert isinstance(error.value, NotFittedError)
    assert not hasattr(FactorModelCovariance(), "covariance_")
    ragged = X.copy()
    ragged.iloc[:-2, 3] = np.nan
    with pytest.raises(rm.InvalidParameterError) as error:
        FactorModelCovariance().fit(ragged, factors=F)
    assert error.value.details["assets"] == ["A03"]
    with pytest.raises(rm.InvalidParameterError):
        fitted().score(ragged)
    with pytest.raises(rm.InvalidParameterError):
        fitted().score(X.iloc[:, 1:])


def test_the_checks_of_scikit_learn(monkeypatch):
    # they pass on made-up numbers of size one and more, which are refused as returns: make them smaller
    def smaller(x, factors, horizon):
        table = pd.DataFrame(x)
        size = np.nanmax(np.abs(table.to_numpy()), initial=1.0)
        values = (0.01 / size) * (table - table.mean())
        return read_rows(values if isinstance(x, pd.DataFrame) else values.to_numpy(), factors, horizon)

    monkeypatch.setattr("riskmodel.interop.sklearn.read_rows", smaller)
    results = check_estimator(FactorModelCovariance(), on_fail=None, on_skip=None)
    failed = {r["check_name"]: str(r["exception"]) for r in results if r["status"] == "failed"}
    assert failed == {}
    assert len([r for r in results if r["status"] == "passed"]) > 35
