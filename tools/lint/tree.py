"""The files that the checks look at, and C++ text without what only people read."""

import os
import re
import subprocess


class Skip(Exception):
    """The machine lacks something that a check needs."""


class Tree:
    """The project's files by relative path: on disk, or given as text (for the checks' own tests)."""

    def __init__(self, root=None, files=None):
        self.root = root
        self._texts = dict(files or {})
        self.paths = sorted(self._texts) if files is not None else list_files(root)

    def matching(self, pattern):
        return [path for path in self.paths if re.search(pattern, path)]

    def text(self, path):
        if path not in self._texts:
            with open(os.path.join(self.root, path), encoding="utf-8", errors="replace") as file:
                self._texts[path] = file.read()
        return self._texts[path]


def list_files(root):
    """Every file that git tracks, or would once added; without git, every file outside build/."""
    try:
        listing = subprocess.run(
            ["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others",
             "--exclude-standard"],
            cwd=root, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True).stdout
        paths = {path.decode() for path in listing.split(b"\0") if path}
    except (OSError, subprocess.CalledProcessError):
        paths = set()
        for folder, folders, names in os.walk(root):
            folders[:] = [f for f in folders if f not in ("build", "__pycache__", ".git")]
            paths |= {os.path.relpath(os.path.join(folder, name), root) for name in names}
    return sorted(path for path in paths if os.path.isfile(os.path.join(root, path)))


CPP = r"\.(cc|h)$"
CPP_TEST = r"_test(ing)?\.(cc|h)$"

_NOT_CODE = re.compile(
    r"""//[^\n]*
      | /\*.*?\*/
      | R"(?P<mark>[^\s()\\]*)\(.*?\)(?P=mark)"
      | "(?:\\.|[^"\\\n])*"
      | (?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'
    """, re.DOTALL | re.VERBOSE)


def code_only(text):
    """The text with comments and the content of literals left out. Line numbers stay."""
    def replace(match):
        lines = "\n" * match.group().count("\n")
        return lines if match.group().startswith("/") else '""' + lines
    return _NOT_CODE.sub(replace, text)


def line_of(text, position):
    return text.count("\n", 0, position) + 1
