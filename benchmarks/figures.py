"""Pictures of the table and of how cost grows, as SVG."""

from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt

MET, MISSED, TARGET = "#3b6ea8", "#d08a3e", "#222222"
COLOURS = {"one read": "#999999", "OLS, full": "#3b6ea8", "OLS, ragged": "#d08a3e"}
AXES = {"t": "dates T", "n": "assets N", "k": "factors K"}
# text stays text, and the file is the same for the same figures
STYLE = {"svg.fonttype": "none", "svg.hashsalt": "riskmodel", "font.family": "sans-serif", "font.size": 9}


def ratios(rows, path):
    """Draw what is faster than what it is held against, and by how much; the targets are ticks."""
    faster = [row for row in rows if row["faster"] and row["bound"] is not None][::-1]
    with mpl.rc_context(STYLE):
        figure, axes = plt.subplots(figsize=(9, 0.36 * len(faster) + 0.9), layout="constrained")
        for y, row in enumerate(faster):
            axes.barh(y, row["figure"] - 1, left=1, height=0.62, color=MET if row["met"] else MISSED)
            axes.plot([row["bound"]] * 2, [y - 0.42, y + 0.42], color=TARGET, linewidth=1.4)
            beyond = max(row["figure"], row["bound"])  # the bar and its tick
            said = f"{row['figure']:,.0f} ×" if row["figure"] >= 10 else f"{row['figure']:.1f} ×"
            axes.annotate(said, (beyond, y), (4, 0), textcoords="offset points", va="center")
        axes.set_yticks(range(len(faster)), [f"{row['work']}\nagainst {row['against']}" for row in faster], fontsize=7)
        axes.set(xscale="log", xlim=(1, 4 * max(row["figure"] for row in faster)))
        axes.set_xlabel("times faster (logarithmic); the tick is the target")
        finish(figure, path)


def growth(curves, path):
    """Draw milliseconds over dates, assets and factors, both axes logarithmic."""
    with mpl.rc_context(STYLE):
        figure, panels = plt.subplots(1, len(curves), figsize=(9, 3.2), sharey=True, layout="constrained")
        for axes, (axis, curve) in zip(panels, curves.items(), strict=True):
            for name, colour in COLOURS.items():
                axes.loglog(curve["sizes"], curve[name], marker="o", markersize=3, color=colour, label=name)
            axes.set_xlabel(AXES[axis])
            axes.grid(visible=True, which="major", color="#dddddd", linewidth=0.6)
        panels[0].set_ylabel("milliseconds")
        panels[0].legend(frameon=False)
        finish(figure, path)


def finish(figure, path):
    for axes in figure.axes:
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(Path(path), metadata={"Date": None}, facecolor="white")
    plt.close(figure)
