#include "quick/expired.h"

#include <fmt/format.h>

namespace ferrule::quick {

namespace {

// A line of its own, and those that show the place.
std::string without_last_break(std::string text) {
  if (text.ends_with('\n')) text.pop_back();
  return text;
}

}  // namespace

Attempt<void> leave_out_expired(QuickFile& file, control::Date now, files::Listener& listener) {
  const control::PeerList& list = named_peers(file);
  if (!list.errors.empty()) return std::unexpected(Failure{"", list.errors});
  for (const control::ConfError& date : list.dates_of_nobody) {
    listener.say(without_last_break(date.to_string()));
  }
  for (const control::NamedPeer& peer : list.peers) {
    if (!peer.is_enabled || !peer.expires || *peer.expires > now) continue;
    const auto is_this = [&](const control::PeerConf& conf) {
      return conf.public_key == peer.conf.public_key;
    };
    if (std::erase_if(file.configuration.peers, is_this) == 0) continue;
    listener.say(fmt::format("{} expired on {}: left out", peer.name.empty() ? "A peer" : peer.name,
                             control::date_text(*peer.expires)));
  }
  return {};
}

}  // namespace ferrule::quick
