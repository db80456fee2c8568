"""Models as delimited text and as Parquet: the same bits return, and other units are refused."""

import warnings
from decimal import Decimal

import attrs
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

import riskmodel as rm
from riskmodel.data.model_files import exact
from tests.test_model_files import ESTIMATORS, HARD_FLOATS, PANEL, Mine, assert_same, bits, given_model, hostile_models

PERCENT, DECIMALS = rm.RiskUnit.PERCENT, rm.RiskUnit.DECIMALS
VOLATILITY, VARIANCE = rm.RiskForm.VOLATILITY, rm.RiskForm.VARIANCE
ANY = (0.0, 1e300)
PARTS = ["alpha", "loadings", "factor_mean", "factor_covariance", "idio_variance", "links"]


def same_parts(model, again):
    for name in PARTS:
        assert bits(getattr(model, f"_{name}")) == bits(getattr(again, f"_{name}")), name
    assert list(model.assets) == list(again.assets)
    assert model.definitions == again.definitions
    assert model._priors == again._priors
    assert model.lineage == again.lineage
    pd.testing.assert_frame_equal(model.missing, again.missing, check_exact=True)
    assert float(model.risk_free_mean).hex() == float(again.risk_free_mean).hex()


@pytest.mark.parametrize("unit", [PERCENT, DECIMALS])
@pytest.mark.parametrize("form", [VOLATILITY, VARIANCE])
@pytest.mark.parametrize("separator", [",", "|", ";", "\t"])
def test_text_restores_the_same_bits(tmp_path, unit, form, separator):
    for estimator in (ESTIMATORS[0], ESTIMATORS[2], ESTIMATORS[4]):
        model = estimator.fit_available(PANEL)
        units = rm.FileUnits(unit, rm.DAY, form)
        rm.write_model_text(model, tmp_path / "a", units, separator=separator, ending=".txt")
        same_parts(model, rm.read_model_text(rm.ModelPaths.in_folder(tmp_path / "a", ".txt"), units))


@settings(max_examples=25)
@given(model=hostile_models(), unit=st.sampled_from([PERCENT, DECIMALS]), form=st.sampled_from([VOLATILITY, VARIANCE]))
def test_text_of_any_model_with_names_restores_the_same_bits(tmp_path_factory, model, unit, form):
    folder = tmp_path_factory.mktemp("text")
    units = rm.FileUnits(unit, model.horizon, form, ANY)
    if not all(
        isinstance(a, str) and a.isprintable() and a and a == a.strip() and a[0] not in "#![" for a in model.assets
    ):
        with pytest.raises(rm.InvalidParameterError) as caught:
            rm.write_model_text(model, folder, units)
        assert {"what", "label"} <= caught.value.details.keys()
        assert not any(folder.iterdir())
        return
    paths = rm.write_model_text(model, folder, units)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", rm.DoubtfulUnitWarning)
        same_parts(model, rm.read_model_text(paths, units))


@settings(max_examples=200)
@given(x=st.one_of(HARD_FLOATS, st.floats(allow_nan=False, allow_infinity=False)), power=st.sampled_from([0, 2, 4]))
def test_numbers_return_from_other_units(x, power):
    assert exact.read(exact.written(x, power), power).hex() == float(x).hex()
    assert Decimal(exact.written(x, power)) == Decimal(repr(float(x))).scaleb(power)


@settings(max_examples=200)
@given(x=st.floats(0, 1e307).map(abs), power=st.sampled_from([0, 2]))
def test_variances_return_from_volatilities(x, power):
    assert exact.read_square(exact.written_root(x, power), power).hex() == float(x).hex()


@settings(max_examples=25)
@given(model=hostile_models())
def test_parquet_restores_the_same_bits(tmp_path_factory, model):
    folder = tmp_path_factory.mktemp("parquet")
    rm.write_model_parquet(model, folder)
    assert_same(model, rm.read_model_parquet(folder))


