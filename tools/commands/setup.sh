#!/usr/bin/env bash
# setup                     installs every Debian package that any command here needs
source tools/lib.sh
mapfile -t groups < <(awk '!/^#/ && NF { print $1 }' tools/packages.txt | sort -u)
need "${groups[@]}"
say "All packages are installed."
