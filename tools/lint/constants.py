"""Every number of the protocol stands in protocol/constants.h, with its name. 1s and 1ns are units
and no numbers of the protocol."""

import re

from tree import CPP, CPP_TEST, code_only, line_of

DURATION = re.compile(r"\b(?!1n?s)[1-9][0-9']*(?:h|min|s|ms|us|ns)\b"
                      r"|\b(?:seconds|milliseconds|nanoseconds|minutes|hours)[({][1-9]")


def check(tree):
    """spans of time stand in protocol/constants.h only"""
    problems = []
    for path in tree.matching("^src/core/protocol/.*" + CPP):
        if path.endswith("/constants.h") or re.search(CPP_TEST, path):
            continue
        code = code_only(tree.text(path))
        for match in DURATION.finditer(code):
            problems.append(f"{path}:{line_of(code, match.start())}: {match.group()}: give it a "
                            "name in protocol/constants.h")
    return problems
