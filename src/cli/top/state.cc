#include "cli/top/state.h"

#include <algorithm>
#include <utility>

#include "base/key_text.h"
#include "base/utf8.h"
#include "client/scopes.h"

namespace ferrule::cli {

namespace {

using protocol::PeerStatus;

constexpr std::size_t kPageLines = 10;
constexpr std::size_t kMaxFilter = 64;

// Without regard to the case of ASCII letters.
bool contains(std::string_view text, std::string_view part) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return !std::ranges::search(text, part, {}, lower, lower).empty();
}

bool matches(const monitor::DeviceSnapshot& device, const PeerStatus& peer,
             const std::string& filter) {
  if (filter.empty() || contains(device.name_of(peer.public_key), filter)) return true;
  if (contains(to_base64(peer.public_key), filter)) return true;
  if (!peer.endpoint.is_none() && contains(client::text_of(peer.endpoint), filter)) return true;
  return std::ranges::any_of(peer.allowed_ips,
                             [&](const Cidr& cidr) { return contains(cidr.to_string(), filter); });
}

// Whether `a` comes before `b`; what is busiest or newest comes first.
bool comes_before(const PeerStatus& a, const PeerStatus& b, TopSort sort,
                  const monitor::DeviceSnapshot& device, const monitor::History& history) {
  const auto traffic_of = [&](const PeerStatus& peer) -> const monitor::Traffic& {
    return history.peer(device.name, peer.public_key);
  };
  const auto rate = [&](const PeerStatus& peer) {
    const monitor::Traffic& traffic = traffic_of(peer);
    return traffic.rx.last() + traffic.tx.last();
  };
  // Those without a name last.
  const auto name = [&](const PeerStatus& peer) {
    const std::string_view text = device.name_of(peer.public_key);
    return std::pair(text.empty(), text);
  };
  switch (sort) {
    case TopSort::rate:
      return rate(a) > rate(b);
    case TopSort::handshake:
      return a.last_handshake > b.last_handshake;
    case TopSort::total:
      return a.rx_bytes + a.tx_bytes > b.rx_bytes + b.tx_bytes;
    case TopSort::endpoint:
      return a.endpoint < b.endpoint;
    case TopSort::key:
      return to_base64(a.public_key) < to_base64(b.public_key);
    case TopSort::name:
      return name(a) < name(b);
    case TopSort::loss:
      return traffic_of(a).loss() > traffic_of(b).loss();  // what is not known is least
  }
  return false;
}

void move_selection(TopState& state, std::ptrdiff_t by, std::size_t count) {
  if (count == 0) return;
  const auto last = static_cast<std::ptrdiff_t>(count) - 1;
  const auto to =
      std::clamp(static_cast<std::ptrdiff_t>(state.selected) + by, std::ptrdiff_t{0}, last);
  state.selected = static_cast<std::size_t>(to);
}

// Its peers are listed from the first one on.
void choose_device(TopState& state, const monitor::Snapshot& snapshot, std::size_t device) {
  state.device = device;
  state.device_name = device < snapshot.devices.size() ? snapshot.devices[device].name : "";
  state.selected = 0;
  state.selected_key.reset();
  if (state.page == TopState::Page::peer) state.page = TopState::Page::peers;
}

// Whoever is selected now is who is meant, wherever the list has them later.
void choose_selected(TopState& state, const std::vector<const PeerStatus*>& peers) {
  if (state.selected < peers.size()) state.selected_key = peers[state.selected]->public_key;
}

void follow_device(TopState& state, const monitor::Snapshot& snapshot) {
  const auto found =
      std::ranges::find(snapshot.devices, state.device_name, &monitor::DeviceSnapshot::name);
  if (found == snapshot.devices.end()) return choose_device(state, snapshot, 0);
  state.device = static_cast<std::size_t>(found - snapshot.devices.begin());
}

void follow_peer(TopState& state, const std::vector<const PeerStatus*>& peers) {
  const auto found = std::ranges::find_if(
      peers, [&](const PeerStatus* peer) { return state.selected_key == peer->public_key; });
  if (found != peers.end()) {
    state.selected = static_cast<std::size_t>(found - peers.begin());
    return;
  }
  state.selected_key.reset();
  if (state.selected >= peers.size()) state.selected = peers.empty() ? 0 : peers.size() - 1;
  if (state.page == TopState::Page::peer) state.page = TopState::Page::peers;
}

bool is_key(std::int32_t key, TopKey named) { return key == std::to_underlying(named); }

void erase_last_character(std::string& text) {
  while (!text.empty() && (text.back() & 0xC0) == 0x80) text.pop_back();
  if (!text.empty()) text.pop_back();
}

void type_filter(TopState& state, std::int32_t key) {
  if (is_key(key, TopKey::enter)) {
    state.is_typing_filter = false;
  } else if (is_key(key, TopKey::escape)) {
    state.is_typing_filter = false;
    state.filter.clear();
  } else if (is_key(key, TopKey::backspace)) {
    erase_last_character(state.filter);
  } else if (key > 0 && key < std::to_underlying(TopKey::up) &&
             is_printable(static_cast<char32_t>(key)) && state.filter.size() < kMaxFilter) {
    state.filter += utf8_of(static_cast<char32_t>(key));
  }
}

bool press_movement(TopState& state, std::int32_t key, std::size_t count) {
  constexpr auto kPage = static_cast<std::ptrdiff_t>(kPageLines);
  const auto all = static_cast<std::ptrdiff_t>(count);
  switch (static_cast<TopKey>(key)) {
    case TopKey::up:
      move_selection(state, -1, count);
      return true;
    case TopKey::down:
      move_selection(state, 1, count);
      return true;
    case TopKey::page_up:
      move_selection(state, -kPage, count);
      return true;
    case TopKey::page_down:
      move_selection(state, kPage, count);
      return true;
    case TopKey::home:
      move_selection(state, -all, count);
      return true;
    case TopKey::end:
      move_selection(state, all, count);
      return true;
    default:
      return false;
  }
}

void press_command(TopState& state, std::int32_t key, const monitor::Snapshot& snapshot) {
  switch (key) {
    case 'q':
      state.quits = true;
      return;
    case 's':
      state.sort = static_cast<TopSort>((std::to_underlying(state.sort) + 1u) % kTopSorts);
      return;
    case 'r':
      state.is_reversed = !state.is_reversed;
      return;
    case '/':
      state.is_typing_filter = true;
      return;
    case 'h':
    case '?':
      state.page = TopState::Page::help;
      return;
    default:
      break;
  }
  if (is_key(key, TopKey::tab) && !snapshot.devices.empty()) {
    choose_device(state, snapshot, (state.device + 1) % snapshot.devices.size());
  }
}

// The page goes to the peer beside it.
void press_in_peer(TopState& state, std::int32_t key, const std::vector<const PeerStatus*>& peers) {
  const bool is_back = key == 'q' || is_key(key, TopKey::escape) || is_key(key, TopKey::enter) ||
                       is_key(key, TopKey::backspace);
  if (is_back) {
    state.page = TopState::Page::peers;
  } else if (press_movement(state, key, peers.size())) {
    choose_selected(state, peers);
  }
}

void press_in_list(TopState& state, std::int32_t key, const monitor::Snapshot& snapshot,
                   const std::vector<const PeerStatus*>& peers) {
  if (is_key(key, TopKey::enter)) {
    choose_selected(state, peers);
    if (!peers.empty()) state.page = TopState::Page::peer;
  } else if (press_movement(state, key, peers.size())) {
    choose_selected(state, peers);
  } else {
    press_command(state, key, snapshot);
  }
}

}  // namespace

