"""Measure the peak memory of plan and apply from one million rows to thirty, print the curve, and draw it."""

import argparse
import json
import shutil
import tempfile
from pathlib import Path
from typing import Final

from measuring import FORMATS, MIGRATE, PLATFORMS, Data, measured, sink, target, what

_WIDTH: Final = 640
_HEIGHT: Final = 320
_MARGIN: Final = 48
_MOST: Final = 500
"""Megabytes that neither half may take."""
_COLOURS: Final = {"plan": "#1d4aff", "apply": "#f54e00"}

Curve = list[tuple[int, float]]


def curves(choices: argparse.Namespace, folder: Path, scratch: Path) -> dict[str, Curve]:
    """Return megabytes by rows, of plan and of apply."""
    found: dict[str, Curve] = {"plan": [], "apply": []}
    workdir = scratch / "workdir"
    for rows in choices.rows:
        data = Data(
            format=choices.format, rows=rows, files=choices.files, days=choices.days, seed=choices.seed
        )
        source = data.generated(folder)
        inputs = what(PLATFORMS[choices.format], source)
        plan = measured([MIGRATE, "plan", *inputs, "--workdir", workdir, "--quiet"])
        with sink() as url:
            apply = measured([MIGRATE, "apply", workdir, *target(url), "--quiet"])
        shutil.rmtree(workdir)
        halves = {"plan": plan, "apply": apply}
        for half, run in halves.items():
            found[half].append((rows, run.memory))
        took = [f"{half} {run.memory:>5.0f} MB {run.seconds:>7.1f} s" for half, run in halves.items()]
        print(f"{rows:>12,} rows   {'   '.join(took)}", flush=True)
        if not choices.keep:
            shutil.rmtree(source)
    return found


def drawn(found: dict[str, Curve], title: str) -> str:
    """Return the curves as an SVG picture; rows grow evenly from left to right, as megabytes do upwards."""
    most_rows = max(rows for curve in found.values() for rows, _ in curve)
    most = max(_MOST * 1.1, *(memory for curve in found.values() for _, memory in curve))

    def place(rows: float, memory: float) -> tuple[float, float]:
        across = _MARGIN + (_WIDTH - 2 * _MARGIN) * rows / most_rows
        return round(across, 1), round(_HEIGHT - _MARGIN - (_HEIGHT - 2 * _MARGIN) * memory / most, 1)

    shapes = [_text(_MARGIN, 24, title)]
    for memory in range(0, int(most) + 1, 100):
        (left, level), (right, _) = place(0, memory), place(most_rows, memory)
        colour = "#c00" if memory == _MOST else "#ddd"
        shapes += [
            f'<path d="M{left} {level}H{right}" stroke="{colour}"/>',
            _text(8, level + 4, f"{memory} MB"),
        ]
    for half, curve in found.items():
        points = [place(rows, memory) for rows, memory in curve]
        line = " ".join(f"{x},{y}" for x, y in points)
        shapes.append(f'<polyline points="{line}" fill="none" stroke="{_COLOURS[half]}" stroke-width="2"/>')
        shapes += [f'<circle cx="{x}" cy="{y}" r="3" fill="{_COLOURS[half]}"/>' for x, y in points]
        shapes.append(_text(points[-1][0] - 40, points[-1][1] - 8, half))
    for rows, _ in next(iter(found.values())):
        shapes.append(_text(place(rows, 0)[0] - 12, _HEIGHT - _MARGIN + 18, f"{rows / 1e6:g} M"))
    size = f'width="{_WIDTH}" height="{_HEIGHT}"'
    inside = "\n".join(shapes)
    font = 'font-family="sans-serif" font-size="12"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} {font}>\n{inside}\n</svg>\n'


def _text(across: float, down: float, text: str) -> str:
    return f'<text x="{across}" y="{down}">{text}</text>'


def main() -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--format", choices=FORMATS, default="jsonl")
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000_000, 3_000_000, 10_000_000])
    parser.add_argument("--files", type=int, default=4)
    parser.add_argument("--days", type=int, default=90)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--data", type=Path, help="folder for generated files (default: a temporary one)")
    parser.add_argument("--keep", action="store_true", help="leave generated files there")
    parser.add_argument("--svg", type=Path, help="draw the curves into this file")
    parser.add_argument("--json", action="store_true", help="print the curves as JSON too")
    choices = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="migrate-memory-") as temporary:
        scratch = Path(temporary)
        found = curves(choices, choices.data or scratch, scratch)
    for half, curve in found.items():
        print(f"{half}: x{curve[-1][1] / curve[0][1]:.2f} from {curve[0][0]:,} to {curve[-1][0]:,} rows")
    if choices.json:
        print(json.dumps(found))
    if choices.svg:
        choices.svg.write_text(drawn(found, f"Peak memory by rows ({choices.format})"))


if __name__ == "__main__":
    main()
