"""Rebuild the embedded sample from packages of the Python Package Index.

In an environment of its own::

    pip install --no-deps "skfolio==1.12.*" "arch==8.*" "linearmodels==7.*" && pip install pandas
    python riskmodel/data/_sample/build.py

The packages' data files are read where they were installed; the packages themselves are not imported. Files are
written beside this script, the same bytes every time.
"""

from __future__ import annotations

import gzip
from importlib.metadata import distribution
from pathlib import Path

import pandas as pd

HERE = Path(__file__).parent
MONTHLY_FACTORS = {"MktRF": "Mkt-RF", "SMB": "SMB", "HML": "HML", "Mom": "Mom", "RF": "RF"}


def source(package: str, path: str) -> pd.DataFrame:
    """Read a data file of an installed package, dates in the first column."""
    return pd.read_csv(Path(str(distribution(package).locate_file(path))), index_col=0)


def closes() -> pd.DataFrame:
    """Daily closes of 20 stocks and the index, from the last of 1999 (for the first return) to 2018-11."""
    stocks = source("skfolio", "skfolio/datasets/data/sp500_dataset.csv.gz")
    index = source("skfolio", "skfolio/datasets/data/sp500_index.csv.gz")["SP500"]
    return stocks.assign(SPX=index).loc["1999-12-31":"2018-11-30"].rename_axis("date")


def bills() -> pd.DataFrame:
    """Return the one-month Treasury bill rate by month, percent, 1999-12 to 2018-11."""
    rate = source("arch", "arch/data/frenchdata/frenchdata.csv.gz")[["RF"]]
    return rate.loc[199912:201811].rename_axis("month")


def portfolios() -> pd.DataFrame:
    """Monthly factors, bill rate, 12 industries and 18 sorted portfolios, decimals, 1949-01 to 2017-03."""
    table = source("linearmodels", "linearmodels/datasets/french/french.csv.bz2")
    table.index = pd.Index([day[:7] for day in table.index], name="month")
    return table.rename(columns=MONTHLY_FACTORS).round(6)  # the source has four decimals


def write(table: pd.DataFrame, name: str) -> None:
    """Write compressed CSV without a time stamp."""
    text = table.to_csv(lineterminator="\n").encode()
    (HERE / name).write_bytes(gzip.compress(text, compresslevel=9, mtime=0))


if __name__ == "__main__":
    write(closes(), "closes.csv.gz")
    write(bills(), "bills.csv.gz")
    write(portfolios(), "portfolios.csv.gz")
