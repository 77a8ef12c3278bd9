#include "quick/follow.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <thread>
#include <utility>
#include <vector>

#include "files/lock.h"
#include "files/resolve.h"
#include "io/linux/interface_monitor.h"
#include "io/linux/kernel_query.h"
#include "quick/child.h"

namespace ferrule::quick {

namespace {

using namespace std::chrono_literals;

constexpr Seconds kLongestPause = 600s;
// A name that was not found when the interface came up, or a peer that has never answered.
constexpr Seconds kFirstSilence = 15s;
constexpr Seconds kHastyPause = 1s;
constexpr Seconds kLongestHastyPause = 20s;
constexpr Seconds kLockPatience = 60s;
constexpr auto kLockPause = 100ms;

// Only one of us follows the names of an interface, in a network namespace. One that is to end because its
// interface is gone may still be waiting for a name server.
Result<io::UniqueFd> try_lock(const std::string& interface) {
  struct stat space{};
  (void)stat("/proc/self/ns/net", &space);
  return files::take_lock(fmt::format("resolve-{}-{}", space.st_ino, interface),
                          files::Patience::none);
}

Result<io::UniqueFd> lock(const std::string& interface) {
  auto fd = try_lock(interface);
  for (auto waited = 0ms; waited < kLockPatience; waited += kLockPause) {
    if (fd || fd.error().code != EWOULDBLOCK) break;
    std::this_thread::sleep_for(kLockPause);
    fd = try_lock(interface);
  }
  return fd;
}

// The address after this one, of the other family if there is one: where a name has both, one of them
// may lead nowhere.
Endpoint next_of(const std::vector<Endpoint>& all, const Endpoint& current) {
  const auto at = std::ranges::find(all, current);
  const auto other_family = std::ranges::find_if(all, [&](const Endpoint& endpoint) {
    return endpoint.address.family() != current.address.family();
  });
  if (other_family != all.end()) return *other_family;
  return at + 1 == all.end() ? all.front() : *(at + 1);
}

}  // namespace

// An edited file may have other names; one that can't be read leaves us with those that we have.
void Follower::read_again() {
  struct stat status;
  if (stat(file_.path.c_str(), &status) != 0) return;
  const timespec& at = status.st_mtim;
  if (at.tv_sec == read_at_.tv_sec && at.tv_nsec == read_at_.tv_nsec) return;
  const bool is_first = read_at_.tv_sec == 0;
  read_at_ = at;
  if (is_first) return;
  if (auto file = read_file_()) file_ = std::move(*file);
}

// The first wait is as long as the silence that we look for; then waits grow. Nobody waits for a peer of
// which no address is known.
bool Follower::is_due(const protocol::PeerStatus& peer) {
  const auto now = std::chrono::steady_clock::now();
  const bool is_nowhere = peer.endpoint.is_none();
  const bool is_new_here = peer.last_handshake.seconds == 0;
  if (is_new_here) is_hasty_ = true;
  const Seconds first = is_nowhere    ? 0s
                        : is_new_here ? std::min(kFirstSilence, silence_)
                                      : silence_;
  const auto [entry, is_new] = paces_.try_emplace(peer.public_key, Pace{now + first});
  Pace& pace = entry->second;
  if (is_new) pace.sent_bytes = peer.tx_bytes;
  if (is_new && is_new_here) pace.pause = std::max(first, kHastyPause);
  if ((is_new && !is_nowhere) || now < pace.next_try) return false;
  pace.next_try = now + pace.pause;
  pace.pause = std::min(2 * pace.pause, is_nowhere ? kLongestHastyPause : kLongestPause);
  return true;
}

// Looking up a name takes its time: the peer may have come back, or been told where it is, meanwhile.
bool Follower::is_still(const protocol::PeerStatus& peer) {
  const auto device = devices_.get(file_.interface);
  if (!device) return false;
  const auto now =
      std::ranges::find(device->peers, peer.public_key, &protocol::PeerStatus::public_key);
  return now != device->peers.end() && now->endpoint == peer.endpoint &&
         now->last_handshake == peer.last_handshake;
}

void Follower::look_up_again(const protocol::PeerStatus& peer, const control::HostPort& name) {
  const auto found = files::look_up(name);
  if (!found || found->empty()) {
    listener_.failed(peer.public_key, name.host, found ? "it has no address" : found.error().why);
    return;
  }
  Endpoint to_try = found->front();
  if (std::ranges::find(*found, peer.endpoint) != found->end()) {
    // It is where it was. What is sent there, and never answered, may be answered elsewhere.
    const auto pace = paces_.find(peer.public_key);
    const bool is_unanswered = pace != paces_.end() && peer.tx_bytes > pace->second.sent_bytes;
    if (found->size() == 1 || !is_unanswered) return;
    to_try = next_of(*found, peer.endpoint);
  }
  if (!is_still(peer)) return;
  protocol::DeviceChange change;
  auto& to = change.peers.emplace_back();
  to.public_key = peer.public_key;
  to.update_only = true;
  to.endpoint = to_try;
  const auto done = devices_.set(file_.interface, change);
  if (done) {
    listener_.moved(peer.public_key, name.host, to_try);
    if (const auto pace = paces_.find(peer.public_key); pace != paces_.end()) {
      pace->second.sent_bytes = peer.tx_bytes;
    }
  } else {
    listener_.failed(peer.public_key, name.host, done.error().what);
  }
}

Result<void> Follower::check(std::int64_t now_s, bool is_once) {
  const auto device = devices_.get(file_.interface);
  if (!device) return std::unexpected(device.error());
  is_hasty_ = false;
  std::map<PublicKey, const protocol::PeerStatus*> peers;
  for (const protocol::PeerStatus& peer : device->peers) peers.emplace(peer.public_key, &peer);
  for (const control::PeerConf& conf : file_.configuration.peers) {
    const auto peer = peers.find(conf.public_key);
    if (!conf.endpoint || !is_name(*conf.endpoint) || peer == peers.end()) continue;
    if (!is_silent(*peer->second, now_s)) {
      paces_.erase(conf.public_key);
    } else if (is_once || is_due(*peer->second)) {
      look_up_again(*peer->second, *conf.endpoint);
    }
  }
  return {};
}

Result<void> Follower::follow() {
  const auto lock_fd = lock(file_.interface);
  if (!lock_fd && lock_fd.error().code == EWOULDBLOCK) return {};
  // Two that follow the same names do no harm; none would.
  if (!lock_fd) listener_.fail(lock_fd.error().what);
  auto monitor = io::InterfaceMonitor::open();
  auto query = io::KernelQuery::open();
  if (!monitor) return std::unexpected(monitor.error());
  if (!query) return std::unexpected(query.error());
  const auto link = query->link(file_.interface);
  if (!link) return {};
  const auto pause = std::min(kCheckPause, silence_);
  auto next_check = std::chrono::steady_clock::now();
  while (true) {
    const auto still = query->link(file_.interface);
    if (!still || still->index != link->index) return {};
    const auto now = std::chrono::steady_clock::now();
    if (now >= next_check) {
      read_again();
      const auto checked = check(std::time(nullptr), false);
      if (!checked) listener_.fail(checked.error().what);
      next_check = now + (is_hasty_ ? std::min(kHastyPause, pause) : pause);
    }
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(next_check - now);
    pollfd news{monitor->poll_fd(), POLLIN, 0};
    if (poll(&news, 1, static_cast<int>(left.count())) > 0) (void)monitor->drain();
  }
}

bool is_name(const control::HostPort& endpoint) {
  return !IpAddress::parse(endpoint.host.substr(0, endpoint.host.find('%')));
}

bool are_names_followed(const std::string& interface) {
  const auto fd = try_lock(interface);
  return !fd && fd.error().code == EWOULDBLOCK;
}

Result<void> follow_names(const QuickFile& file, files::Listener& listener, Run run) {
  const bool has_names = std::ranges::any_of(file.configuration.peers, [](const auto& peer) {
    return peer.endpoint && is_name(*peer.endpoint);
  });
  if (!has_names) return {};
  const std::vector<std::string> words{own_path(), "resolve", "--follow", file.given};
  listener.step(fmt::format("ferrule resolve --follow {} &", file.given));
  return run == Run::dry ? Result<void>() : start_child(words);
}

}  // namespace ferrule::quick
