#!/usr/bin/env bash
# lwip                      fetches lwIP's sources (Debian's package), which builds then have in them
source tools/lib.sh
need package

# With lists of its own: whether the machine knows of source packages or not stays its owner's matter.
folder=$PWD/build/lwip
[[ ! -d $folder ]] || { say "They are in $folder already."; exit 0; }
work=$PWD/build/lwip.part
rm -rf "$work"
mkdir -p "$work/lists/partial"
cat >"$work/debian.sources" <<END
Types: deb-src
URIs: http://deb.debian.org/debian
Suites: bookworm
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
END
options=(-o "Dir::Etc::SourceList=$work/debian.sources" -o Dir::Etc::SourceParts=/dev/null
  -o "Dir::State::Lists=$work/lists" -o APT::Sandbox::User= -qq)
apt-get "${options[@]}" update >&2
# apt asks for the signatures of the lists, and for the sums in them.
(cd "$work" && apt-get "${options[@]}" source lwip >log 2>&1) ||
  { cat "$work/log" >&2; die "Could not fetch lwIP."; }
mv "$work"/lwip-*/ "$folder"
rm -rf "$work"
say "They are in $folder; the next build has \`--reach lwip'."