std::string_view name_of(TopSort sort) noexcept {
  switch (sort) {
    case TopSort::rate:
      return "rate";
    case TopSort::handshake:
      return "handshake";
    case TopSort::total:
      return "total";
    case TopSort::endpoint:
      return "endpoint";
    case TopSort::key:
      return "key";
    case TopSort::name:
      return "name";
    case TopSort::loss:
      return "loss";
  }
  return "";
}

std::vector<const PeerStatus*> peers_shown(const TopState& state, const monitor::Snapshot& snapshot,
                                           const monitor::History& history) {
  std::vector<const PeerStatus*> peers;
  if (state.device >= snapshot.devices.size()) return peers;
  const monitor::DeviceSnapshot& device = snapshot.devices[state.device];
  for (const PeerStatus& peer : device.status.peers) {
    if (matches(device, peer, state.filter)) peers.push_back(&peer);
  }
  std::ranges::stable_sort(peers, [&](const PeerStatus* a, const PeerStatus* b) {
    if (state.is_reversed) std::swap(a, b);
    return comes_before(*a, *b, state.sort, device, history);
  });
  return peers;
}

void press(TopState& state, std::int32_t key, const monitor::Snapshot& snapshot,
           const monitor::History& history) {
  if (state.is_typing_filter) {
    type_filter(state, key);
  } else if (state.page == TopState::Page::help) {
    state.page = TopState::Page::peers;
  } else if (state.page == TopState::Page::peer) {
    press_in_peer(state, key, peers_shown(state, snapshot, history));
  } else if (is_key(key, TopKey::escape)) {
    state.filter.clear();
  } else {
    press_in_list(state, key, snapshot, peers_shown(state, snapshot, history));
  }
  settle(state, snapshot, history);
}

void settle(TopState& state, const monitor::Snapshot& snapshot, const monitor::History& history) {
  follow_device(state, snapshot);
  follow_peer(state, peers_shown(state, snapshot, history));
}

}  // namespace ferrule::cli
