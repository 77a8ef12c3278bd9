"""Polling with a deadline. No test sleeps to wait for something to happen."""

import os
import time

# Sanitizer builds are several times slower; the runner says by how much to stretch deadlines.
PATIENCE = float(os.environ.get("FERRULE_E2E_PATIENCE", "1"))


class Timeout(AssertionError):
    """Something that should have happened did not."""


def eventually(condition, what, timeout_s=10.0, every_s=0.02):
    """Calls `condition` until it returns something true, and returns that.

    A condition that raises AssertionError has not been met yet; its last words are reported when
    time runs out.
    """
    deadline = time.monotonic() + timeout_s * PATIENCE
    last_words = ""
    while True:
        try:
            result = condition()
            if result:
                return result
        except AssertionError as error:
            last_words = f" (last: {error})"
        if time.monotonic() >= deadline:
            raise Timeout(f"not within {timeout_s * PATIENCE:g} s: {what}{last_words}")
        time.sleep(every_s)


def stays_false(condition, what, for_s):
    """Watches for `for_s` seconds that `condition` never becomes true."""
    deadline = time.monotonic() + for_s
    while time.monotonic() < deadline:
        if condition():
            raise AssertionError(f"happened, and must not: {what}")
        time.sleep(0.05)
