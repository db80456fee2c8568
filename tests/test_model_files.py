"""Files of models: the same bits return, and damaged, cut or newer files are refused."""

import datetime as dt
import json
import pickle
import re
from decimal import Decimal
from fractions import Fraction

import attrs
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import riskmodel as rm
from tests import strategies as own

DAYS = pd.bdate_range("2020-01-01", periods=80)
RNG = np.random.default_rng(0)
FACTORS = pd.DataFrame(RNG.normal(0, 0.01, (80, 2)), DAYS, ["Mkt-RF", "G"])
RETURNS = pd.DataFrame(RNG.normal(0, 0.01, (80, 5)) + FACTORS[["Mkt-RF"]].to_numpy(), DAYS, list("ABCDE"))
RETURNS["E"] = RETURNS["D"] + RNG.normal(0, 1e-3, 80)
RETURNS.iloc[:30, 2] = np.nan
RETURNS.iloc[:78, 0] = np.nan
DATA = rm.InMemory(RETURNS, factors=FACTORS, risk_free=1e-4, horizon=rm.DAY)
PANEL = DATA.panel(list("ABCDE"), ["Mkt-RF", "G"])
PARTS = rm.Assembled(rm.TimeSeries(rm.OLS()), rm.SampleCovariance(), rm.SampleVariance())
D = rm.ShrunkVariance(PARTS.idio_variance, 0.5)
COMPONENTS = rm.Assembled(rm.PrincipalComponents(2), rm.SampleCovariance(), rm.SampleVariance())
ESTIMATORS = [
    rm.OLS(),
    rm.EWMA(rm.MONTH),
    rm.Assembled(PARTS.loadings, rm.EWMACovariance(rm.MONTH, rm.QUARTER), rm.Linked(PARTS.idio_variance)),
    rm.Assembled(
        rm.ShortHistories(PARTS.loadings, 40),
        PARTS.factor_covariance,
        rm.ShortHistoryVariance(PARTS.idio_variance, 40),
    ),
    COMPONENTS,
    rm.Blend([COMPONENTS, rm.Assembled(COMPONENTS.loadings, PARTS.factor_covariance, D)], [0.2, 0.8]),
    rm.Huber(),
    rm.SecondOrderAdjusted(rm.RecentVolatility(COMPONENTS)),
]
PARTS_OF_MODEL = ["alpha", "loadings", "factor_mean", "factor_covariance", "idio_variance", "links"]


def bits(array):
    return array.dtype.str, array.shape, np.ascontiguousarray(array).tobytes()


def assert_same(model, again):
    """All that a model holds, bit for bit."""
    for name in PARTS_OF_MODEL:
        assert bits(getattr(model, f"_{name}")) == bits(getattr(again, f"_{name}")), name
    assert bits(model.covariance._own_variance) == bits(again.covariance._own_variance)
    for name in ("assets", "factors"):
        one, other = getattr(model, name), getattr(again, name)
        assert one.dtype == other.dtype
        assert one.equals(other)
        assert one.names == other.names
        assert [type(x) for x in one.tolist()] == [type(x) for x in other.tolist()]
    assert float(model.risk_free_mean).hex() == float(again.risk_free_mean).hex()
    assert attrs.astuple(model.horizon) == attrs.astuple(again.horizon)
    assert model.definitions == again.definitions
    assert [(f.funded, f.tradable, f.told_by) for f in model.definitions] == [
        (f.funded, f.tradable, f.told_by) for f in again.definitions
    ]
    assert model._priors == again._priors
    pd.testing.assert_frame_equal(model.missing, again.missing, check_exact=True)
    assert model.lineage == again.lineage
    assert (model.regression is None) == (again.regression is None)
    if model.regression is not None:
        for field in attrs.fields(rm.RegressionFit):
            one, other = (getattr(m.regression, field.name) for m in (model, again))
            assert bits(one) == bits(other) if isinstance(one, np.ndarray) else np.all(one == other)


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda e: type(e).__name__)
def test_models_of_every_kind_return_as_they_are(tmp_path, estimator):
    model = estimator.fit_available(PANEL)
    model.save(tmp_path / "a.model")
    again = rm.FactorModel.load(tmp_path / "a.model")
    assert_same(model, again)
    again.save(tmp_path / "b.model")
    assert (tmp_path / "a.model").read_bytes() == (tmp_path / "b.model").read_bytes()
    assert again.lineage.estimator == repr(estimator)


