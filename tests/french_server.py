"""A French library on the loopback: files in its exact format, made here, served over real HTTP."""

from __future__ import annotations

import io
import threading
import zipfile
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version

import numpy as np
import pandas as pd
import servers

VINTAGE = "202407"
FACTOR_HEADER = (
    f"This file was created by CMPT_ME_BEME_RETS_DAILY using the {VINTAGE} CRSP database.\r\n"
    "The Tbill return is the simple daily rate that, over the number of trading days\r\n"
    "compounds to 1-month TBill rate. The 1-month TBill rate data until 202405 are from Ibbotson Associates."
)
PORTFOLIO_HEADER = (
    f"This file was created by CMPT_IND_RETS using the {VINTAGE} CRSP database.\r\n"
    "It contains value- and equal-weighted returns for industry portfolios.\r\n\r\n"
    "The portfolios are constructed at the end of June.\r\n\r\n"
    "Missing data are indicated by -99.99 or -999."
)
COPYRIGHT = "Copyright 2024 Eugene F. Fama and Kenneth R. French"


def numbers(index, columns, seed=0, decimals=2):
    """Percent, as they are printed in a file."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(rng.normal(0, 1, (len(index), len(columns))).round(decimals), index, columns)
    if "RF" in columns:
        frame["RF"] = np.full(len(index), 0.021)
    return frame


def rows(frame, form="%Y%m%d", decimals=2):
    """The lines of a table: a header, then one a date."""
    lines = ["," + ",".join(frame.columns)]
    for date, row in frame.iterrows():
        cells = [f"{x:8.{3 if name == 'RF' else decimals}f}" for name, x in row.items()]
        lines.append(",".join([date.strftime(form), *cells]))
    return "\r\n".join(lines)


def factor_file(frame, form="%Y%m%d", annual=None):
    parts = [FACTOR_HEADER, rows(frame, form)]
    if annual is not None:
        parts.append(" Annual Factors: January-December \r\n" + rows(annual, "%Y"))
    return "\r\n\r\n".join([*parts, COPYRIGHT]) + "\r\n"


def portfolio_file(tables):
    """Several tables, each below its caption, separated as the library does."""
    body = "\r\n\r\n\r\n".join(f"  {caption}\r\n{text}" for caption, text in tables)
    return f"{PORTFOLIO_HEADER}\r\n\r\n\r\n{body}\r\n\r\n{COPYRIGHT}\r\n"


def zipped(text, name="file.CSV"):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, text)
    return buffer.getvalue()


class Library:
    """Serves `files` by name; `requests` counts what was asked for."""

    def __init__(self):
        self.files: dict[str, bytes] = {}
        self.answers: dict[str, int] = {}
        self.requests: list[str] = []
        library = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                library._answer(self)

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()
        servers.used["French library"] = f"pandas-datareader {version('pandas-datareader')} on HTTP on the loopback"

    @property
    def url(self):
        return f"http://127.0.0.1:{self._server.server_port}/ftp/"

    def publish(self, name, text):
        self.files[name] = zipped(text, f"{name}.CSV") if isinstance(text, str) else text

    @contextmanager
    def trickling(self):
        """The address of a server that answers with a byte at a time, and never ends until it is left."""
        ended = threading.Event()

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.send_header("Content-Length", "1000000")
                self.end_headers()
                while not ended.wait(0.02):
                    self.wfile.write(b"P")
                    self.wfile.flush()

            def log_message(self, *_):
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            ended.set()
            server.shutdown()
            server.server_close()
            thread.join()

    def _answer(self, handler):
        name = handler.path.removeprefix("/ftp/").removesuffix("_CSV.zip")
        self.requests.append(name)
        status = self.answers.get(name, 200 if name in self.files else 404)
        content = self.files[name] if status == 200 else b"<html><body>not here</body></html>"
        handler.send_response(status)
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content)

    def close(self):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


DAYS = pd.bdate_range("1963-06-03", periods=60)
WEEKS = pd.date_range("1963-06-07", periods=60, freq="W-FRI")
MONTHS = pd.date_range("1963-01-31", periods=60, freq="ME")
YEARS = pd.date_range("1963-12-31", periods=40, freq="YE")
INDUSTRIES = ["Agric", "Food ", "Soda "]
SETS = {
    "F-F_Research_Data_Factors": ["Mkt-RF", "SMB", "HML", "RF"],
    "F-F_Research_Data_5_Factors_2x3": ["Mkt-RF", "SMB", "HML", "RMW", "CMA", "RF"],
    "F-F_Momentum_Factor": ["Mom   "],
    "F-F_ST_Reversal_Factor": ["ST_Rev"],
    "F-F_LT_Reversal_Factor": ["LT_Rev"],
}


def published(library):
    """Fill a library with all sets that the default uses, and with portfolios; return what is in them, in percent."""
    there = {}
    for seed, (name, columns) in enumerate(SETS.items()):
        # the sets begin at different dates, as theirs do
        there[name, "day"] = numbers(DAYS[5 * seed :], columns, seed)
        there[name, "month"] = numbers(MONTHS[3 * seed :], columns, seed + 10)
        annual = numbers(YEARS, columns, seed + 20)
        library.publish(f"{name}_daily", factor_file(there[name, "day"]))
        library.publish(name, factor_file(there[name, "month"], "%Y%m", annual))
    weekly = numbers(WEEKS, SETS["F-F_Research_Data_Factors"], 30)
    there["F-F_Research_Data_Factors", "week"] = weekly
    library.publish("F-F_Research_Data_Factors_weekly", factor_file(weekly))
    for horizon, index, form, name in (
        ("day", DAYS, "%Y%m%d", "49_Industry_Portfolios_daily"),
        ("month", MONTHS, "%Y%m", "49_Industry_Portfolios"),
    ):
        value, equal = numbers(index, INDUSTRIES, 40), numbers(index, INDUSTRIES, 41)
        value.iloc[:4, 2], value.iloc[10, 1] = -99.99, -999.0
        there["49", horizon], there["49 equal", horizon] = value, equal
        word = "Daily" if horizon == "day" else "Monthly"
        tables = [
            (f"Average Value Weighted Returns -- {word}", rows(value, form)),
            (f"Average Equal Weighted Returns -- {word}", rows(equal, form)),
        ]
        if horizon == "month":
            firms = numbers(index, INDUSTRIES, 42).abs().round() + 3
            tables += [
                ("Average Value Weighted Returns -- Annual", rows(numbers(YEARS, INDUSTRIES, 43), "%Y")),
                ("Average Equal Weighted Returns -- Annual", rows(numbers(YEARS, INDUSTRIES, 44), "%Y")),
                ("Number of Firms in Portfolios", rows(firms, form, 0)),
                ("Average Firm Size", rows(100 * firms, form)),
            ]
        library.publish(name, portfolio_file(tables))
    return there
