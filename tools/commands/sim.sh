#!/usr/bin/env bash
# sim [OPTION...]           devices in a simulated world, seed by seed (./dev sim --help)
# needs: tests/sim/main.cc
source tools/lib.sh
build release >&2
exec build/release/ferrule_sim "$@"
