"""A terminal's screen, as `tmux capture-pane -e` tells it, drawn as an SVG."""

import dataclasses
import re
import unicodedata
from xml.sax.saxutils import escape

COLUMN, ROW, MARGIN, BAR = 8.4, 18, 14, 30      # pixels
FONT = "ui-monospace,SFMono-Regular,Menlo,'DejaVu Sans Mono',Consolas,monospace"
PAPER, INK = "#0d1117", "#d0d7de"
BASIC = ["#484f58", "#ff7b72", "#7ee787", "#e3b341", "#79c0ff", "#d2a8ff", "#56d4dd", "#c9d1d9",
         "#8b949e", "#ffa198", "#aff5b4", "#f2cc60", "#a5d6ff", "#e2c5ff", "#b3f0ff", "#ffffff"]


@dataclasses.dataclass(frozen=True)
class Style:
    ink: str | None = None
    paper: str | None = None
    bold: bool = False
    dim: bool = False
    underlined: bool = False
    reversed: bool = False

    def colours(self):
        ink, paper = self.ink or INK, self.paper
        return (paper or PAPER, ink) if self.reversed else (ink, paper)


def palette(number):
    """A colour of the 256."""
    if number < 16:
        return BASIC[number]
    if number >= 232:
        return "#" + f"{8 + 10 * (number - 232):02x}" * 3
    levels = [0, 95, 135, 175, 215, 255]
    number -= 16
    return "#{:02x}{:02x}{:02x}".format(*(levels[number // n % 6] for n in (36, 6, 1)))


FLAGS = {1: {"bold": True}, 2: {"dim": True}, 4: {"underlined": True}, 7: {"reversed": True},
         22: {"bold": False, "dim": False}, 24: {"underlined": False}, 27: {"reversed": False},
         39: {"ink": None}, 49: {"paper": None}}


def restyled(style, codes):
    """The style after an escape sequence `CSI codes m`."""
    numbers = iter(int(code or 0) for code in re.split("[;:]", codes))
    for number in numbers:
        if number == 0:
            style = Style()
        elif number in FLAGS:
            style = dataclasses.replace(style, **FLAGS[number])
        elif number in (38, 48):
            colour = (palette(next(numbers)) if next(numbers) == 5
                      else "#{:02x}{:02x}{:02x}".format(*(next(numbers) for _ in range(3))))
            style = dataclasses.replace(style, **{"ink" if number == 38 else "paper": colour})
        elif 30 <= number % 60 <= 47 and number % 10 < 8:
            colour = BASIC[number % 10 + (8 if number >= 90 else 0)]
            part = "ink" if number // 10 in (3, 9) else "paper"
            style = dataclasses.replace(style, **{part: colour})
    return style


def runs(screen):
    """(row, column, style, text) of every piece of one style."""
    style = Style()
    for row, line in enumerate(screen):
        column = 0
        for piece in re.split(r"(\x1b\[[0-9;:]*m)", line.replace("\x0e", "").replace("\x0f", "")):
            if match := re.fullmatch(r"\x1b\[([0-9;:]*)m", piece):
                style = restyled(style, match[1])
            elif piece:
                yield row, column, style, piece
                column += width(piece)


def width(text):
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def piece(row, column, style, text):
    """One run: its background, and its words, each put at its column whatever the reader's font is."""
    ink, paper = style.colours()
    top = BAR + MARGIN + row * ROW
    if paper:
        yield (f'<rect x="{MARGIN + column * COLUMN:.1f}" y="{top}" '
               f'width="{width(text) * COLUMN:.1f}" height="{ROW}" fill="{paper}"/>')
    look = ' font-weight="bold"' * style.bold + ' opacity=".6"' * style.dim
    look += ' text-decoration="underline"' * style.underlined
    for word in re.finditer(r"\S+(?: \S+)*", text):
        at = MARGIN + (column + width(text[:word.start()])) * COLUMN
        yield (f'<text x="{at:.1f}" y="{top + 13}" fill="{ink}"{look} '
               f'textLength="{width(word[0]) * COLUMN:.1f}">{escape(word[0])}</text>')


def draw(screen, title, columns):
    """The text of an SVG file."""
    lines = [line.rstrip() for line in screen]
    while lines and not re.sub(r"\x1b\[[0-9;:]*m", "", lines[-1]).strip():
        lines.pop()
    wide, high = columns * COLUMN + 2 * MARGIN, len(lines) * ROW + 2 * MARGIN + BAR
    dots = "".join(f'<circle cx="{18 + 18 * i}" cy="{BAR / 2}" r="5.5" fill="{fill}"/>'
                   for i, fill in enumerate(("#ff7b72", "#e3b341", "#7ee787")))
    body = "\n".join(part for run in runs(lines) for part in piece(*run))
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide:.0f} {high}" width="{wide:.0f}" \
height="{high}" font-family="{FONT}" font-size="14">
<title>{escape(title)}</title>
<rect width="{wide:.0f}" height="{high}" rx="8" fill="{PAPER}"/>
{dots}<text x="{wide / 2:.0f}" y="20" fill="#8b949e" text-anchor="middle">{escape(title)}</text>
<g xml:space="preserve">
{body}
</g>
</svg>
"""
