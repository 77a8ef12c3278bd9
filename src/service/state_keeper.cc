#include "service/state_keeper.h"

#include <algorithm>
#include <utility>

#include "protocol/constants.h"
#include "protocol/noise.h"

namespace ferrule::service {

namespace {

using protocol::PeerMemory;
using protocol::Timestamp;

std::size_t append(std::vector<std::uint8_t>& bytes, Bytes more) {
  bytes.insert(bytes.end(), more.begin(), more.end());
  return more.size();
}

// Now, or when the clock went back as far as stamps have gone.
Timestamp stamp_of(const Now& now, const std::optional<Timestamp>& floor) {
  const Timestamp stamp = protocol::make_timestamp(now.wall);
  return floor ? std::max(stamp, *floor) : stamp;
}

}  // namespace

StateKeeper::StateKeeper(Result<std::unique_ptr<io::KeptFile>> file, Log& log, const Now& now)
    : log_(log) {
  if (file) {
    name_ = (*file)->name();
    file_.emplace(std::move(*file));
    read(now);
    if (state_) reserve(now);
  } else {
    tell(file.error());
  }
}

void StateKeeper::read(const Now& now) {
  Result<std::optional<std::vector<std::uint8_t>>> bytes = file_->read(control::max_state_size());
  if (!bytes) return tell(bytes.error());
  if (!*bytes) return;
  std::expected<control::State, control::StateFault> state = control::read_state(**bytes);
  if (!state) {
    return log_.write_parts(LogLevel::error,
                            {"the state file ", name_, " is ignored: ", state.error()});
  }
  Segments<PeerMemory>& peers = state->memory.peers;
  erase_if(peers, [&](const PeerMemory& peer) {
    return now.wall.seconds - peer.seen_s > kForgetUnclaimedAfter_s;
  });
  // The peer has given its session up by now, too.
  if (now.wall.seconds - state->written_s > protocol::kRejectAfterTime / 1s) {
    for (PeerMemory& peer : peers) peer.had_session = false;
  }
  state_ = std::move(*state);
}

// Before any stamp is sent: whatever happens until the next file, none will be greater than this one
// says. Here, at the start, there is nobody yet whom the disk could keep waiting.
void StateKeeper::reserve(const Now& now) {
  control::State state;
  state.written_s = now.wall.seconds;
  state.memory.identity = state_->memory.identity;
  const Timestamp from = stamp_of(now, state_->memory.reserved);
  state.memory.reserved = protocol::timestamp_after(from, kStampsAhead_s);
  std::vector<std::uint8_t> bytes;
  append(bytes, control::state_header(state));
  for (const PeerMemory& peer : state_->memory.peers) append(bytes, control::state_record(peer));
  Result<void> written = file_->begin();
  if (written) written = file_->append(bytes);
  if (written) written = file_->finish();
  if (!written) return tell(written.error());
  limit_ = protocol::timestamp_after(from, kStampsOfTheClockAhead_s);
}

void StateKeeper::tell(const Error& error) {
  if (told_ == error.what) return;
  told_ = error.what;
  log_.write_parts(LogLevel::error, {"no state is kept: ", error.what});
}

void StateKeeper::fill(protocol::Device& device) {
  if (limit_) device.reserve_stamps(*limit_);
  if (state_) device.remember(std::move(state_->memory));
  state_.reset();
}

void StateKeeper::start(std::function<void()> wake) {
  if (!file_) return;
  Result<void> started = writer_.start(std::move(*file_), std::move(wake));
  file_.reset();
  if (!started) return tell(started.error());
  started_ = true;
}

bool StateKeeper::is_due(const protocol::Device& device) const noexcept {
  return started_ && !writing_ && device.memory_changes() != written_changes_;
}

std::optional<Instant> StateKeeper::next_deadline(const protocol::Device& device) const noexcept {
  if (!is_due(device)) return std::nullopt;
  return not_before_;
}

void StateKeeper::work(const Now& now, protocol::Device& device) {
  if (device.remembers_another() && !std::exchange(foreign_told_, true)) {
    log_.write_parts(LogLevel::error,
                     {"the state file ", name_, " is ignored: it is of another private key"});
  }
  hear_outcome(now, device);
  if (is_due(device) && now.boot >= not_before_) (void)begin(now, device, false);
  if (writing_ && !writing_->given && writer_.takes_more()) give_chunk(now, device);
}

bool StateKeeper::begin(const Now& now, protocol::Device& device, bool is_end) {
  const std::optional<protocol::DeviceMemory::Identity> identity = device.memory_identity();
  if (!identity) {
    not_before_ = now.boot + kStateWriteEvery;
    return false;
  }
  Writing writing;
  writing.changes = device.memory_changes();
  control::State state;
  state.written_s = now.wall.seconds;
  state.memory.identity = *identity;
  const Timestamp from = stamp_of(now, device.stamp_floor());
  // A device that ends sends none after this.
  state.memory.reserved = is_end ? from : protocol::timestamp_after(from, kStampsAhead_s);
  writing.limit = protocol::timestamp_after(from, kStampsOfTheClockAhead_s);
  append(writing.header, control::state_header(state));
  writing_ = std::move(writing);
  return true;
}

void StateKeeper::give_chunk(const Now& now, const protocol::Device& device) {
  std::vector<std::uint8_t> chunk;
  chunk.reserve(control::kStateHeaderSize + kStatePeersATurn * control::kStateRecordSize);
  Writing& writing = *writing_;
  append(chunk, std::exchange(writing.header, {}));
  const bool more =
      device.visit_memory(now, writing.cursor, kStatePeersATurn, [&](const PeerMemory& peer) {
        if (writing.records++ < protocol::kMaxPeers) append(chunk, control::state_record(peer));
      });
  writing.bytes += chunk.size();
  writing.given = !more;
  writer_.give(std::move(chunk), !more);
}

void StateKeeper::hear_outcome(const Now& now, protocol::Device& device) {
  std::optional<Result<void>> outcome = writer_.outcome();
  if (!outcome || !writing_) return;
  const Writing writing = *std::exchange(writing_, std::nullopt);
  if (!*outcome) {
    not_before_ = now.boot + kStateRetryAfter;
    return tell(outcome->error());
  }
  told_.clear();
  written_changes_ = writing.changes;
  device.reserve_stamps(writing.limit);
  const Duration cost = 1s * static_cast<std::int64_t>(writing.bytes / kStateBytesPerSecond);
  not_before_ = now.boot + std::max(kStateWriteEvery, cost);
}

void StateKeeper::finish(const Now& now, protocol::Device& device) {
  if (!started_) return;
  const auto end = std::chrono::steady_clock::now() + kStateLastWriteWithin;
  const auto left = [end] { return end - std::chrono::steady_clock::now(); };
  // One that is half handed over goes first.
  for (bool last = false; left() > Duration::zero();) {
    hear_outcome(now, device);
    if (!writing_ && std::exchange(last, true)) return;
    if (!writing_ && !begin(now, device, true)) return;
    if (!writing_->given && writer_.takes_more()) {
      give_chunk(now, device);
    } else {
      writer_.wait(left());
    }
  }
}

}  // namespace ferrule::service
