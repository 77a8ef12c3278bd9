// What became of messages that were handed to the system (P75, P78).
#include <exception>
#include <string>

#include "base/key_text.h"
#include "protocol/device.h"

namespace ferrule::protocol {

void Device::sent(PeerId id, std::uint64_t bytes, int error, Attention& attention) noexcept {
  Peer* peer = peers_.find(id);
  if (peer == nullptr) return;
  PeerGuard guard(exclusion_, id);
  peer->traffic.tx_bytes += bytes;
  if (error != 0 || bytes != 0) peer->traffic.send_error = error;
  raise_attention(*peer, attention);
}

void Device::source_refused(PeerId id, const Source& refused, SourceUse left) {
  Peer* peer = peers_.find(id);
  if (peer == nullptr) return;
  PeerGuard guard(exclusion_, id);
  if (peer->traffic.source() != refused) return;
  peer->traffic.by_routes = false;
  peer->traffic.use_source(left);
}

// A line when it begins, and when it ends; not many of them, whatever begins and ends all the time.
void Device::tell_outcome(const Now& now, Peer& peer) noexcept {
  Endpoint to;
  std::optional<int> error;
  std::optional<bool> loops;
  {
    PeerGuard guard(exclusion_, peer.id);
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

void Device::tell(const Now& now, const Peer& peer, std::string_view what) noexcept {
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
