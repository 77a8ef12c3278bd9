"""The core reads no clock, draws no randomness, opens no socket and takes no lock: it is told the
time, given an Rng, and called by whoever holds what must be held."""

import re

from tree import CPP, CPP_TEST, code_only, line_of

PURE = r"^src/core/(base|crypto|packet|protocol|tunnel)/.*" + CPP
CALL = r"(?<![\w.>:])(?:std::|::)?"  # neither a member nor the end of another name
FORBIDDEN = {
    "a clock": r"clock_gettime|gettimeofday|timespec_get"
               r"|(?:system|steady|high_resolution|file|utc)_clock|" + CALL + r"(?:time|clock)\(",
    "randomness": r"/dev/u?random|random_device|mt19937|RAND_(?:priv_)?bytes|randombytes_\w+|"
                  + CALL + r"(?:s?rand|random|getrandom|getentropy|arc4random\w*)\(",
    "a socket": CALL + r"(?:socket|socketpair|connect|bind|send(?:to|m?msg)|recv(?:from|m?msg))\(",
    "a thread or lock": r"std::(?:\w*mutex|j?thread|condition_variable\w*|\w+_lock|lock_guard)\b"
                        r"|pthread_\w+",
}
# The core's one door to a system, in a folder a system.
EXEMPT = r"^src/core/crypto/(linux|bsd|windows)/random\.cc$"


def check(tree):
    """the core is pure: no clock, randomness, socket or lock"""
    problems = []
    for path in tree.matching(PURE):
        if re.search(CPP_TEST, path):
            continue
        code = code_only(tree.text(path))
        for what, pattern in FORBIDDEN.items():
            if what == "randomness" and re.search(EXEMPT, path):
                continue
            for match in re.finditer(pattern, code):
                problems.append(f"{path}:{line_of(code, match.start())}: {what} in the core: "
                                f"{match.group().strip()}; let the caller pass it in")
    return problems
