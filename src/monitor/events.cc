#include "monitor/events.h"

#include <set>

namespace ferrule::monitor {

namespace {

constexpr std::string_view kDropPrefix = "drop_";

Event about(EventKind kind, const DeviceSnapshot& device, const PublicKey& peer) {
  Event event{.kind = kind, .device = device.name};
  event.peer = peer;
  event.name = device.name_of(peer);
  return event;
}

}  // namespace

std::string_view name_of(EventKind kind) noexcept {
  switch (kind) {
    case EventKind::device_appeared:
      return "device_appeared";
    case EventKind::device_vanished:
      return "device_vanished";
    case EventKind::peer_added:
      return "peer_added";
    case EventKind::peer_removed:
      return "peer_removed";
    case EventKind::connected:
      return "connected";
    case EventKind::quiet:
      return "quiet";
    case EventKind::roamed:
      return "roamed";
    case EventKind::no_answer:
      return "no_answer";
    case EventKind::refused:
      return "refused";
  }
  return "unknown";
}

std::vector<Event> EventFinder::look(const Snapshot& snapshot) {
  std::vector<Event> events;
  std::set<std::string_view> there;
  for (const DeviceSnapshot& seen : snapshot.devices) {
    there.insert(seen.name);
    const bool is_new = !devices_.contains(seen.name);
    Device& known = devices_[seen.name];
    if (is_new && has_looked_) {
      events.push_back({.kind = EventKind::device_appeared, .device = seen.name});
    }
    const std::size_t before = events.size();
    look_at_peers(snapshot.now, seen, known, events);
    if (is_new) events.resize(before);  // its peers are as old as it is
    look_at_drops(seen, known, is_new, events);
  }
  std::erase_if(devices_, [&](const auto& entry) {
    if (there.contains(entry.first)) return false;
    events.push_back({.kind = EventKind::device_vanished, .device = entry.first});
    return true;
  });
  has_looked_ = true;
  return events;
}

void EventFinder::look_at_peers(const Now& now, const DeviceSnapshot& seen, Device& known,
                                std::vector<Event>& events) {
  std::set<PublicKey> there;
  for (const protocol::PeerStatus& status : seen.status.peers) {
    there.insert(status.public_key);
    const auto [entry, is_new] = known.peers.try_emplace(status.public_key);
    if (is_new) {
      events.push_back(about(EventKind::peer_added, seen, status.public_key));
      entry->second.endpoint = status.endpoint;
      entry->second.tx_bytes = status.tx_bytes;
    }
    look_at(now, seen, status, entry->second, events);
  }
  std::erase_if(known.peers, [&](const auto& entry) {
    if (there.contains(entry.first)) return false;
    events.push_back(about(EventKind::peer_removed, seen, entry.first));
    return true;
  });
}

void EventFinder::look_at(const Now& now, const DeviceSnapshot& device,
                          const protocol::PeerStatus& status, Peer& known,
                          std::vector<Event>& events) {
  const bool session = has_session(status, now.wall);
  if (session != known.has_session) {
    Event event =
        about(session ? EventKind::connected : EventKind::quiet, device, status.public_key);
    event.to = status.endpoint;
    events.push_back(event);
  } else if (session && !known.endpoint.is_none() && status.endpoint != known.endpoint) {
    Event event = about(EventKind::roamed, device, status.public_key);
    event.from = known.endpoint;
    event.to = status.endpoint;
    events.push_back(event);
  }
  known.has_session = session;
  note_calls(now, device, status, known, events);
  known.endpoint = status.endpoint;
  known.tx_bytes = status.tx_bytes;
}

// Without a session, nothing but handshake initiations can have been sent.
void EventFinder::note_calls(const Now& now, const DeviceSnapshot& device,
                             const protocol::PeerStatus& status, Peer& known,
                             std::vector<Event>& events) {
  if (known.has_session) {
    known.calling_since.reset();
    known.told_no_answer = false;
    return;
  }
  if (status.tx_bytes > known.tx_bytes && !known.calling_since) known.calling_since = now.boot;
  if (!known.calling_since || known.told_no_answer) return;
  if (now.boot - *known.calling_since < kPatience) return;
  Event event = about(EventKind::no_answer, device, status.public_key);
  event.to = status.endpoint;
  events.push_back(event);
  known.told_no_answer = true;
}

void EventFinder::look_at_drops(const DeviceSnapshot& seen, Device& known, bool is_new,
                                std::vector<Event>& events) {
  for (const auto& [name, count] : seen.stats) {
    if (!name.starts_with(kDropPrefix)) continue;
    std::uint64_t& before = known.drops[name];
    if (!is_new && count > before) {
      events.push_back({.kind = EventKind::refused,
                        .device = seen.name,
                        .reason = name.substr(kDropPrefix.size()),
                        .count = count - before});
    }
    before = count;
  }
}

}  // namespace ferrule::monitor
