// What became of messages that were handed to the system (P75, P78).
#include "protocol/data_path.h"

namespace ferrule::protocol {

void DataPath::sent(PeerId id, std::uint64_t bytes, int error, Attention& attention) noexcept {
  Peer* peer = tables_.peers.find(id);
  if (peer == nullptr) return;
  PeerGuard guard(tables_.exclusion, id);
  peer->traffic.tx_bytes += bytes;
  if (error != 0 || bytes != 0) peer->traffic.send_error = error;
  raise_attention(*peer, attention);
}

void DataPath::source_refused(PeerId id, const Source& refused, SourceUse left) {
  Peer* peer = tables_.peers.find(id);
  if (peer == nullptr) return;
  PeerGuard guard(tables_.exclusion, id);
  if (peer->traffic.source() != refused) return;
  peer->traffic.by_routes = false;
  peer->traffic.use_source(left);
}

}  // namespace ferrule::protocol
