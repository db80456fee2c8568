"""The positions that are held: their dollars, what a model covers of them, and what stands in for the rest."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import riskmodel as rm

NAMES = ["A", "B", "C", "D"]
SECTORS = pd.Series({"A": "tech", "B": "tech", "C": "oil", "NEW": "tech", "OIL": "oil"})


def model_of(assets=("A", "B", "C"), seed=0, horizon=rm.MONTH):
    rng = np.random.default_rng(seed)
    n = len(assets)
    root = rng.normal(0, 0.04, (2, 2))
    return rm.FactorModel.from_parameters(
        assets=list(assets), factors=["Mkt-RF", "SMB"], alpha=rng.normal(0, 0.01, n),
        loadings=rng.normal(1, 0.3, (n, 2)), factor_covariance=root @ root.T, factor_mean=[0.005, 0.001],
        idio_variance=rng.uniform(0.001, 0.01, n),
        horizon=horizon,
    )  # fmt: skip


positions = st.dictionaries(
    st.sampled_from([f"S{i}" for i in range(30)]),
    st.floats(-1e9, 1e9).filter(lambda x: x == 0 or abs(x) > 1e-3),
    min_size=1,
    max_size=20,
).filter(lambda held: any(held.values()))


class TestFigures:
    @given(positions)
    def test_dollars_add_up(self, held):
        book = rm.Book(held)
        sizes = np.abs(list(held.values()))
        assert book.gross == pytest.approx(sizes.sum())
        assert book.long - book.short == pytest.approx(book.net, abs=1e-9 * book.gross)
        assert book.long + book.short == pytest.approx(book.gross)
        assert book.n_names == np.count_nonzero(sizes)
        assert 1.0 / book.n_names - 1e-9 <= book.concentration <= 1.0 + 1e-9
        assert book.effective_names == pytest.approx(sizes.sum() ** 2 / (sizes**2).sum())
        assert (book.weights * book.capital).to_numpy() == pytest.approx(list(held.values()))
        assert book.top(len(held))["share_of_gross"].sum() == pytest.approx(1.0)
        assert book.top(len(held))["dollars"].abs().is_monotonic_decreasing

    @given(positions, st.floats(1e-3, 1e3))
    def test_shares_of_gross_do_not_depend_on_the_size(self, held, scale):
        book, larger = rm.Book(held), rm.Book({asset: scale * dollars for asset, dollars in held.items()})
        assert larger.concentration == pytest.approx(book.concentration)
        assert larger.gross == pytest.approx(scale * book.gross)

    def test_by_hand(self):
        book = rm.Book({"A": 6.0, "B": 0.0, "C": -2.0}, groups=SECTORS, nav=4.0, date="2024-03")
        assert (book.long, book.short, book.gross, book.net, book.leverage) == (6.0, 2.0, 8.0, 4.0, 2.0)
        assert (book.n_names, book.concentration, book.effective_names) == (2, 0.625, 1.6)
        assert book.date == pd.Timestamp("2024-03-31")
        assert book.weights.to_dict() == {"A": 1.5, "B": 0.0, "C": -0.5}
        assert book.summary()["largest_share"] == 0.75
        tech = book.by_group().loc["tech"]
        assert tech.to_dict() == {
            "long": 6.0, "short": 0.0, "gross": 6.0, "net": 6.0, "names": 1.0, "share_of_gross": 0.75
        }  # fmt: skip
        assert book.top(1).to_dict("index") == {"A": {"dollars": 6.0, "share_of_gross": 0.75, "group": "tech"}}

    def test_groups_add_up(self):
        book = rm.Book({"A": 5.0, "B": -3.0, "C": 4.0}, groups=SECTORS)
        table = book.by_group()
        assert table[["long", "short", "gross", "net", "names", "share_of_gross"]].sum().tolist() == [
            9.0, 3.0, 12.0, 6.0, 3.0, 1.0
        ]  # fmt: skip

    def test_what_the_caller_passed_is_not_changed(self):
        held = pd.Series({"A": 1.0, "B": 2.0})
        book = rm.Book(held)
        mine = book.dollars
        mine.iloc[0] = 9.0
        held.iloc[1] = 9.0
        assert book.dollars.to_dict() == {"A": 1.0, "B": 2.0}


class TestMaking:
    def test_shares_at_their_prices(self):
        book = rm.Book.of_shares({"A": 10, "B": -5}, {"B": 4.0, "A": 2.5, "C": -1.0})
        assert book.dollars.to_dict() == {"A": 25.0, "B": -20.0}

    def test_weights_of_a_nav(self):
        book = rm.Book.of_weights({"A": 1.2, "B": -0.4}, 5e6)
        assert book.dollars.to_dict() == pytest.approx({"A": 6e6, "B": -2e6})
        assert book.weights.to_dict() == pytest.approx({"A": 1.2, "B": -0.4})

    @pytest.mark.parametrize(
        ("make", "error", "details"),
        [
            (lambda: rm.Book({}), rm.InvalidParameterError, {"parameter": "dollars"}),
            (lambda: rm.Book({"A": 0.0}), rm.InvalidParameterError, {"parameter": "dollars"}),
            (lambda: rm.Book({"A": np.nan}), rm.InvalidParameterError, {"labels": ["A"]}),
            (lambda: rm.Book(pd.Series([1.0, 2.0], ["A", "A"])), rm.DuplicateLabelsError, {"labels": ["A"]}),
            (lambda: rm.Book({"A": 1.0}, nav=0.0), rm.InvalidParameterError, {"parameter": "nav", "got": 0.0}),
            (lambda: rm.Book({"Z": 1.0}, groups=SECTORS), rm.UnknownAssetError, {"missing": ["Z"]}),
            (lambda: rm.Book.of_shares({"A": 1}, {"B": 1.0}), rm.UnknownAssetError, {"missing": ["A"]}),
            (lambda: rm.Book.of_shares({"A": 1}, {"A": 0.0}), rm.InvalidParameterError, {"assets": ["A"]}),
            (lambda: rm.Book.of_weights({"A": 60, "B": 40}, 1e6), rm.InvalidParameterError, {"net": 100.0}),
            (lambda: rm.Book.of_weights({"A": 60, "B": -40.5}, 1e6), rm.InvalidParameterError, {"gross": 100.5}),
            (lambda: rm.Book({"A": 1.0}).leverage, rm.InvalidParameterError, {"parameter": "nav"}),
            (lambda: rm.Book({"A": 1.0}).by_group(), rm.InvalidParameterError, {"parameter": "groups"}),
            (lambda: rm.Book({"A": 1.0}).top(0), rm.InvalidParameterError, {"parameter": "n"}),
        ],
    )
    def test_bad_input(self, make, error, details):
        with pytest.raises(error) as caught:
            make()
        assert {name: caught.value.details[name] for name in details} == details


class TestThroughAModel:
    @pytest.mark.filterwarnings("ignore::riskmodel.errors.DoubtfulUnitWarning")  # of a NAV that is small for them
    @given(positions, st.sampled_from([None, 2e6]))
    def test_a_position_is_what_is_held(self, held, nav):
        model, book = model_of([f"S{i}" for i in range(30)]), rm.Book(held, nav=nav)
        position = book.position(model, rm.MONTH)
        every = pd.Series(held)
        assert position.holdings.to_dict() == pytest.approx(every[every != 0].to_dict())
        w = every.reindex(model.assets, fill_value=0.0).to_numpy()
        dense = model.covariance.to_dense().to_numpy()
        assert float(position.volatility) == pytest.approx(np.sqrt(w @ dense @ w))
        assert position.capital == (nav or book.gross)

    @given(positions, st.floats(0.01, 100.0))
    def test_use_of_limits_is_linear_in_the_size(self, held, scale):
        model = model_of([f"S{i}" for i in range(30)])
        budget = rm.RiskBudget(1e6, rm.MONTH, limits=[rm.GrossLimit(1e6), rm.NetLimit(1e6), rm.NameLimit(1e6)])
        one, other = (
            budget.utilisation(rm.Book({a: s * d for a, d in held.items()}).position(model, rm.MONTH))
            for s in (1.0, scale)
        )
        assert other.to_numpy() == pytest.approx(scale * one.to_numpy(), rel=1e-9, abs=1e-12)
        assert one.iloc[1:].tolist() == pytest.approx(
            [sum(map(abs, held.values())) / 1e6, abs(sum(held.values())) / 1e6, max(map(abs, held.values())) / 1e6],
            rel=1e-9,
            abs=1e-9,
        )

    def test_what_the_model_does_not_cover_is_refused(self):
        with pytest.raises(rm.UncoveredPositionsError) as caught:
            rm.Book({"A": 6.0, "NEW": -2.0, "FLAT": 0.0}).strategy(model_of())
        assert dict(caught.value.details) == {"missing": ["NEW"], "dollars": {"NEW": -2.0}, "share": 0.25}

    def test_a_position_of_zero_need_not_be_covered(self):
        assert rm.Book({"A": 6.0, "FLAT": 0.0}).strategy(model_of()).weights.to_dict() == {"A": 1.0}

    def test_a_group_stands_in(self):
        model = model_of()
        covered = rm.Book({"A": 6.0, "NEW": -2.0}).cover(model, rm.GroupProxies(SECTORS))
        own = covered.strategy.model
        assert own.loadings.loc["NEW"].to_numpy() == pytest.approx(model.loadings.loc[["A", "B"]].mean().to_numpy())
        assert own.idio_variance["NEW"] == pytest.approx(model.idio_variance[["A", "B"]].mean())
        assert own.alpha["NEW"] == 0.0
        assert own.prior.to_dict() == {"A": False, "B": False, "C": False, "NEW": True}
        assert covered.share == 0.25
        assert covered.uncovered.to_dict() == {"NEW": -2.0}
        assert covered.proxies.loc["NEW"].to_dict() == {
            "dollars": -2.0, "share_of_gross": 0.25, "peers": 2, "proxied_by": "A, B"
        }  # fmt: skip
        pd.testing.assert_frame_equal(own.loadings.loc[["A", "B", "C"]], model.loadings)

    def test_a_panel_has_the_returns_of_peers(self):
        panel = rm.SampleData(rm.MONTH).panel(["BusEq", "Hlth", "Enrgy"], ["Mkt-RF"], start="2000")
        panel = rm.ReturnPanel.align(
            panel.excess_returns.set_axis(["A", "B", "C"], axis=1), panel.factor_returns, panel.risk_free,
            horizon=rm.MONTH, return_type=rm.EXCESS,
        )  # fmt: skip
        model = rm.OLS().fit(panel)
        covered = rm.Book({"A": 6.0, "NEW": -2.0}).cover(model, rm.PeerProxies({"NEW": {"A": 0.25, "B": 0.75}}))
        r = panel.excess_returns
        own = covered.panel(panel)
        expected = 0.25 * r["A"] + 0.75 * r["B"]
        pd.testing.assert_series_equal(own.excess_returns["NEW"], expected, check_names=False)
        pd.testing.assert_frame_equal(own.excess_returns[list(panel.assets)], r)
        realised = covered.strategy.realised(own)
        assert float(realised) == pytest.approx((0.75 * r["A"] - 0.25 * expected).std(), rel=1e-12)
        with pytest.raises(rm.InvalidParameterError) as caught:
            covered.panel(own)
        assert caught.value.details["assets"] == ["NEW"]
        with pytest.raises(rm.UnknownAssetError):
            covered.panel(panel.select(["A", "C"]))

    def test_the_idio_risk_of_a_proxied_position_is_not_diversified(self):
        # naively: the position beside A, with the mean loadings and the mean idio variance of A and B
        model = model_of()
        b = np.vstack([model.loadings.loc["A"], model.loadings.loc[["A", "B"]].mean()])
        d = np.array([model.idio_variance["A"], model.idio_variance[["A", "B"]].mean()])
        w = np.array([0.75, -0.25])
        f = model.factor_covariance.to_numpy()
        with pytest.warns(rm.ProxiedPositionsWarning):
            strategy = rm.Book({"A": 6.0, "NEW": -2.0}).strategy(model, rm.PeerProxies({"NEW": ["A", "B"]}))
        assert float(strategy.volatility) == pytest.approx(np.sqrt(w @ b @ f @ b.T @ w + w**2 @ d))

    def test_the_book_says_the_group_where_the_caller_does_not(self):
        book = rm.Book({"A": 1.0, "NEW": 1.0}, groups={"A": "x", "NEW": "oil"})
        covered = book.cover(model_of(), rm.GroupProxies({"C": "oil"}))
        assert covered.proxies.loc["NEW", "proxied_by"] == "C"

    def test_a_group_without_covered_assets_does_not_stand_in(self):
        with pytest.raises(rm.UncoveredPositionsError) as caught:
            rm.Book({"A": 1.0, "NEW": 1.0, "X": 1.0}).cover(
                model_of(), rm.GroupProxies(SECTORS.replace({"oil": "gas"}).drop("NEW"))
            )
        assert caught.value.details["missing"] == ["NEW", "X"]

    def test_cash_is_left_out_and_said(self):
        book = rm.Book({"A": 3.0, "NEW": 1.0, "USD": 4.0})
        with pytest.warns(rm.ProxiedPositionsWarning) as said:
            position = book.position(model_of(), rm.MONTH, rm.LeftOutPositions(["USD"], rm.GroupProxies(SECTORS)))
        details = said[0].message.details
        assert details["share"] == 0.625
        assert details["proxied_by"] == {"NEW": "A, B", "USD": "left out"}
        assert position.holdings.to_dict() == pytest.approx({"A": 3.0, "NEW": 1.0})

    def test_a_covered_book_says_nothing(self):
        covered = rm.Book({"A": 1.0}).cover(model_of(), rm.GroupProxies(SECTORS))
        assert (covered.note, covered.share, len(covered.proxies)) == ("", 0.0, 0)

    def test_linked_idio_risk_stays(self):
        links = np.array([[0.02], [0.02], [0.0]])
        m = model_of()
        model = rm.FactorModel(
            m.assets, m.factors, m.alpha, m.loadings, m.factor_mean, m.factor_covariance, m.idio_variance, 0.0,
            rm.MONTH, m.definitions, links=links,
        )  # fmt: skip
        own = rm.Book({"A": 1.0, "NEW": 1.0}).cover(model, rm.GroupProxies(SECTORS)).strategy.model
        old, new = model.covariance.to_dense(), own.covariance.to_dense()
        pd.testing.assert_frame_equal(new.loc[["A", "B", "C"], ["A", "B", "C"]], old)
        systematic = own.loadings.loc["NEW"] @ own.factor_covariance @ own.loadings.loc["A"]
        assert new.loc["NEW", "A"] == pytest.approx(systematic)

    def test_a_class_of_the_callers_own(self):
        class LikeA(rm.Uncovered):
            def baskets(self, positions, groups, covered):
                return {asset: pd.Series({self.like: self.size}) for asset in positions.index}

        mine = LikeA()
        mine.like, mine.size = "A", 1.0
        assert rm.Book({"NEW": 1.0}).cover(model_of(), mine).proxies.loc["NEW", "proxied_by"] == "A"
        mine.size = 2.0
        with pytest.raises(rm.InvalidParameterError):
            rm.Book({"NEW": 1.0}).cover(model_of(), mine)
        mine.like, mine.size = "Z", 1.0
        with pytest.raises(rm.UnknownAssetError):
            rm.Book({"NEW": 1.0}).cover(model_of(), mine)

    @pytest.mark.parametrize(
        "make",
        [
            lambda: rm.PeerProxies({}),
            lambda: rm.PeerProxies({"NEW": []}),
            lambda: rm.PeerProxies({"NEW": {"A": 0.5, "B": 0.4}}),
            lambda: rm.PeerProxies({"NEW": {"A": 1.5, "B": -0.5}}),
            lambda: rm.GroupProxies({}),
            lambda: rm.LeftOutPositions(["USD"], otherwise="group"),
            lambda: rm.Book({"A": 1.0}).cover(model_of(), "group"),
            lambda: rm.Book({"A": 1.0}).cover("model"),
        ],
    )
    def test_bad_proxies(self, make):
        with pytest.raises(rm.InvalidParameterError):
            make()
