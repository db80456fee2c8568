"""Panels whose returns lie on a cluster (extra ``dask``)."""

from riskmodel.panel.dask.panel import DaskPanel

__all__ = ["DaskPanel"]
