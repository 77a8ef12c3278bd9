#include "engine/handshake_door.h"

#include <utility>

namespace ferrule::engine {

namespace {

constexpr io::Watch kOnce{.once = true};

class NobodyFollows final : public Lead {
 public:
  void pass() noexcept override {}
};

}  // namespace

HandshakeDoor::HandshakeDoor(Watcher watcher, const LaneParts& parts, std::size_t reader)
    : watcher_(watcher), inbox_(parts.inbox), inbound_(parts), reader_(reader) {}

Result<void> HandshakeDoor::open(const UdpDoor& door) {
  close();
  inbound_.set_udp(door.udp.get());
  listening_ = true;
  has_come_ = false;
  for (const io::Waitable waitable : door.waitables) {
    if (!waitable) continue;
    if (Result<void> added = watcher_.poller.add(waitable, kOnce, watcher_.tag); !added) {
      close();
      return added;
    }
    waitables_.push_back(waitable);
  }
  return {};
}

void HandshakeDoor::close() noexcept {
  for (const io::Waitable waitable : waitables_) watcher_.poller.remove(waitable);
  waitables_.clear();
}

void HandshakeDoor::read(const Now& now) noexcept {
  if (waitables_.size() == 0 || (listening_ && !has_come_)) return;
  listening_ = false;
  has_come_ = false;
  NobodyFollows lead;
  for (std::size_t i = 0; i < kBatchesAtOnce && !inbox_.has_enough_handshakes(); ++i) {
    const Pumped pumped = inbound_.pump(now, {scratch_, reader_}, lead);
    if (pumped == Pumped::broken) close();  // the inbox knows
    if (pumped != Pumped::some) return;
  }
}

void HandshakeDoor::listen() noexcept {
  if (std::exchange(listening_, true)) return;
  for (const io::Waitable waitable : waitables_) {
    watcher_.poller.rearm(waitable, kOnce, watcher_.tag);
  }
}

}  // namespace ferrule::engine