# -- as vendors deliver --------------------------------------------------------------------------------

EXPOSURES = """!Date: 2024-06-28
!AssetID|Factor|Exposure
US01|MKT|1.0
US01|SIZE|-0.5
US02|MKT|1.2
[End of File]
"""
COVARIANCE = """!Factor1|Factor2|VarCovar
MKT|MKT|225.0
MKT|SIZE|-12.5
SIZE|SIZE|16.0
"""
SPECIFIC = """!AssetID|SpecRisk%
US01|20.0
US02|35.5
"""
NAMES = {
    **{"AssetID": "asset", "Factor": "factor", "Exposure": "exposure", "Factor1": "factor", "Factor2": "other_factor"},
    **{"VarCovar": "covariance", "SpecRisk%": "specific_risk", "TotalRisk%": "total_risk"},
}
UNITS = rm.FileUnits(PERCENT, rm.YEAR, VOLATILITY)


def delivered(folder, **changed):
    texts = {"exposures": EXPOSURES, "factor_covariance": COVARIANCE, "specific_risk": SPECIFIC} | changed
    for name, text in texts.items():
        (folder / f"{name}.txt").write_text(text, encoding="utf-8")
    return rm.ModelPaths(**{name: folder / f"{name}.txt" for name in texts})


def test_delivered_files_are_read(tmp_path):
    model = rm.read_model_text(delivered(tmp_path), UNITS, columns=NAMES)
    expected = np.array([[1.0, -0.5], [1.2, 0.0]])
    np.testing.assert_array_equal(model.loadings.to_numpy(), expected)
    np.testing.assert_array_equal(model.factor_covariance.to_numpy(), [[0.0225, -0.00125], [-0.00125, 0.0016]])
    np.testing.assert_array_equal(model.idio_variance.to_numpy(), [0.04, 0.126025])
    assert list(model.factors) == ["MKT", "SIZE"]
    assert model.horizon == rm.YEAR


def test_tables_with_a_column_for_each_factor_are_read(tmp_path):
    paths = delivered(
        tmp_path,
        exposures="AssetID,MKT,SIZE\nUS01,1.0,-0.5\nUS02,1.2,\n",
        factor_covariance="Factor,MKT,SIZE\nMKT,225.0,-12.5\nSIZE,-12.5,16.0\n",
    )
    wide = rm.read_model_text(paths, UNITS, columns=NAMES)
    long = rm.read_model_text(delivered(tmp_path), UNITS, columns=NAMES)
    same_parts(long, wide)


@pytest.mark.parametrize(
    "units",
    [
        rm.FileUnits(DECIMALS, rm.YEAR, VOLATILITY),
        rm.FileUnits(PERCENT, rm.DAY, VOLATILITY),
        rm.FileUnits(PERCENT, rm.YEAR, VARIANCE),
    ],
    ids=str,
)
def test_a_name_that_tells_the_unit_or_the_size_refuses_others(tmp_path, units):
    paths = delivered(tmp_path, assets="AssetID|TotalRisk%\nUS01|25.3180\nUS02|39.8\n")
    with pytest.raises(rm.UnitsError) as caught:
        rm.read_model_text(paths, units, columns=NAMES)
    assert caught.value.details["units"] == units


SPANS = [
    ("AnnualRisk%", rm.MONTH, True),
    ("AnnualRisk%", rm.Horizon(250), False),
    ("Spec%Monthly", rm.YEAR, True),
    ("Spec%Monthly", rm.Horizon(20), False),
    ("DailySpec%", rm.YEAR, True),
    ("Annualised daily risk %", rm.YEAR, False),
    ("SpecRisk%", rm.YEAR, False),
]


