"""The list of tests, and what each may run against.

    @behaviour                        one daemon, perhaps with a puppet as its peer
    @behaviour(peers=BOTH)            two daemons; the left one is under test
    @behaviour(peers=EVERY)           two daemons, and wireguard-go is tried in both roles
    @behaviour(unlike_go="reason")    wireguard-go is known to behave otherwise
"""

import dataclasses
from typing import Callable

SOLO, BOTH, EVERY = "solo", "both", "every"


class Skip(Exception):
    """The machine lacks something that this test needs."""


@dataclasses.dataclass(frozen=True)
class Behaviour:
    function: Callable
    peers: str
    deadline_s: float
    unlike_go: str | None

    @property
    def name(self):
        return self.function.__name__.removeprefix("test_")

    @property
    def module(self):
        return self.function.__module__.removeprefix("test_")


@dataclasses.dataclass(frozen=True)
class Case:
    """A behaviour with the implementations it runs against."""
    behaviour: Behaviour
    subject: str
    other: str | None

    @property
    def title(self):
        daemons = self.subject if self.other is None else f"{self.subject} - {self.other}"
        return f"{self.behaviour.module}.{self.behaviour.name} [{daemons}]"


BEHAVIOURS = []


def behaviour(function=None, *, peers=SOLO, deadline_s=60, unlike_go=None):
    def register(function):
        BEHAVIOURS.append(Behaviour(function, peers, deadline_s, unlike_go))
        return function
    return register(function) if function else register


def cases(subject, reference):
    """All cases, where `subject` is under test and `reference` stands for everyone else."""
    result = []
    for item in BEHAVIOURS:
        if item.peers == SOLO:
            result.append(Case(item, subject, None))
            continue
        result.append(Case(item, subject, subject))
        if subject == reference:
            continue
        result.append(Case(item, subject, reference))
        if item.peers == EVERY:
            result.append(Case(item, reference, subject))
    return result
