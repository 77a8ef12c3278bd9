#!/usr/bin/env bash
# container                 the image of packaging/container, built and tried as a tunnel (as root)
# needs: packaging
source tools/lib.sh
(($# == 0)) || { say "usage: ./dev container" && exit 2; }
((EUID == 0)) || die "An image is built and run by root here."
need container
mkdir -p build/container
# What is mounted and unmounted goes with this namespace; images are build/container's.
exec unshare --mount bash tools/try_image.sh
