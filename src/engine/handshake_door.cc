#include "engine/handshake_door.h"

namespace ferrule::engine {

namespace {

constexpr io::Watch kOnce{.once = true};

class NobodyFollows final : public Lead {
 public:
  void pass() noexcept override {}
};

}  // namespace

HandshakeDoor::HandshakeDoor(Watcher watcher, const LaneParts& parts, std::size_t reader)
    : watcher_(watcher), intake_(parts.intake), inbound_(parts), reader_(reader) {}

Result<void> HandshakeDoor::open(const UdpDoor& door) {
  close();
  inbound_.set_udp(door.udp.get());
  for (const io::Waitable waitable : door.waitables) {
    if (!waitable) continue;
    if (Result<void> added = watcher_.poller.add(waitable, kOnce, watcher_.tag); !added) {
      close();
      return added;
    }
    waitables_.push_back(waitable);
  }
  state_ = State::listening;
  return {};
}

void HandshakeDoor::close() noexcept {
  for (const io::Waitable waitable : waitables_) watcher_.poller.remove(waitable);
  waitables_.clear();
  state_ = State::closed;
}

void HandshakeDoor::read(const Now& now) noexcept {
  if (state_ == State::closed || state_ == State::listening) return;
  state_ = State::silent;
  NobodyFollows lead;
  for (std::size_t i = 0; i < kBatchesAtOnce && !intake_.has_enough(); ++i) {
    const Pumped pumped = inbound_.pump(now, {scratch_, reader_}, lead);
    if (pumped == Pumped::broken) close();  // the inbox knows
    if (pumped != Pumped::some) return;
  }
}

void HandshakeDoor::listen() noexcept {
  if (state_ != State::silent) return;
  state_ = State::listening;
  for (const io::Waitable waitable : waitables_) {
    watcher_.poller.rearm(waitable, kOnce, watcher_.tag);
  }
}

}  // namespace ferrule::engine
