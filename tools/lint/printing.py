"""The rooms below the command line hand values over: what is printed, and in which colours, src/cli decides."""

import re

from tree import CPP, CPP_TEST, code_only, line_of

SILENT = r"^src/(client|files|quick|monitor|diagnosis)/.*" + CPP
PRINTING = (r"std::(?:cout|cerr|clog|print(?:ln)?)\b|fmt::print\b|\b(?:stdout|stderr)\b"
            r"|(?<![\w.>:])(?:std::|::)?(?:v?f?printf|f?puts|f?putc|putchar|perror)\("
            r"|(?<![\w.>:])(?:::)?write\((?:[12]|STD(?:OUT|ERR)_FILENO)\b"
            r"|\bOutput\s*[({](?:[12]|STD(?:OUT|ERR)_FILENO)\b|\bOutput \w+[({](?:[12]|STD(?:OUT|ERR)_FILENO)\b")
COLOUR = r"\\(?:x1[bB]|033|e)\["


def check(tree):
    """rooms below the command line print nothing and colour nothing"""
    problems = []
    for path in tree.matching(SILENT):
        if re.search(CPP_TEST, path):
            continue
        text = tree.text(path)
        code = code_only(text)
        for match in re.finditer(PRINTING, code):
            problems.append(f"{path}:{line_of(code, match.start())}: {match.group().strip()} prints: "
                            "return a value, or tell a files::Listener; src/cli prints")
        for match in re.finditer(COLOUR, text):
            problems.append(f"{path}:{line_of(text, match.start())}: a colour: src/cli chooses them")
    return problems
