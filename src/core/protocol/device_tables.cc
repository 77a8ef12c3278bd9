#include "protocol/device_tables.h"

namespace ferrule::protocol {

void DeviceTables::expire_staged(const Now& now, Peer& peer) noexcept {
  drops.count(Drop::staged_expired, staging.expire(now.boot, peer));
}

void DeviceTables::drop_staged(Peer& peer, Drop why) noexcept {
  drops.count(why, staging.drop_all(peer));
}

}  // namespace ferrule::protocol
