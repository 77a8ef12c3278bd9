#!/usr/bin/env bash
# build [PRESET]            builds release (or dev, tsan, fuzz, aarch64) in build/PRESET
source tools/lib.sh
build "${1:-release}"
