"""Plots of the examples: made without a display, saved as PNG in `examples/output`."""

from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

OUTPUT = Path(__file__).parent / "output"


def new_plot(title: str, xlabel: str, ylabel: str) -> Axes:
    axes = Figure(figsize=(6, 4), layout="constrained").subplots()
    axes.set(title=title, xlabel=xlabel, ylabel=ylabel)
    return axes


def save(axes: Axes, name: str) -> None:
    OUTPUT.mkdir(exist_ok=True)
    axes.figure.savefig(OUTPUT / f"{name}.png", dpi=120)
    print(f"plot: {OUTPUT.name}/{name}.png")
