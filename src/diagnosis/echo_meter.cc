#include "diagnosis/echo_meter.h"

#include <algorithm>

namespace ferrule::diagnosis {

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds kReplyTimeout{400};
constexpr unsigned kTriesOfASize = 2;
constexpr std::size_t kLeastMtuV4 = 576;
constexpr std::uint64_t kFirstWindow = 8;  // requests under way
constexpr std::uint64_t kMaxWindow = 512;
constexpr milliseconds kLostAfter{
    250};  // when none has come for so long, what was under way is lost

}  // namespace

std::optional<double> EchoMeter::round_trip_ms(milliseconds patience) {
  const std::uint16_t sequence = ++sequence_;
  const auto sent_at = Clock::now();
  if (!socket_.send(target_, sequence, least_echo_bytes(target_.family()))) return std::nullopt;
  if (!comes_back(sequence, patience)) return std::nullopt;
  return std::chrono::duration<double, std::milli>(Clock::now() - sent_at).count();
}

// Answers to earlier requests may come first.
bool EchoMeter::comes_back(std::uint16_t sequence, milliseconds patience) {
  const auto until = Clock::now() + patience;
  for (auto now = Clock::now(); now < until; now = Clock::now()) {
    const auto left = std::chrono::ceil<milliseconds>(until - now).count();
    for (const EchoAnswer& answer : socket_.receive(static_cast<int>(left))) {
      if (answer.is_reply && answer.sequence == sequence && answer.from == target_) return true;
    }
  }
  return false;
}

bool EchoMeter::is_echoed(std::size_t bytes) {
  for (unsigned i = 0; i < kTriesOfASize; ++i) {
    const std::uint16_t sequence = ++sequence_;
    if (!socket_.send(target_, sequence, bytes)) return false;
    if (comes_back(sequence, kReplyTimeout)) return true;
  }
  return false;
}

std::uint32_t EchoMeter::largest_packet(std::uint32_t most_bytes) {
  if (is_echoed(most_bytes)) return most_bytes;
  std::size_t good = least_echo_bytes(target_.family());
  std::size_t bad = most_bytes;
  if (kLeastMtuV4 < bad && is_echoed(kLeastMtuV4)) good = kLeastMtuV4;
  while (bad - good > 1) {
    const std::size_t middle = good + (bad - good) / 2;
    (is_echoed(middle) ? good : bad) = middle;
  }
  return static_cast<std::uint32_t>(good);
}

EchoThroughput EchoMeter::throughput(std::size_t packet_bytes, milliseconds time,
                                     std::uint64_t most_bytes) {
  EchoThroughput measured;
  std::uint64_t window = kFirstWindow;
  std::uint64_t under_way = 0;
  const auto start = Clock::now();
  auto heard_at = start;
  for (auto now = start; now - start < time; now = Clock::now()) {
    for (; under_way < window && measured.sent_bytes + packet_bytes <= most_bytes; ++under_way) {
      if (!socket_.send(target_, ++sequence_, packet_bytes))
        break;  // the interface's queue is full
      measured.sent_bytes += packet_bytes;
    }
    const std::size_t came = socket_.receive(under_way > 0 ? 10 : 1).size();
    if (came > 0) {
      heard_at = Clock::now();
      measured.back_bytes += came * packet_bytes;
      under_way -= std::min<std::uint64_t>(under_way, came);
      window = std::min(kMaxWindow, window + came);
    } else if (Clock::now() - heard_at > kLostAfter) {
      if (measured.sent_bytes + packet_bytes > most_bytes) break;
      under_way = 0;
      window = std::max<std::uint64_t>(1, window / 2);
      heard_at = Clock::now();
    }
  }
  measured.seconds = std::chrono::duration<double>(Clock::now() - start).count();
  return measured;
}

}  // namespace ferrule::diagnosis
