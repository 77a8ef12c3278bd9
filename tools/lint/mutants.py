"""The deliberate mistakes of tests/mutants keep up with the sources."""

TABLE = "tests/mutants/mutations.py"


def check(tree):
    """each mutant's text stands once in its file"""
    if TABLE not in tree.paths:
        return []
    table = {"__name__": TABLE}
    exec(compile(tree.text(TABLE), TABLE, "exec"), table)       # a table of ours, and nothing else
    return [f"{TABLE}: {mutation.name}: its text stands {count} times in {mutation.file}"
            for mutation in table["MUTATIONS"]
            if (count := tree.text(mutation.file).count(mutation.text)) != 1]
