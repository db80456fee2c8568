"""Covariances that others published, from their papers where no package has them: frame of returns -> N × N a day.

Settings are the papers' own.
"""

from __future__ import annotations

import numpy as np
from scipy import optimize


def sample(returns):
    return np.cov(returns.to_numpy().T)


def qis(returns):
    """Quadratic-inverse shrinkage.

    Ledoit, O. and Wolf, M. (2022). Quadratic shrinkage for large covariance matrices. Bernoulli 28(3), 1519-1547.
    """
    x = returns.to_numpy()
    return _shrunk(np.cov(x.T), len(x) - 1)


def _shrunk(covariance, n):
    p = len(covariance)
    values, vectors = np.linalg.eigh(covariance)
    values = np.maximum(values, 0.0)
    c, positive = p / n, values[max(0, p - n) :]
    h = min(c**2, 1 / c**2) ** 0.35 / p**0.35  # the smoothing bandwidth of section 4
    inverse = 1 / positive
    gap = inverse[:, None] - inverse[None, :]
    weight = inverse[:, None] / (gap**2 + h**2 * inverse[:, None] ** 2)
    theta, hilbert = (weight * gap).mean(axis=0), (weight * h * inverse[:, None]).mean(axis=0)
    size = theta**2 + hilbert**2
    if p <= n:
        shrunk = 1 / ((1 - c) ** 2 * inverse + 2 * c * (1 - c) * inverse * theta + c**2 * inverse * size)
    else:
        null = 1 / ((c - 1) * inverse.mean())
        shrunk = np.concatenate([np.full(p - n, null), 1 / (inverse * size)])
    shrunk *= values.sum() / shrunk.sum()
    return (vectors * shrunk) @ vectors.T


def poet(returns, most=20, constant=0.5):
    """Principal components and thresholded residual covariances, soft thresholds that adapt to each entry.

    Fan, J., Liao, Y. and Mincheva, M. (2013). Large covariance estimation by thresholding principal orthogonal
    complements. Journal of the Royal Statistical Society B 75(4), 603-680. The number of factors by their equation
    (2.14), the criterion of Bai and Ng (2002); the constant rises until the result is positive definite.
    """
    x = returns.to_numpy().T
    x = x - x.mean(axis=1, keepdims=True)
    p, t = x.shape
    values, vectors = np.linalg.eigh(x @ x.T / t)
    values, vectors = values[::-1], vectors[:, ::-1]
    total = values.sum()
    penalty = (p + t) / (p * t) * np.log(p * t / (p + t))
    k = int(np.argmin([np.log((total - values[:j].sum()) / p) + j * penalty for j in range(most + 1)]))
    u = x - vectors[:, :k] @ (vectors[:, :k].T @ x)
    residual = u @ u.T / t
    spread = np.sqrt(np.maximum((u**2) @ (u**2).T / t - residual**2, 0.0))
    rate = 1 / np.sqrt(p) + np.sqrt(np.log(p) / t)
    while True:
        threshold = constant * rate * spread
        kept = np.sign(residual) * np.maximum(np.abs(residual) - threshold, 0.0)
        np.fill_diagonal(kept, np.diag(residual))
        if np.linalg.eigvalsh(kept)[0] > 0:
            return (vectors[:, :k] * values[:k]) @ vectors[:, :k].T + kept
        constant += 0.1


def constant_correlation(returns):
    """Ledoit and Wolf (2004), by PyPortfolioOpt."""
    from pypfopt.risk_models import CovarianceShrinkage

    shrinkage = CovarianceShrinkage(returns, returns_data=True, frequency=1)
    return shrinkage.ledoit_wolf("constant_correlation").to_numpy()


def regime_time_series(returns):
    """skfolio's time-series factor model on ten principal components, with its regime-adjusted covariance."""
    import pandas as pd
    from skfolio.moments import RegimeAdjustedEWCovariance
    from skfolio.prior import EmpiricalPrior, LoadingMatrixRegression, TimeSeriesFactorModel
    from sklearn.linear_model import LinearRegression

    named = returns.set_axis(returns.columns.map(str), axis=1)
    vectors = np.linalg.eigh(np.cov(named.to_numpy().T))[1][:, -10:]
    factors = pd.DataFrame(named.to_numpy() @ vectors, named.index, [f"PC{i}" for i in range(10)])
    model = TimeSeriesFactorModel(
        loading_matrix_estimator=LoadingMatrixRegression(linear_regressor=LinearRegression()),
        factor_prior_estimator=EmpiricalPrior(covariance_estimator=RegimeAdjustedEWCovariance()),
    )
    return model.fit(named, factors=factors).return_distribution_.covariance