@pytest.mark.parametrize(("column", "horizon", "refused"), SPANS)
def test_a_name_that_tells_the_span_refuses_others(tmp_path, column, horizon, refused):
    units = rm.FileUnits(PERCENT, horizon, VOLATILITY, ANY)
    paths = delivered(tmp_path, specific_risk=SPECIFIC.replace("SpecRisk%", column))
    if not refused:
        assert rm.read_model_text(paths, units, columns=NAMES | {column: "specific_risk"}).horizon == horizon
        return
    with pytest.raises(rm.UnitsError) as caught:
        rm.read_model_text(paths, units, columns=NAMES | {column: "specific_risk"})
    assert caught.value.details["got"] == f"column {column!r}"


def neutral(folder, unit, horizon, form, assets=None):
    """A stock model at 30 % a year in files whose names and comments tell nothing."""
    rng = np.random.default_rng(0)
    size = {PERCENT: 100.0, DECIMALS: 1.0}[unit]
    f = np.diag([0.16**2, 0.05**2]) / horizon.per_year * size**2
    own = np.full(30, 0.28**2) / horizon.per_year * size**2
    b = np.column_stack([rng.normal(1, 0.2, 30), rng.normal(0, 1, 30)])
    risk = np.sqrt(own) if form is VOLATILITY else own
    total = np.einsum("nk,kl,nl->n", b, f, b) + own
    lines = {
        "exposures": ["asset,factor,exposure", *(f"{n},{k},{b[n, k]}" for n in range(30) for k in range(2))],
        "factor_covariance": [
            "factor,other_factor,covariance",
            *(f"{k},{j},{f[k, j]}" for k in range(2) for j in (0, 1)),
        ],
        "specific_risk": ["asset,specific_risk", *(f"{n},{risk[n]}" for n in range(30))],
    }
    if assets:
        stated = np.sqrt(total) if form is VOLATILITY else total
        lines["assets"] = ["asset,total_risk", *(f"{n},{stated[n]:.4g}" for n in range(30))]
    return delivered(folder, **{name: "\n".join(rows) for name, rows in lines.items()})


TRUE = [(u, h, f) for u in (PERCENT, DECIMALS) for h in (rm.YEAR, rm.MONTH, rm.DAY) for f in (VOLATILITY, VARIANCE)]


@pytest.mark.parametrize("true", TRUE, ids=str)
def test_files_in_their_units_are_read_to_the_same_risks(tmp_path, true):
    model = rm.read_model_text(neutral(tmp_path, *true, assets=True), rm.FileUnits(*true))
    volatility = np.sqrt(model.at(rm.YEAR).idio_variance)
    np.testing.assert_allclose(volatility, 0.28, rtol=1e-12)


@pytest.mark.parametrize("true", TRUE, ids=str)
@pytest.mark.parametrize("said", TRUE, ids=str)
def test_files_with_total_risk_are_refused_in_other_units(tmp_path, true, said):
    if true == said or {true[1], said[1]} in ({rm.YEAR, rm.MONTH}, {rm.MONTH, rm.DAY}):
        return  # a factor of less than five in volatility: stocks may be so
    paths = neutral(tmp_path, *true, assets=True)
    with pytest.raises(rm.UnitsError) as caught:
        rm.read_model_text(paths, rm.FileUnits(*said))
    assert caught.value.details["units"] == rm.FileUnits(*said)


def test_the_likelier_form_is_said(tmp_path):
    paths = neutral(tmp_path, PERCENT, rm.YEAR, VOLATILITY)
    with pytest.warns(rm.DoubtfulUnitWarning) as caught:
        rm.read_model_text(paths, rm.FileUnits(PERCENT, rm.YEAR, VARIANCE))
    assert caught[0].message.details["form"] is VARIANCE


def test_units_that_would_fit_are_named(tmp_path):
    paths = neutral(tmp_path, PERCENT, rm.YEAR, VOLATILITY)
    with pytest.raises(rm.UnitsError) as caught:
        rm.read_model_text(paths, rm.FileUnits(DECIMALS, rm.YEAR, VOLATILITY))
    assert str(rm.FileUnits(PERCENT, rm.YEAR, VOLATILITY)) in caught.value.details["fitting"]