HARD_FLOATS = st.one_of(st.floats(-1e3, 1e3, width=64), st.sampled_from([-0.0, 5e-324, -1e-310, 0.1, 1 / 3]))
ZONES = st.sampled_from([None, "UTC", "America/New_York", "Asia/Kathmandu", "UTC+05:30"])
SCALARS = st.one_of(
    st.text(max_size=5),
    st.integers(),
    st.booleans(),
    st.floats(allow_nan=False),
    st.binary(max_size=4),
    st.decimals(allow_nan=False),
    st.fractions(),
    st.dates(),
    st.datetimes(),
    st.timedeltas(),
    st.builds(
        lambda t, z: pd.Timestamp(t).tz_localize(z),
        st.datetimes(dt.datetime(1900, 1, 1), dt.datetime(2200, 1, 1)).filter(lambda t: t.hour > 4),
        ZONES,
    ),
)


@st.composite
def labels(draw, n):
    """N labels: any mixture, or an index of one dtype."""
    kind = draw(st.sampled_from(["mixed", "dates", "periods", "intervals", "numbers", "strings"]))
    if kind == "dates":
        zone, unit = draw(ZONES), draw(st.sampled_from(["s", "us", "ns"]))
        return pd.date_range(
            "2020-03-28 12:00", periods=n, tz=zone, name=draw(st.sampled_from([None, "day", 3]))
        ).as_unit(unit)
    if kind == "periods":
        return pd.period_range("2020-01", periods=n, freq=draw(st.sampled_from(["M", "D", "Q"])))
    if kind == "intervals":
        return pd.interval_range(0, n, closed=draw(st.sampled_from(["left", "right"])))
    if kind == "numbers":
        return pd.Index(
            np.arange(n) + 1, dtype=draw(st.sampled_from(["int8", "int64", "uint16", "float32", "float64"]))
        )
    if kind == "strings":
        return pd.Index([f"a{i}" for i in range(n)], dtype=draw(st.sampled_from(["object", "string", "str"])))
    return draw(st.lists(SCALARS, min_size=n, max_size=n, unique=True))


@st.composite
def hostile_models(draw):
    n, k = draw(st.integers(1, 4)), draw(st.integers(0, 3))
    rng = np.random.default_rng(draw(own.SEEDS))
    links = rng.normal(0, 0.3, (n, draw(st.integers(0, 2))))
    idio = (links**2).sum(axis=1) * rng.choice([1.0, 1.7, 1 + 1e-14], n) + rng.choice([0.0, 1.0, 1e-9], n) * rng.random(
        n
    )
    assets = draw(labels(n))
    horizon = draw(st.one_of(own.horizons(), st.just(rm.Horizon.of("30min", per_day=13.3, name="half"))))
    numbers = lambda size: np.array(draw(st.lists(HARD_FLOATS, min_size=size, max_size=size)))  # noqa: E731
    return rm.FactorModel(
        assets=assets,
        factors=own.factors(k),
        alpha=numbers(n),
        loadings=numbers(n * k).reshape(n, k),
        factor_mean=numbers(k),
        factor_covariance=draw(own.factor_covariances(k)),
        idio_variance=idio,
        risk_free_mean=draw(HARD_FLOATS),
        horizon=horizon,
        definitions=[draw(definitions(f"F{i}", assets)) for i in range(k)],
        links=links,
        priors=list(assets)[: draw(st.integers(0, n))],
        lineage=rm.Lineage("OLS()", {"file": draw(st.text(max_size=5))}, DAYS[0].tz_localize(draw(ZONES)), None, 3),
    )


def definitions(name, assets):
    weights = st.sampled_from([np.linspace(-0.3, 1, len(assets))])
    return st.one_of(
        st.builds(
            rm.PublishedFactor,
            st.just(name),
            st.sampled_from([None, rm.FUNDED, rm.SELF_FINANCING]),
            st.booleans(),
            told_by=st.sampled_from(list(rm.FundingSource)),
        ),
        st.just(rm.AssetFactor(name)),
        weights.map(lambda w: rm.PortfolioFactor(name, pd.Series(w, pd.Index(assets)))),
        weights.map(lambda w: rm.PortfolioFactor(name, pd.Series(w[:1], pd.Index(assets)[:1]))),
    )


@settings(max_examples=40)
@given(model=hostile_models())
def test_any_model_returns_as_it_is(tmp_path_factory, model):
    path = tmp_path_factory.mktemp("models") / "a.model"
    model.save(path)
    again = rm.FactorModel.load(path)
    assert_same(model, again)
    assert_same(model, pickle.loads(pickle.dumps(again)))


