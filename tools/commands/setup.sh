#!/usr/bin/env bash
# setup                     installs every Debian package that the commands here need
source tools/lib.sh
mapfile -t groups < <(awk '!/^#/ && NF && $1 !~ /^(arm64|cross)/ { print $1 }' tools/packages.txt | sort -u)
need "${groups[@]}"
say "All packages are installed."
