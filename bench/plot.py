#!/usr/bin/env python3
"""The figures that `./dev bench --json FILE` wrote, as bars in an SVG.

    python3 bench/plot.py FILE.json > FILE.svg
"""

import json
import sys
from xml.sax.saxutils import escape

# What is drawn, of what was measured: (row, title, whether more is better).
ROWS = [
    ("tcp1", "TCP, 1 stream", True), ("tcp4", "TCP, 4 streams", True),
    ("reverse", "TCP, reverse", True), ("both", "TCP, both ways", True),
    ("udp1372", "UDP, 1372 bytes", True), ("udp64", "UDP, 64 bytes", True),
    ("handshakes", "handshakes", True), ("rtt50", "round trip, idle", False),
    ("load50", "round trip, under load", False), ("cpu", "CPU time", False),
    ("rss_peak", "memory at its peak", False),
]
NOT_WIREGUARD = {"plain veth", "relay"}
COLOURS = ["#8b949e", "#bf8700", "#8250df", "#1a7f37", "#cf222e"]
OURS = "#0969da"
FONT = "system-ui,-apple-system,'Segoe UI','DejaVu Sans',sans-serif"
WIDTH, LABELS, VALUES = 760, 190, 130       # pixels
BAR, GAP, LINE, MARGIN = 13, 14, 22, 18


def digits(value):
    """Three of them."""
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


class Drawing:
    """Shapes, from the top down."""

    def __init__(self):
        self.y = MARGIN
        self.shapes = []

    def text(self, x, words, y=None, size=12, fill="#1f2328", anchor="start", weight="normal"):
        self.shapes.append(f'<text x="{x:.0f}" y="{(y or self.y) + size * 0.85:.1f}" font-size="{size}" '
                           f'fill="{fill}" text-anchor="{anchor}" font-weight="{weight}">'
                           f'{escape(words)}</text>')

    def bar(self, x, width, fill):
        self.shapes.append(f'<rect x="{x}" y="{self.y:.0f}" width="{max(width, 1):.1f}" '
                           f'height="{BAR - 2}" rx="2" fill="{fill}"/>')

    def svg(self):
        height = self.y + MARGIN
        return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
                f'viewBox="0 0 {WIDTH} {height}" font-family="{FONT}">\n'
                f'<rect width="{WIDTH}" height="{height}" rx="6" fill="#ffffff" stroke="#d0d7de"/>\n'
                + "\n".join(self.shapes) + "\n</svg>\n")


def align(lines):
    """A table as text: two columns of words, the others of numbers."""
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    return "\n".join("  ".join(cell.ljust(width) if i < 2 else cell.rjust(width)
                               for i, (cell, width) in enumerate(zip(line, widths))).rstrip()
                     for line in lines)


def draw(report):
    """The SVG of a report. Bars of a row are as long as their share of the row's longest."""
    rows = [(title, more, report["rows"][row], report["units"].get(row, ""))
            for row, title, more in ROWS if row in report["rows"]]
    names = [name for name in dict.fromkeys(name for *_, values, _ in rows for name in values)
             if name not in NOT_WIREGUARD]
    others = [name for name in names if name != "ferrule"]
    colours = {name: COLOURS[i % len(COLOURS)] for i, name in enumerate(others)} | {"ferrule": OURS}

    drawing = Drawing()
    legend(drawing, names, colours)
    for better in (True, False):
        of_kind = [row for row in rows if row[1] == better]
        if of_kind:
            drawing.text(MARGIN, "more is better" if better else "less is better", size=11,
                         fill="#656d76")
            drawing.y += LINE
        for title, _, values, unit in of_kind:
            bars(drawing, f"{title}, {unit}", {n: values[n]["median"] for n in names if n in values},
                 colours)
    machine = report["machine"]
    avx512 = "" if report.get("avx512", True) else ", without AVX-512"
    drawing.text(MARGIN, f"{machine['cpu']}{avx512}, {machine['cores']} cores, "
                 f"Linux {machine['kernel']}", size=11, fill="#656d76")
    drawing.y += LINE - GAP
    return drawing.svg()


def legend(drawing, names, colours):
    x = MARGIN
    for name in names:
        drawing.bar(x, BAR, colours[name])
        drawing.text(x + BAR + 6, name, weight="600" if name == "ferrule" else "normal")
        x += BAR + 26 + 7 * len(name)
    drawing.y += LINE + 6


def bars(drawing, title, values, colours):
    if not values:
        return
    longest = max(values.values()) or 1
    middle = drawing.y + (len(values) * BAR - 12) / 2
    drawing.text(LABELS, title, y=middle, size=11, anchor="end")
    for name, value in values.items():
        width = (WIDTH - LABELS - VALUES) * value / longest
        drawing.bar(LABELS + 10, width, colours[name])
        drawing.text(LABELS + 16 + width, digits(value), y=drawing.y - 1, size=11)
        drawing.y += BAR
    drawing.y += GAP


def write_files(report, options, draw_report):
    """Where --json and --svg say."""
    if options.json:
        with open(options.json, "w") as file:
            json.dump(report, file, indent=2)
            file.write("\n")
    if options.svg:
        with open(options.svg, "w") as file:
            file.write(draw_report(report))


def main(usage, draw_report):
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        print(usage.strip(), file=sys.stderr)
        return 2
    with open(sys.argv[1]) as file:
        sys.stdout.write(draw_report(json.load(file)))
    return 0


if __name__ == "__main__":
    sys.exit(main(__doc__, draw))