def test_the_same_model_is_the_same_on_every_path():
    model = ESTIMATORS[2].fit_available(PANEL)
    assert model.links.shape[1]
    assert_same(model, model.restrict(model.assets))


@pytest.mark.parametrize("label", [("a", 1), frozenset("a"), pd.offsets.Day(3)])
def test_labels_that_no_file_holds_are_refused(tmp_path, label):
    assets = pd.Index([label, "B"], dtype=object, tupleize_cols=False)
    try:
        model = given_model(assets)
    except rm.InvalidParameterError:
        return  # such a label is refused before
    with pytest.raises(rm.InvalidParameterError) as caught:
        model.save(tmp_path / "a.model")
    assert caught.value.details["label"] == label
    assert not list(tmp_path.iterdir())


def given_model(assets, factors=("Mkt-RF",)):
    return rm.FactorModel.from_parameters(
        assets=assets,
        factors=factors,
        alpha=[0.0] * len(assets),
        loadings=np.ones((len(assets), len(factors))),
        factor_covariance=np.eye(len(factors)),
        factor_mean=[0.0] * len(factors),
        idio_variance=[1.0] * len(assets),
        horizon=rm.DAY,
    )


def test_labels_of_rare_kinds_return(tmp_path):
    kinds = [Decimal("1.10"), Fraction(1, 3), b"\xff", dt.date(2020, 1, 2), 10**30, float("inf"), "é\ud800", True]
    model = given_model(kinds)
    model.save(tmp_path / "a.model")
    assert_same(model, rm.FactorModel.load(tmp_path / "a.model"))


class Mine(rm.Factor):
    name, funded = "mine", False

    def returns(self, data, start, end):
        return data.factor_returns(["G"], start, end)["G"]


def test_factors_of_own_classes_are_given_again(tmp_path):
    model = given_model(["A"], [Mine(), "G"])
    model.save(tmp_path / "a.model")
    with pytest.raises(rm.InvalidParameterError) as caught:
        rm.FactorModel.load(tmp_path / "a.model")
    assert caught.value.details["expected"] == ["mine", "G"]
    mine = Mine()
    assert rm.FactorModel.load(tmp_path / "a.model", factors=[mine, "G"]).definitions[0] is mine
    with pytest.raises(rm.InvalidParameterError) as caught:
        rm.FactorModel.load(tmp_path / "a.model", factors=["G", mine])
    assert caught.value.details["expected"] == ["mine", "G"]


@pytest.fixture
def saved(tmp_path):
    rm.OLS().fit_available(PANEL).save(tmp_path / "a.model")
    return tmp_path / "a.model"


def test_the_header_is_for_people(saved):
    lines = saved.read_bytes().split(b"\n}\n")[0].decode("ascii").split("\n")
    assert lines[0] == "riskmodel FactorModel file, version 1"
    assert re.fullmatch("sha256 [0-9a-f]{64}", lines[1])
    head = json.loads("\n".join(lines[2:]) + "}")
    assert head["horizon"]["name"] == "day"
    assert head["lineage"]["estimator"] == "OLS()"
    assert head["assets"]["labels"] == ["B", "C", "D", "E"]


@settings(max_examples=40)
@given(data=st.data())
def test_one_changed_byte_is_refused(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("damaged") / "a.model"
    given_model(["A", "B"]).save(path)
    content = bytearray(path.read_bytes())
    at = data.draw(st.integers(0, len(content) - 1))
    content[at] ^= data.draw(st.integers(1, 255))
    path.write_bytes(bytes(content))
    with pytest.raises(rm.UnreadableFileError) as caught:
        rm.FactorModel.load(path)
    assert caught.value.details["path"] == str(path)


@settings(max_examples=40)
@given(share=st.floats(0, 1, exclude_max=True))
def test_files_that_are_cut_short_are_refused(tmp_path_factory, share):
    path = tmp_path_factory.mktemp("cut") / "a.model"
    given_model(["A", "B"]).save(path)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(rm.UnreadableFileError):
        rm.FactorModel.load(path)


def test_newer_files_are_refused_as_such(saved):
    content = saved.read_bytes().replace(b"version 1\n", b"version 7\n", 1)
    saved.write_bytes(content)
    with pytest.raises(rm.NewerFileError) as caught:
        rm.FactorModel.load(saved)
    assert {"version": 7, "newest": 1}.items() <= caught.value.details.items()


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"riskmodel Moments file, version 1\n", b"\x80\x04pickle"])
def test_other_files_are_refused(tmp_path, content):
    (tmp_path / "a.model").write_bytes(content)
    with pytest.raises(rm.UnreadableFileError) as caught:
        rm.FactorModel.load(tmp_path / "a.model")
    assert caught.value.details["expected"] == "FactorModel"


