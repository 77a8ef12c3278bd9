#!/usr/bin/env python3
"""The figures that `./dev bench --scale --json FILE` wrote, as curves over the number of peers in an SVG.

    python3 bench/scale_plot.py FILE.json > FILE.svg
"""

import math
import sys

from plot import FONT, MARGIN, OURS, WIDTH, digits, main
from xml.sax.saxutils import escape

COLUMNS, HEIGHT, GAP = 3, 128, 22           # of charts; pixels
SOFT, DARK, GOAL = "#656d76", "#1f2328", "#bf8700"
EXPONENTS = {10 ** n: f"10{'⁰¹²³⁴⁵⁶'[n]}" for n in range(7)}


def text(x, y, words, size=10, fill=SOFT, anchor="start", weight="normal"):
    return (f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" fill="{fill}" text-anchor="{anchor}" '
            f'font-weight="{weight}">{escape(words)}</text>')


def line(x1, y1, x2, y2, stroke, dashes=""):
    dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
    return (f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{stroke}" '
            f'stroke-width="1"{dashed}/>')


class Chart:
    """One row of the table: a curve over the logarithm of the number of peers, from zero up."""

    def __init__(self, row, x, y, width, most_peers):
        self.row, self.x, self.y, self.width = row, x, y, width
        self.points = sorted((int(count), value["median"])
                             for count, value in row["by_peers"].items()
                             if math.isfinite(value["median"]))
        self.goal = float(row["goal"].split()[1].replace(",", "")) if row["goal"] else None
        self.top = max([value for _, value in self.points] + [self.goal or 0]) * 1.1 or 1
        self.decades = max(math.log10(most_peers), 1)

    def place(self, count, value):
        return (self.x + self.width * math.log10(count) / self.decades,
                self.y + HEIGHT - (HEIGHT - 34) * value / self.top)

    def shapes(self):
        row, right = self.row, self.x + self.width
        yield text(self.x, self.y + 8, row["title"], size=11, fill=DARK, weight="600")
        yield text(self.x, self.y + 21, row["unit"] + (f", goal {row['goal']}" if row["goal"] else ""))
        yield line(self.x, self.y + HEIGHT, right, self.y + HEIGHT, "#d0d7de")
        for count, label in EXPONENTS.items():
            at = self.place(count, 0)[0]
            if at <= right + 1:
                yield text(at, self.y + HEIGHT + 13, label, size=9, anchor="middle")
        if self.goal is not None:
            level = self.place(1, self.goal)[1]
            yield line(self.x, level, right, level, GOAL, "4 3")
        if not self.points:
            return
        places = [self.place(*point) for point in self.points]
        yield (f'<polyline points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in places)}" fill="none" '
               f'stroke="{OURS}" stroke-width="2"/>')
        for (x, y), (_, value) in zip(places, self.points):
            yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.5" fill="{OURS}"/>'
            yield text(x, y - 5, digits(value), size=9, fill=DARK, anchor="middle")


def draw(report):
    rows = list(report["rows"].values())
    width = (WIDTH - 2 * MARGIN - (COLUMNS - 1) * 2 * GAP) / COLUMNS
    shapes = []
    for number, row in enumerate(rows):
        x = MARGIN + number % COLUMNS * (width + 2 * GAP)
        y = MARGIN + number // COLUMNS * (HEIGHT + 2 * GAP)
        shapes += Chart(row, x, y, width, max(report["peers"])).shapes()
    below = MARGIN + math.ceil(len(rows) / COLUMNS) * (HEIGHT + 2 * GAP)
    machine = report["machine"]
    shapes.append(text(MARGIN, below, f"by number of peers; {machine['cpu']}, {machine['cores']} cores, "
                       f"Linux {machine['kernel']}", size=11))
    height = below + MARGIN
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
            f'viewBox="0 0 {WIDTH} {height}" font-family="{FONT}">\n'
            f'<rect width="{WIDTH}" height="{height}" rx="6" fill="#ffffff" stroke="#d0d7de"/>\n'
            + "\n".join(shapes) + "\n</svg>\n")


if __name__ == "__main__":
    sys.exit(main(__doc__, draw))