def test_comments_that_say_other_units_refuse_them(tmp_path):
    model = ESTIMATORS[0].fit_available(PANEL).at(rm.YEAR)
    paths = rm.write_model_text(model, tmp_path, rm.FileUnits(DECIMALS, rm.YEAR, VOLATILITY, ANY))
    for other in (
        rm.FileUnits(DECIMALS, rm.YEAR, VARIANCE, ANY),
        rm.FileUnits(DECIMALS, rm.MONTH, VOLATILITY, ANY),
        rm.FileUnits(PERCENT, rm.YEAR, VOLATILITY, ANY),
    ):
        with pytest.raises(rm.UnitsError) as caught:
            rm.read_model_text(paths, other)
        assert caught.value.details["path"]


def test_a_model_at_another_horizon_is_not_written(tmp_path):
    with pytest.raises(rm.HorizonMismatchError):
        rm.write_model_text(ESTIMATORS[0].fit_available(PANEL), tmp_path, UNITS)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("changed", "error", "details"),
    [
        ({"specific_risk": SPECIFIC + "US01|3\n"}, rm.DuplicateLabelsError, {"line": 4, "labels": ["US01"]}),
        ({"exposures": EXPOSURES.replace("1.2", "x")}, rm.LayoutError, {"line": 5, "column": "exposure"}),
        ({"exposures": EXPOSURES.replace("1.2", "nan")}, rm.LayoutError, {"line": 5, "column": "exposure"}),
        ({"exposures": EXPOSURES.replace("US02", "US03")}, rm.UnknownAssetError, {"missing": ["US03"]}),
        ({"exposures": EXPOSURES.replace("SIZE", "MOM")}, rm.UnknownFactorError, {"missing": ["MOM"]}),
        ({"exposures": EXPOSURES.replace("US01|SIZE", "US01|MKT")}, rm.DuplicateLabelsError, {"line": 4}),
        ({"exposures": EXPOSURES.replace("|1.2", "|1.2|7")}, rm.LayoutError, {"line": 5}),
        ({"exposures": EXPOSURES.replace("US02", "")}, rm.UnknownAssetError, {"missing": [""]}),
        ({"specific_risk": SPECIFIC.replace("US02", "")}, rm.LayoutError, {"line": 3, "column": "asset"}),
        ({"factor_covariance": COVARIANCE.replace("MKT|SIZE|-12.5\n", "")}, rm.LayoutError, {}),
        ({"specific_risk": "AssetID|Sigma\nUS01|2\n"}, rm.LayoutError, {"column": "specific_risk"}),
        ({"specific_risk": "nothing\n"}, rm.LayoutError, {"column": "asset"}),
        ({"assets": "# lineage: x\nasset,alpha\nUS01,1\nUS02,2\n"}, rm.LayoutError, {"key": "lineage"}),
        ({"assets": "asset,alpha\nUS01,1\n"}, rm.UnknownAssetError, {"missing": ["US02"]}),
        ({"factors": "factor,definition\nMKT,{}\n"}, rm.LayoutError, {"line": 2, "column": "definition"}),
    ],
)
def test_faults_are_named_with_their_line(tmp_path, changed, error, details):
    with pytest.raises(error) as caught:
        rm.read_model_text(delivered(tmp_path, **changed), UNITS, columns=NAMES)
    assert details.items() <= caught.value.details.items()


def test_links_of_an_earlier_model_do_not_stay(tmp_path):
    units = rm.FileUnits(DECIMALS, rm.DAY, VARIANCE)
    assert rm.write_model_text(ESTIMATORS[2].fit_available(PANEL), tmp_path, units).links is not None
    assert rm.write_model_text(ESTIMATORS[0].fit_available(PANEL), tmp_path, units).links is None
    assert rm.ModelPaths.in_folder(tmp_path).links is None


ALIKE = rm.FileUnits(DECIMALS, rm.DAY, VARIANCE, ANY)
FILES = ["exposures", "factor_covariance", "specific_risk", "assets", "factors"]


