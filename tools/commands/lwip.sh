#!/usr/bin/env bash
# lwip                      fetches lwIP's sources (Debian's package), which builds then have in them
source tools/lib.sh
need package

# From where the machine takes its packages, but in lists of its own: whether it knows of source packages
# or not stays its owner's matter.
folder=$PWD/build/lwip
[[ ! -d $folder ]] || { say "They are in $folder already."; exit 0; }
work=$PWD/build/lwip.part
rm -rf "$work"
mkdir -p "$work/lists/partial" "$work/sources"
for source in /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources; do
  [[ -f $source ]] || continue
  sed -e 's/^Types:.*/Types: deb-src/' -e 's/^deb\s/deb-src /' "$source" >"$work/sources/$(basename "$source")"
done
[[ ! -f $work/sources/sources.list ]] || mv "$work/sources/sources.list" "$work/sources/machine.list"
options=(-o Dir::Etc::SourceList=/dev/null -o "Dir::Etc::SourceParts=$work/sources"
  -o "Dir::State::Lists=$work/lists" -o APT::Sandbox::User= -qq)
apt-get "${options[@]}" update >&2
# apt asks for the signatures of the lists, and for the sums in them.
(cd "$work" && apt-get "${options[@]}" source lwip >log 2>&1) ||
  { cat "$work/log" >&2; die "Could not fetch lwIP."; }
mv "$work"/lwip-*/ "$folder"
rm -rf "$work"
say "They are in $folder; the next build has \`--reach lwip'."
