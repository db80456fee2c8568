"""Models of returns that lie on a cluster (extra ``dask``)."""

from riskmodel.distributed.panel import DaskPanel

__all__ = ["DaskPanel"]