def alike(variance):
    """A model whose labels and definitions are those of others."""
    return attrs.evolve(given_model(["A", "B"]), idio_variance=[variance, 1.0])


@pytest.mark.parametrize("name", FILES)
def test_text_of_two_models_is_refused(tmp_path, name):
    one, other = (rm.write_model_text(alike(x), tmp_path / str(x), ALIKE) for x in (1.0, 1.0 + 1e-9))
    same_parts(rm.read_model_text(one, ALIKE), alike(1.0))
    said = {path.read_text().split("identifier: ")[1][:64] for path in (one.assets, other.assets)}
    getattr(one, name).write_bytes(getattr(other, name).read_bytes())
    with pytest.raises(rm.UnreadableFileError) as caught:
        rm.read_model_text(one, ALIKE)
    assert {caught.value.details["expected"], caught.value.details["got"]} == said
    assert len(said) == 2


def without_identifier(path):
    path.write_text("".join(line for line in path.read_text().splitlines(True) if "identifier" not in line))


def test_changed_text_is_refused_until_its_identifiers_are_removed(tmp_path):
    paths = rm.write_model_text(alike(1.0), tmp_path, ALIKE)
    text = paths.assets.read_text()
    paths.assets.write_text(text.replace("B,2.0,0.0", "B,2.0,0.5"))
    assert paths.assets.read_text() != text
    with pytest.raises(rm.UnreadableFileError) as caught:
        rm.read_model_text(paths, ALIKE)
    assert caught.value.details["got"] != caught.value.details["expected"]
    without_identifier(paths.exposures)
    with pytest.raises(rm.UnreadableFileError) as caught:
        rm.read_model_text(paths, ALIKE)
    assert caught.value.details["got"] is None
    for name in FILES[1:]:
        without_identifier(getattr(paths, name))
    assert rm.read_model_text(paths, ALIKE).alpha.to_list() == [0.0, 0.5]


def test_text_without_its_links_is_refused(tmp_path):
    units = rm.FileUnits(DECIMALS, rm.DAY, VARIANCE)
    rm.write_model_text(ESTIMATORS[2].fit_available(PANEL), tmp_path, units).links.unlink()
    with pytest.raises(rm.UnreadableFileError):
        rm.read_model_text(rm.ModelPaths.in_folder(tmp_path), units)


@pytest.mark.parametrize("unit", [PERCENT, DECIMALS])
@pytest.mark.parametrize("form", [VOLATILITY, VARIANCE])
def test_the_total_risk_of_one_asset_is_compared_in_full_precision(tmp_path, unit, form):
    model = ESTIMATORS[0].fit_available(PANEL)
    units = rm.FileUnits(unit, rm.DAY, form)
    paths = attrs.evolve(rm.write_model_text(model, tmp_path, units), factors=None)
    same = rm.read_model_text(paths, units)
    assert bits(same._idio_variance) == bits(model._idio_variance)
    lines = paths.specific_risk.read_text().splitlines(True)
    asset, risk = lines[-1].strip().split(",")
    lines[-1] = f"{asset},{Decimal(risk) * (1 + Decimal('1e-11'))}\n"
    paths.specific_risk.write_text("".join(lines))
    with pytest.raises(rm.UnreadableFileError) as caught:
        rm.read_model_text(paths, units)
    assert caught.value.details["assets"] == [asset]


# -- Parquet -------------------------------------------------------------------------------------------


def test_the_schema_is_for_other_programs(tmp_path):
    model = ESTIMATORS[0].fit_available(PANEL)
    rm.write_model_parquet(model, tmp_path)
    table = pd.read_parquet(tmp_path / "exposures.parquet")
    wide = table.set_index(["asset", "factor"])["exposure"].unstack()  # noqa: PD010
    np.testing.assert_array_equal(wide.loc[model.assets, model.factors], model.loadings)
    schema = parquet.read_schema(tmp_path / "factor_covariance.parquet")
    assert schema.names == ["factor", "other_factor", "covariance"]
    assert schema.field("covariance").type == pa.float64()
    assert b'"version": 1' in schema.metadata[b"riskmodel"]


