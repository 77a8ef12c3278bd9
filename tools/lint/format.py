"""What formatters and linters of others decide."""

import re
import shutil
import subprocess

from tree import CPP, Skip


def check_cpp(tree):
    """C++ is formatted as clang-format 19 does it"""
    output = run(tree, ["clang-format-19", "--dry-run", "--Werror"], tree.matching(CPP))
    files = sorted(set(re.findall(r"^(\S+?):\d+:\d+: error:", output, re.MULTILINE)))
    return [f"{path}: not formatted: ./dev fmt {path}" for path in files]


def check_shell(tree):
    """shellcheck has no complaint about the shell scripts"""
    scripts = [p for p in tree.matching(r"(\.sh|^dev|^\.ci/run)$")]
    output = run(tree, ["shellcheck", "--format=gcc", "--exclude=SC1091"], scripts)
    return output.splitlines()


def run(tree, command, files):
    if not shutil.which(command[0]):
        raise Skip(f"{command[0]} is not installed")
    if not files:
        return ""
    return subprocess.run([*command, *files], cwd=tree.root, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False).stdout
