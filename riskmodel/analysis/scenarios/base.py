"""The base class of scenarios."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, final

from riskmodel._core.arguments import require
from riskmodel._core.listing import Abstract
from riskmodel.analysis.holding import Holding
from riskmodel.analysis.scenarios.moves import Moves
from riskmodel.analysis.scenarios.outcome import ScenarioOutcome
from riskmodel.model.model import FactorModel


class Scenario(Abstract):
    """What happens to factors and assets (abstract: `Shocks`, `Replay`, `CovarianceStress`). One hook: `moves`.

    Attributes
    ----------
    name : str
        As tables print it.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData().panel(["MSFT", "JPM"], ["Mkt-RF"])
    >>> model = rm.OLS().fit(panel)
    >>> held = rm.Strategy({"MSFT": 0.6, "JPM": 0.4}, model)
    >>> scenario: rm.Scenario = rm.Shocks("market -10%", {"Mkt-RF": -0.1})
    >>> outcome = scenario.of(held)
    >>> round(outcome.pnl, 3), round(float(outcome.volatility), 3)
    (-0.126, 0.011)
    """

    if TYPE_CHECKING:  # at run time an abstract property would prevent fields of a frozen class

        @property
        def name(self) -> str:
            """As tables print it."""

    @abstractmethod
    def moves(self, model: FactorModel) -> Moves:
        """Return the factor returns and residuals of the scenario, and their uncertainty.

        Parameters
        ----------
        model : FactorModel
            Today's.
        """

    @final
    def of(self, holding: Any) -> ScenarioOutcome:
        """Return what the scenario does to a portfolio or a position.

        Parameters
        ----------
        holding : Portfolio or Position
            Of a portfolio, figures are returns; of a position, dollars.

        Raises
        ------
        UnknownAssetError, UnknownFactorError
            For shocks to what the portfolio's model does not have.
        """
        held = Holding.of(holding)
        moves = require(self.moves(held.portfolio.model), Moves, "the result of moves", "as Moves.none(...) makes")
        return ScenarioOutcome(self.name, held, moves)