# -- combined iterated exponentially weighted moving averages --------------------------------------

PAIRS = ((10, 21), (21, 63), (63, 125), (125, 250), (250, 500))
COMBINED_OVER = 10
WINSORISED = 4.2


def cm_iewma(returns, rank=10):
    """Combined iterated EWMAs, each with low rank plus diagonal.

    Johansson, K., Ogut, M. G., Pelger, M., Schmelzer, T. and Boyd, S. (2023). A simple method for predicting covariance
    matrices of financial returns. Foundations and Trends in Econometrics 12(4). Half-lives of volatility and
    correlation as for their stock data; Cholesky factors of precisions, combined to maximise the likelihood of the last
    ten days (their section 3.3); large universes by low rank plus diagonal (their section 5.2).
    """
    x = returns.to_numpy()
    t, n = x.shape
    factors = np.empty((len(PAIRS), COMBINED_OVER + 1, n, n))
    for j, (of_volatility, of_correlation) in enumerate(PAIRS):
        for i, covariance in enumerate(_iterated(x, of_volatility, of_correlation, rank)):
            factors[j, i] = np.linalg.cholesky(np.linalg.inv(covariance))
    # the covariance of a day is made of the days before it
    diagonals = np.diagonal(factors[:, :-1], axis1=2, axis2=3)
    whitened = np.einsum("jtab,ta->jtb", factors[:, :-1], x[t - COMBINED_OVER :])
    weights = _likeliest(diagonals, whitened)
    combined = np.tensordot(weights, factors[:, -1], axes=1)
    inverse = np.linalg.inv(combined)
    return inverse.T @ inverse


def _iterated(x, of_volatility, of_correlation, rank):
    """Covariances before each of the last ten days, and after the last."""
    t, n = x.shape
    decay = 0.5 ** (1 / of_volatility)
    squares, weight, scaled = np.zeros(n), 0.0, np.zeros((t, n))
    volatilities = np.empty((t + 1, n))
    start = np.maximum(np.sqrt((x**2).mean(axis=0)), 1e-6)
    for i in range(t):
        volatilities[i] = np.sqrt(squares / weight) if weight > 0 and i >= 5 else start
        volatilities[i] = np.maximum(volatilities[i], 1e-6)
        squares, weight = decay * squares + x[i] ** 2, decay * weight + 1
        scaled[i] = np.clip(x[i] / np.maximum(np.sqrt(squares / weight), 1e-6), -WINSORISED, WINSORISED)
    volatilities[t] = np.maximum(np.sqrt(squares / weight), 1e-6)
    keep = 0.5 ** (1 / of_correlation)
    first = t - COMBINED_OVER
    ages = keep ** np.arange(first - 1, -1, -1)
    sums = (scaled[:first] * ages[:, None]).T @ scaled[:first]
    for i in range(first, t + 1):
        scale = np.sqrt(np.maximum(np.diag(sums), 1e-12))
        correlation = _low_rank(sums / np.outer(scale, scale), rank)
        yield correlation * np.outer(volatilities[i], volatilities[i])
        if i < t:
            sums = keep * sums + np.outer(scaled[i], scaled[i])


def _low_rank(correlation, rank):
    values, vectors = np.linalg.eigh(correlation)
    low = (vectors[:, -rank:] * values[-rank:]) @ vectors[:, -rank:].T
    np.fill_diagonal(low, 0.0)
    return low + np.eye(len(low)) * np.maximum(np.diag(correlation), 1e-8)


def _likeliest(diagonals, whitened):
    """Weights on the simplex that maximise the mean log-likelihood."""
    k = len(diagonals)

    def loss(w):
        d, z = np.tensordot(w, diagonals, axes=1), np.tensordot(w, whitened, axes=1)
        gradient = -np.einsum("jta,ta->j", diagonals, 1 / d) + np.einsum("jta,ta->j", whitened, z)
        days = len(d)
        return (-np.log(d).sum() + 0.5 * (z**2).sum()) / days, gradient / days

    start = np.full(k, 1 / k)
    sums_to_one = {"type": "eq", "fun": lambda w: w.sum() - 1, "jac": lambda w: np.ones(k)}
    found = optimize.minimize(
        loss, start, jac=True, method="SLSQP", bounds=[(0, 1)] * k, constraints=[sums_to_one], options={"ftol": 1e-8}
    )
    return np.clip(found.x, 0, None) / np.clip(found.x, 0, None).sum()