def test_factors_of_own_classes_are_given_to_parquet(tmp_path):
    model = given_model(["A"], [Mine(), "G"])
    rm.write_model_parquet(model, tmp_path)
    with pytest.raises(rm.InvalidParameterError) as caught:
        rm.read_model_parquet(tmp_path)
    assert caught.value.details["expected"] == ["mine", "G"]
    assert isinstance(rm.read_model_parquet(tmp_path, [Mine(), "G"]).definitions[0], Mine)


def rewritten(path, change):
    table = parquet.read_table(path)
    parquet.write_table(change(table), path)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (lambda t: t.replace_schema_metadata({b"riskmodel": b'{"version": 9}'}), rm.NewerFileError),
        (lambda t: t.replace_schema_metadata({}), rm.UnreadableFileError),
        (lambda t: t.replace_schema_metadata({b"riskmodel": b"{"}), rm.UnreadableFileError),
        (lambda t: t.rename_columns(["asset", "alpha", "idio"]), rm.UnreadableFileError),
        (lambda t: t.slice(1), rm.UnreadableFileError),
        (lambda t: t.set_column(1, "alpha", pa.array(["x"] * 4)), rm.UnreadableFileError),
    ],
)
def test_other_parquet_is_refused(tmp_path, change, error):
    rm.write_model_parquet(ESTIMATORS[0].fit_available(PANEL), tmp_path)
    rewritten(tmp_path / "assets.parquet", change)
    with pytest.raises(error):
        rm.read_model_parquet(tmp_path)


def test_tables_of_two_models_are_refused(tmp_path):
    rm.write_model_parquet(given_model(["A", "B"]), tmp_path)
    kept = (tmp_path / "assets.parquet").read_bytes()
    rm.write_model_parquet(given_model(["A", "C"]), tmp_path)
    (tmp_path / "assets.parquet").write_bytes(kept)
    with pytest.raises(rm.UnreadableFileError) as caught:
        rm.read_model_parquet(tmp_path)
    assert caught.value.details["path"].endswith("assets.parquet")


@pytest.mark.parametrize("name", FILES[:2] + FILES[3:])
def test_tables_of_two_models_that_say_the_same_are_refused(tmp_path, name):
    name = f"{name}.parquet"
    rm.write_model_parquet(alike(2.0), tmp_path)
    kept = (tmp_path / name).read_bytes()
    rm.write_model_parquet(alike(1.0), tmp_path)
    (tmp_path / name).write_bytes(kept)
    with pytest.raises(rm.UnreadableFileError) as caught:
        rm.read_model_parquet(tmp_path)
    assert str(tmp_path) in caught.value.details["path"]


@pytest.mark.parametrize(
    ("name", "column", "values"),
    [("assets", "alpha", [0.0, 5e-324]), ("assets", "asset", ["B", "A"]), ("factors", "mean", [-0.0])],
)
def test_parquet_that_keeps_its_identifier_must_give_it(tmp_path, name, column, values):
    rm.write_model_parquet(alike(1.0), tmp_path)
    path = tmp_path / f"{name}.parquet"
    rewritten(path, lambda t: t.set_column(t.column_names.index(column), column, pa.array(values)))
    with pytest.raises(rm.UnreadableFileError) as caught:
        rm.read_model_parquet(tmp_path)
    assert caught.value.details["path"] == str(tmp_path)


def test_the_same_model_has_the_same_files(tmp_path):
    for folder in ("a", "b"):
        rm.write_model_parquet(alike(1.0), tmp_path / folder)
        rm.write_model_text(alike(1.0), tmp_path / folder, ALIKE)
    for path in (tmp_path / "a").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes()