def test_an_existing_file_survives_a_failed_write(saved):
    before = saved.read_bytes()
    with pytest.raises(rm.InvalidParameterError):
        attrs.evolve(given_model(["A"]), missing=pd.DataFrame({"who": ["A"]})).save(saved)
    assert saved.read_bytes() == before
    assert [p.name for p in saved.parent.iterdir()] == [saved.name]


# -- lineage -------------------------------------------------------------------------------------------


def test_every_estimator_says_what_it_was():
    for estimator in ESTIMATORS:
        lineage = estimator.fit_available(PANEL).lineage
        assert lineage.estimator == repr(estimator)
        assert (lineage.start, lineage.end, lineage.n_dates) == (DAYS[0], DAYS[-1], 80)
        assert lineage.version == rm.__version__


def test_the_vintage_of_the_data_goes_along(tmp_path):
    vintage = {"F-F_Research_Data_Factors_daily": "202407 CRSP"}
    panel = rm.ReturnPanel.align(
        RETURNS[["B", "D"]], FACTORS[["Mkt-RF"]], pd.Series(1e-4, DAYS), horizon=rm.DAY, provenance=vintage
    )
    model = rm.OLS().fit(panel)
    for kept in (model, model.restrict(["D"]), model.at(rm.YEAR), attrs.evolve(model, alpha=[0.0, 0.0])):
        assert kept.lineage.data == vintage
        kept.save(tmp_path / "a.model")
        assert rm.FactorModel.load(tmp_path / "a.model").lineage == model.lineage
    report = rm.RiskReport.of(rm.Strategy({"B": 1.0}, model), panel, rm.RiskBudget(1e6, rm.MONTH))
    assert report.to_dict()["lineage"] == model.lineage.to_dict()
    assert f"OLS(), riskmodel {rm.__version__}" in " ".join(report.to_text().split())


def test_a_long_configuration_is_cut_in_the_text_of_a_report_alone():
    model = ESTIMATORS[-1].fit_available(PANEL)
    long = attrs.evolve(model, lineage=attrs.evolve(model.lineage, estimator="Long(" + "x" * 3_000 + ")"))
    report = rm.RiskReport.of(rm.Strategy({"B": 1.0}, long), PANEL, rm.RiskBudget(1e6, rm.MONTH))
    assert report.to_dict()["lineage"]["estimator"] == long.lineage.estimator
    assert report.to_text().count("x" * 50) <= 4


def test_models_of_a_history_say_their_window():
    history = rm.Rolling(rm.Horizon(60), every=10).fit(PANEL.select(["B", "D"]))
    for date, model in history.items():
        assert model.lineage.estimator == "OLS()"
        assert (model.lineage.end, model.lineage.n_dates) == (date, 60)
        assert model.lineage.start == history.starts[date]


def test_given_numbers_have_no_estimator():
    lineage = given_model(["A"]).lineage
    assert (lineage.estimator, lineage.data, lineage.n_dates) == ("", {}, None)


class Bare(rm.Estimator):
    def fit(self, panel):
        return given_model(panel.assets, panel.definitions)


def test_an_address_in_memory_is_no_configuration():
    lineage = Bare().fit_available(PANEL).lineage
    assert lineage.estimator == "Bare"


def test_fingerprints_tell_data_apart():
    same = rm.ReturnPanel.align(RETURNS, FACTORS, pd.Series(1e-4, DAYS), horizon=rm.DAY)
    assert same.fingerprint() == PANEL.fingerprint()
    changed = RETURNS.copy()
    changed.iloc[79, 3] = np.nextafter(changed.iloc[79, 3], 1)
    others = [
        rm.ReturnPanel.align(changed, FACTORS, pd.Series(1e-4, DAYS), horizon=rm.DAY),
        PANEL.select(list("ABCED")),
        PANEL.select(end=DAYS[-2]),
        rm.ReturnPanel.align(RETURNS, FACTORS, pd.Series(2e-4, DAYS), horizon=rm.DAY),
    ]
    assert len({p.fingerprint() for p in [PANEL, *others]}) == 5
    lineage = rm.OLS().fit_available(PANEL).lineage
    assert lineage.with_fingerprint(PANEL).fingerprint == PANEL.fingerprint()
    with pytest.raises(rm.InvalidParameterError) as caught:
        lineage.with_fingerprint(others[2])
    assert caught.value.details["got"][2] == 79