# -- dynamic conditional correlations --------------------------------------------------------------

REACTIONS = np.array([0.02, 0.04, 0.06, 0.08, 0.11, 0.15])
PERSISTENCES = np.array([0.80, 0.88, 0.93, 0.96, 0.98, 0.99])
NEWS = np.array([0.003, 0.006, 0.01, 0.015, 0.02, 0.03, 0.05])
MEMORIES = np.array([0.90, 0.94, 0.96, 0.975, 0.985, 0.992])
AHEAD = 21


def dcc(returns):
    """Dynamic conditional correlations with GARCH(1, 1) margins, targeted on the sample, averaged over the month ahead.

    Engle, R. F. (2002). Dynamic conditional correlation. Journal of Business & Economic Statistics 20(3), 339-350.
    Margins and correlations by likelihood over a grid; the latter by that of neighbouring pairs (Pakel, Shephard,
    Sheppard and Engle 2021), as for large N.
    """
    return _dcc(returns.to_numpy(), lambda z: z.T @ z / len(z))


def dcc_nl(returns):
    """The same, targeted on quadratic-inverse shrinkage of the correlations.

    Engle, R. F., Ledoit, O. and Wolf, M. (2019). Large dynamic covariance matrices. Journal of Business & Economic
    Statistics 37(2), 363-375, with the shrinkage of 2022 in place of that of 2012.
    """
    return _dcc(returns.to_numpy(), lambda z: _shrunk(z.T @ z / len(z), len(z)))


def _dcc(x, target):
    x = x - x.mean(axis=0)
    ahead, scaled = _margins(x)
    base = target(scaled)
    scale = np.sqrt(np.diag(base))
    base = base / np.outer(scale, scale)
    news, memory = _dynamics(scaled, base)
    q = base.copy()
    for z in scaled:
        q = (1 - news - memory) * base + news * np.outer(z, z) + memory * q
    decay = (news + memory) ** np.arange(AHEAD)
    q = base + decay.mean() * (q - base)  # Engle and Sheppard (2001), approximately
    spread = np.sqrt(np.diag(q))
    return q / np.outer(spread, spread) * np.outer(ahead, ahead)


def _margins(x):
    """Volatility a day over the month ahead, and scaled returns, by GARCH(1, 1) with variance targeting."""
    level = np.maximum((x**2).mean(axis=0), 1e-12)
    a, s = (g.ravel() for g in np.meshgrid(REACTIONS, PERSISTENCES))
    a, s = a[a < s], s[a < s]
    b = s - a
    h = np.broadcast_to(level, (len(a), x.shape[1])).copy()
    paths = np.empty((len(x) + 1, *h.shape), dtype=np.float32)
    loss = np.zeros_like(h)
    for i, r in enumerate(x):
        paths[i] = h
        loss += np.log(h) + r**2 / h
        h = (1 - s)[:, None] * level + a[:, None] * r**2 + b[:, None] * h
    paths[-1] = h
    best, columns = loss.argmin(axis=0), np.arange(x.shape[1])
    own = paths[:, best, columns].astype(np.float64)
    persistence = s[best][:, None] ** np.arange(AHEAD)
    ahead = level + persistence.mean(axis=1) * (own[-1] - level)
    return np.sqrt(ahead), x / np.sqrt(own[:-1])


def _dynamics(z, base):
    """The two parameters of the correlations."""
    i = np.arange(z.shape[1] - 1)
    products = np.stack([z[:, :-1] ** 2, z[:, 1:] ** 2, z[:, :-1] * z[:, 1:]])
    targets = np.stack([np.ones(len(i)), np.ones(len(i)), base[i, i + 1]])
    best = (np.inf, 0.0, 0.0)
    for news in NEWS:
        for memory in MEMORIES[news + MEMORIES < 0.999]:
            q, loss = targets.copy(), 0.0
            for t in range(len(z)):
                rho = np.clip(q[2] / np.sqrt(q[0] * q[1]), -0.999, 0.999)
                d = 1 - rho**2
                one, two, cross = products[:, t]
                loss += (np.log(d) + (one - 2 * rho * cross + two) / d).sum()
                q = (1 - news - memory) * targets + news * products[:, t] + memory * q
            best = min(best, (loss, news, memory))
    return best[1:]
