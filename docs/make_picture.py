"""Draw docs/images/report.png, the picture in the README, from the demo report.

Needs Jinja2 and a Chromium-like browser: ``python docs/make_picture.py``.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import riskmodel as rm
from riskmodel.report import html
from riskmodel.report.document import Document

PICTURE = Path(__file__).parent / "images" / "report.png"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
WIDTH, HEIGHT, SCALE = 1000, 750, 2
SHOWN = ("against", "Tracking", "variance", "Cumulated")

# What the README needs of the page: four pictures without heading and captions, at its width.
STYLE = """
header { display: none; } main { padding: 1rem; }
figure { padding: 0.7rem 0.9rem 0.3rem; flex-basis: calc(50% - 1.25rem) !important; }
figcaption { display: none; } .chart { height: 17.5rem !important; }
"""


def demo() -> rm.RiskReport:
    """Report on one stock, hedged fully and to a factor share of a fifth."""
    panel = rm.SampleData().panel(["MSFT"], ["Mkt-RF"])
    msft = rm.Strategy({"MSFT": 1.0}, rm.OLS().fit(panel))
    return rm.RiskReport.of(msft, panel, rm.RiskBudget(1_000_000, rm.MONTH), cap=0.2)


def gallery(report: rm.RiskReport) -> str:
    """Write a page with the four pictures that tell the story."""
    pictures = report.pictures()
    chosen = tuple(next(p for p in pictures if word in p.heading) for word in SHOWN)
    page = html.render(Document("riskmodel report", pictures=chosen))
    return page.replace("</head>", f"<style>{STYLE}</style>\n</head>", 1)


def browser() -> str:
    """Find a browser that draws without a window."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        sys.exit(f"a browser is needed to draw the picture, but none of {', '.join(BROWSERS)} was found on the PATH.")
    return found


def draw(source: Path, target: Path) -> None:
    """Have the browser open a page and save what it shows."""
    with tempfile.TemporaryDirectory() as profile:
        subprocess.run(
            [
                browser(),
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-background-networking",
                "--no-first-run",
                "--hide-scrollbars",
                f"--user-data-dir={profile}",
                f"--window-size={WIDTH},{HEIGHT}",
                f"--force-device-scale-factor={SCALE}",
                "--virtual-time-budget=10000",
                f"--screenshot={target.resolve()}",
                source.resolve().as_uri(),
            ],
            check=True,
            capture_output=True,
        )


def main() -> None:
    """Draw the picture."""
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "report.html"
        source.write_text(gallery(demo()), encoding="utf-8")
        draw(source, PICTURE)
    print(f"wrote {PICTURE}")


if __name__ == "__main__":
    main()
