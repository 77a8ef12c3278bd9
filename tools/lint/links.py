"""Links between the documents lead somewhere."""

import os
import re

LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)\s]*)?\)")


def check(tree):
    """links in the documents lead to files that exist"""
    problems = []
    known = set(tree.paths)
    known |= {os.path.dirname(path) for path in tree.paths}
    for path in tree.matching(r"\.md$"):
        for match in LINK.finditer(tree.text(path)):
            if re.match(r"[a-z]+:", match[1]):
                continue
            target = os.path.normpath(os.path.join(os.path.dirname(path), match[1]))
            if target not in known:
                line = tree.text(path).count("\n", 0, match.start()) + 1
                problems.append(f"{path}:{line}: {match[1]} does not exist")
    return problems
