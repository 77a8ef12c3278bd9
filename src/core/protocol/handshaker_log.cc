// What the log is told of peers: handshakes, and what can't be sent (P78).
#include <array>
#include <exception>
#include <string>

#include "base/error.h"
#include "base/key_text.h"
#include "protocol/handshaker.h"

namespace ferrule::protocol {

void Handshaker::log_peer(const Peer& peer, std::string_view what, LogLevel level) const noexcept {
  if (!log_.wants(level)) return;
  std::array<char, kKeyBase64Size> key;
  key_to_base64(peer.public_key.bytes, key);
  const std::string_view text(key.data(), key.size());
  std::array<char, 192> line;
  std::size_t size = 0;
  for (const std::string_view part :
       {std::string_view("peer "), text.substr(0, 4), std::string_view("\u2026"),
        text.substr(39, 4), std::string_view(": "), what}) {
    size += part.copy(line.data() + size, line.size() - size);
  }
  log_.write(level, {line.data(), size});
}

// A line when it begins, and when it ends; not many of them, whatever begins and ends all the time.
void Handshaker::tell_outcome(const Now& now, Peer& peer) noexcept {
  Endpoint to;
  std::optional<int> error;
  std::optional<bool> loops;
  {
    PeerGuard guard(tables_.exclusion, peer.id);
    PeerTraffic& traffic = peer.traffic;
    to = traffic.endpoint;
    if (traffic.send_error != traffic.told_error) error = traffic.told_error = traffic.send_error;
    if (!traffic.is_loop_told()) loops = traffic.loop->told = traffic.loop->seen;
  }
  if (!error && !loops) return;
  try {
    const std::string attempted = "send to " + to.to_string();
    if (error && *error != 0) tell(now, peer, system_error(*error, attempted).what);
    if (error && *error == 0) tell(now, peer, attempted + ": works again");
    if (!loops) return;
    tell(now, peer,
         attempted + (*loops ? ": the route to the endpoint leads into the tunnel: dropped"
                             : ": the route to the endpoint leads into the tunnel no longer"));
  } catch (const std::exception&) {  // without memory: the line is what can be spared
  }
}

void Handshaker::tell(const Now& now, const Peer& peer, std::string_view what) noexcept {
  if (!told_since_ || now.boot - *told_since_ >= kTellInterval) {
    told_since_ = now.boot;
    told_ = 0;
  }
  if (told_ >= kTellsPerInterval) return;
  log_peer(peer, what, LogLevel::error);
  if (++told_ == kTellsPerInterval) {
    log_.write(LogLevel::error, "no more lines about what can't be sent for a minute");
  }
}

}  // namespace ferrule::protocol
