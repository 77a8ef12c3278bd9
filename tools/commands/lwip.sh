#!/usr/bin/env bash
# lwip                      fetches lwIP's sources (Debian's package), which builds then have in them
source tools/lib.sh
need package

folder=$PWD/build/lwip
[[ ! -d $folder ]] || { say "They are in $folder already."; exit 0; }
fetch_source lwip "$folder"
say "They are in $folder; the next build has \`--reach lwip'."
