"""Two million rows from a real PostgreSQL: `WRDS.panel` beside the client's own `raw_sql` of the same rows.

Run with ``python benchmarks/wrds.py`` where the extra ``test-wrds`` is installed. It starts a server of its own.
Time is the better of three runs; memory is what numpy and Python hold at the peak (tracemalloc), in panels. `raw_sql`
stops at the long frame; the panel goes on to be wide, checked and aligned with its factors.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
import tracemalloc
from pathlib import Path

import pandas as pd

import riskmodel as rm

# in the place of this folder, whose wrds is this script and not the client
sys.path[0] = str(Path(__file__).resolve().parents[1] / "tests")

N_PERMNOS, N_DAYS = 1_000, 2_000
FIRST = 10_001

_FILL = """
CREATE SCHEMA crsp; CREATE SCHEMA ff;
CREATE TABLE crsp.dsf_v2 ({dsf_v2});
CREATE TABLE crsp.stocknames_v2 ({stocknames_v2});
CREATE TABLE ff.factors_daily ({factors});
CREATE TEMP TABLE days AS
    SELECT d::date AS day FROM generate_series('2015-01-01'::date, '2024-12-31'::date, '1 day') d
    WHERE extract(isodow FROM d) < 6 ORDER BY d LIMIT {n_days};
INSERT INTO crsp.dsf_v2 (permno, permco, dlycaldt, dlyret, dlyretx, dlyretmissflg, dlyprc, dlycap, dlyvol, shrout)
    SELECT p, p, day, round((random() * 0.08 - 0.04)::numeric, 6), 0.001, 'NA', 25.5, 1e6, 12345, 40000
    FROM days, generate_series({first}, {first} + {n_permnos} - 1) p ORDER BY p, day;
CREATE INDEX ON crsp.dsf_v2 (permno, dlycaldt);
INSERT INTO crsp.stocknames_v2 (permno, permco, namedt, nameenddt, ticker, issuernm)
    SELECT p, p, '2015-01-01', '2024-12-31', 'T' || p, 'COMPANY ' || p
    FROM generate_series({first}, {first} + {n_permnos} - 1) p;
INSERT INTO ff.factors_daily (date, mktrf, smb, hml, rf, umd)
    SELECT day, round((random() * 0.03 - 0.015)::numeric, 6), 0.001, 0.001, 0.0001, 0.001 FROM days;
"""


def fill(server) -> None:
    """Make the tables."""
    from crsp_market import SCHEMAS

    with contextlib.closing(server.connect()) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE DATABASE wrds")
    with contextlib.closing(server.connect("wrds")) as connection, connection.cursor() as cursor:
        cursor.execute(
            _FILL.format(
                dsf_v2=SCHEMAS["crsp.dsf_v2"],
                stocknames_v2=SCHEMAS["crsp.stocknames_v2"],
                factors=SCHEMAS["ff.factors_daily"],
                n_days=N_DAYS,
                n_permnos=N_PERMNOS,
                first=FIRST,
            )
        )
        cursor.execute("VACUUM ANALYZE crsp.dsf_v2")


def client():
    """The client itself, with its chatter put away."""
    import wrds

    with contextlib.redirect_stdout(None):
        return wrds.Connection(
            wrds_hostname=os.environ["PGHOST"],
            wrds_port=int(os.environ["PGPORT"]),
            wrds_connect_args={"sslmode": os.environ["PGSSLMODE"], "user": os.environ["PGUSER"]},
        )


def raw_sql(connection) -> pd.DataFrame:
    """The same rows through the client."""
    return connection.raw_sql(
        "SELECT permno, dlycaldt, dlyret FROM crsp.dsf_v2 WHERE permno IN %(permnos)s",
        params={"permnos": tuple(range(FIRST, FIRST + N_PERMNOS))},
        date_cols=["dlycaldt"],
    )


def panel(data) -> rm.ReturnPanel:
    """The panel of the same rows."""
    return data.panel(list(range(FIRST, FIRST + N_PERMNOS)), ["Mkt-RF"])


def best_seconds(work, n_runs: int = 3) -> float:
    """The shortest of a few runs."""
    times = []
    for _ in range(n_runs):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def peak_bytes(work) -> int:
    """The most that was held at once beyond what was there before."""
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    result = work()
    peak = tracemalloc.get_traced_memory()[1] - before
    tracemalloc.stop()
    del result
    return peak


def main() -> None:
    """Measure, and print the figures as JSON."""
    from postgres import postgres

    with postgres() as server:
        fill(server)
        password = server.admin_password
        os.environ.update(server.environment(server.admin, password, "wrds"))
        data = rm.WRDS()
        connection = client()
        made = panel(data)
        size = made.arrays()[0].nbytes
        figures = {
            "server": str(server),
            "rows": N_PERMNOS * N_DAYS,
            "panel_megabytes": round(size / 1e6, 1),
            "panel_seconds": round(best_seconds(lambda: panel(data)), 2),
            "raw_sql_seconds": round(best_seconds(lambda: raw_sql(connection)), 2),
            "panel_peak_in_panels": round(peak_bytes(lambda: panel(data)) / size, 2),
            "raw_sql_peak_in_panels": round(peak_bytes(lambda: raw_sql(connection)) / size, 2),
        }
        figures["time_ratio"] = round(figures["panel_seconds"] / figures["raw_sql_seconds"], 2)
        connection.close()
        data.close()
    print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
