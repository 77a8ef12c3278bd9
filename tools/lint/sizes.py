"""Files and functions stay short enough to be read whole."""

import ast
import re

from tree import CPP, CPP_TEST, code_only, line_of

FILE_LINES, TEST_FILE_LINES, FUNCTION_LINES = 500, 800, 70

SCOPE = re.compile(r"(template\s*<.*>\s*)?((inline|export|typedef|static|constexpr)\s+)*"
                   r"(namespace|class|struct|union|enum|extern)\b", re.DOTALL)
BODY = re.compile(r"\b(const|noexcept|override|final|try|mutable)$")
INITIALIZERS = re.compile(r"\)[^;]*[^:]:[^:]")


def check_files(tree):
    """files have at most 500 lines, tests 800"""
    problems = []
    for path in tree.matching(r"\.(cc|h|py|sh)$"):
        limit = TEST_FILE_LINES if path.startswith("tests/") or re.search(CPP_TEST, path) \
            else FILE_LINES
        lines = tree.text(path).count("\n")
        if lines > limit:
            problems.append(f"{path}: {lines} lines, more than {limit}: split it")
    return problems


def check_functions(tree):
    """functions have at most 70 lines"""
    problems = []
    for path in tree.matching(CPP + r"|\.py$"):
        find = python_functions if path.endswith(".py") else cpp_functions
        for line, length in find(tree.text(path)):
            if length > FUNCTION_LINES:
                problems.append(f"{path}:{line}: a function of {length} lines, "
                                f"more than {FUNCTION_LINES}: split it")
    return problems


def python_functions(text):
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node.lineno, node.end_lineno - node.lineno + 1


def cpp_functions(text):
    """(first line, lines) of each function body: a brace at namespace or class level that follows
    a parameter list, and is neither an initializer nor the start of another scope."""
    code = re.sub(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", lambda m: "\n" * m[0].count("\n"),
                  code_only(text), flags=re.MULTILINE)
    open_braces = []   # (kind, position) from the outside in
    header_start = 0   # where the declaration began that the next brace may end
    for match in re.finditer(r"[{};]", code):
        position, sign = match.start(), match.group()
        in_scope = all(kind == "scope" for kind, _ in open_braces)
        if sign == "{":
            header = code[header_start:position].strip()
            kind = kind_of(header) if in_scope else "inner"
            open_braces.append((kind, position))
            if kind == "scope":
                header_start = position + 1
        elif sign == "}" and open_braces:
            kind, start = open_braces.pop()
            if kind == "function":
                yield line_of(code, start), line_of(code, position) - line_of(code, start) + 1
            if kind in ("function", "scope"):
                header_start = position + 1
        elif sign == ";" and in_scope:
            header_start = position + 1


def kind_of(header):
    header = re.sub(r"^((public|private|protected)\s*:\s*)+", "", header)
    header = re.sub(r"^(\[\[.*?\]\]\s*)+", "", header)
    if SCOPE.match(header) and not header.endswith(")"):
        return "scope"
    if "(" not in header or header.count("(") != header.count(")") or header.endswith("="):
        return "value"
    if INITIALIZERS.search(header) and re.search(r"[\w>]$", header) and not BODY.search(header):
        return "value"  # a member's initializer, `: size_{...`
    return "function"
