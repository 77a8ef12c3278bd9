#include "protocol/drop.h"

namespace ferrule::protocol {

std::string_view name_of(Drop drop) noexcept {
  static constexpr std::array<std::string_view, kDropCount> kNames = {
      "none",
      "malformed",
      "device_down",
      "bad_mac1",
      "queue_full",
      "source_queue_full",
      "cookie_required",
      "rate_limited",
      "no_identity",
      "bad_handshake",
      "unknown_peer",
      "replayed_initiation",
      "initiation_flood",
      "unknown_handshake",
      "bad_cookie_reply",
      "no_resources",
      "unknown_index",
      "expired_keypair",
      "counter_limit",
      "bad_tag",
      "replayed_counter",
      "peer_removed",
      "inner_version",
      "inner_header",
      "inner_length",
      "inner_source",
      "outbound_header",
      "no_route",
      "no_endpoint",
      "endpoint_loop",
      "staged_overflow",
      "staged_expired",
      "send_failed",
      "tun_write_failed",
  };
  static_assert(!kNames.back().empty(), "a Drop without a name");
  return kNames[static_cast<std::size_t>(drop)];
}

}  // namespace ferrule::protocol
