#include "monitor/metrics_text.h"

#include <fmt/format.h>

#include <charconv>
#include <iterator>
#include <optional>
#include <string_view>

#include "base/key_text.h"
#include "base/version.h"

namespace ferrule::monitor {

namespace {

using protocol::PeerStatus;

// A label's value: Prometheus escapes backslash, quote and line feed.
std::string label(std::string_view value) {
  std::string text;
  for (const char c : value) {
    if (c == '\\' || c == '"') text += '\\';
    c == '\n' ? text += "\\n" : text += c;
  }
  return text;
}

std::string allowed_ips_of(const PeerStatus& peer) {
  std::string text;
  for (const Cidr& cidr : peer.allowed_ips) {
    if (!text.empty()) text += ',';
    text += cidr.to_string();
  }
  return text;
}

class Writer {
 public:
  explicit Writer(const Snapshot& snapshot) : snapshot_(snapshot) {}

  void family(std::string_view name, std::string_view type, std::string_view help) {
    name_ = name;
    fmt::format_to(std::back_inserter(text_), "# HELP {0} {2}\n# TYPE {0} {1}\n", name, type, help);
  }
  void sample(std::string_view labels, std::uint64_t value) {
    fmt::format_to(std::back_inserter(text_), "{}{{{}}} {}\n", name_, labels, value);
  }
  // A sample for each peer that has a value.
  template <class Value>
  void peers(Value value) {
    for (const DeviceSnapshot& device : snapshot_.devices) {
      for (const PeerStatus& peer : device.status.peers) {
        const std::optional<std::uint64_t> number = value(peer);
        if (!number) continue;
        std::string labels =
            fmt::format(R"(interface="{}",public_key="{}",allowed_ips="{}")", label(device.name),
                        to_base64(peer.public_key), allowed_ips_of(peer));
        if (const auto name = device.name_of(peer.public_key); !name.empty()) {
          labels += fmt::format(R"(,friendly_name="{}")", label(name));
        }
        sample(labels, *number);
      }
    }
  }
  // 1 for each device that answers, 0 for each that does not.
  void answers() {
    for (const DeviceSnapshot& device : snapshot_.devices) {
      sample(fmt::format(R"(interface="{}")", label(device.name)), 1);
    }
    for (const AbsentDevice& device : snapshot_.absent) {
      sample(fmt::format(R"(interface="{}")", label(device.name)), 0);
    }
  }
  // A sample for each device.
  template <class Value>
  void devices(Value value) {
    for (const DeviceSnapshot& device : snapshot_.devices) {
      sample(fmt::format(R"(interface="{}")", label(device.name)), value(device));
    }
  }
  std::string take() { return std::move(text_); }

 private:
  const Snapshot& snapshot_;
  std::string_view name_;
  std::string text_;
};

void write_peers(Writer& writer) {
  writer.family("wireguard_sent_bytes_total", "counter", "Bytes sent to the peer");
  writer.peers([](const PeerStatus& peer) { return peer.tx_bytes; });
  writer.family("wireguard_received_bytes_total", "counter", "Bytes received from the peer");
  writer.peers([](const PeerStatus& peer) { return peer.rx_bytes; });
  writer.family("wireguard_latest_handshake_seconds", "gauge",
                "Unix time of the last handshake; 0 before the first");
  writer.peers([](const PeerStatus& peer) {
    return static_cast<std::uint64_t>(peer.last_handshake.seconds);
  });
}

// Two counters and not their difference: that falls when a message comes late, and Prometheus would
// take it for a restart.
void write_messages(Writer& writer) {
  writer.family("ferrule_peer_received_messages_total", "counter",
                "Data messages that have come from the peer");
  writer.peers([](const PeerStatus& peer) {
    return peer.messages ? std::optional(peer.messages->received) : std::nullopt;
  });
  writer.family(
      "ferrule_peer_expected_messages_total", "counter",
      "Data messages that the peer has sent, up to the last that came: those that were not "
      "received were lost on the way here");
  writer.peers([](const PeerStatus& peer) {
    return peer.messages ? std::optional(peer.messages->expected) : std::nullopt;
  });
}

void write_devices(Writer& writer, const WallTime& now) {
  writer.family("ferrule_up", "gauge", "1 while the interface is there and answers, else 0");
  writer.answers();
  writer.family("ferrule_peers", "gauge", "Peers of the interface");
  writer.devices([](const DeviceSnapshot& device) { return device.status.peers.size(); });
  writer.family("ferrule_peers_with_session", "gauge",
                "Peers whose last handshake is less than 180 s old");
  writer.devices([&](const DeviceSnapshot& device) {
    std::uint64_t count = 0;
    for (const PeerStatus& peer : device.status.peers) count += has_session(peer, now) ? 1u : 0u;
    return count;
  });
  writer.family("ferrule_listen_port", "gauge", "UDP port of the interface; 0 for none");
  writer.devices([](const DeviceSnapshot& device) { return device.status.listen_port; });
}

// "lane_3_cpu_ns" is lane 3 and "cpu_ns".
struct LaneStat {
  unsigned lane;
  std::string_view name;
};
std::optional<LaneStat> lane_stat(std::string_view name) {
  constexpr std::string_view kPrefix = "lane_";
  if (!name.starts_with(kPrefix)) return std::nullopt;
  LaneStat stat{};
  const char* begin = name.data() + kPrefix.size();
  const char* end = name.data() + name.size();
  const auto [rest, error] = std::from_chars(begin, end, stat.lane);
  if (error != std::errc{} || rest == end || *rest != '_') return std::nullopt;
  stat.name = std::string_view(rest + 1, end);
  return stat;
}

void write_lane_family(Writer& writer, const Snapshot& snapshot, std::string_view stat,
                       std::string_view name, std::string_view help) {
  writer.family(name, "counter", help);
  for (const DeviceSnapshot& device : snapshot.devices) {
    for (const auto& [counter, value] : device.stats) {
      const std::optional<LaneStat> found = lane_stat(counter);
      if (!found || found->name != stat) continue;
      writer.sample(fmt::format(R"(interface="{}",lane="{}")", label(device.name), found->lane),
                    value);
    }
  }
}

void write_stats(Writer& writer, const Snapshot& snapshot) {
  constexpr std::string_view kDrop = "drop_";
  writer.family("ferrule_drops_total", "counter",
                "Messages and packets that were refused, by reason");
  for (const DeviceSnapshot& device : snapshot.devices) {
    for (const auto& [name, value] : device.stats) {
      if (!name.starts_with(kDrop)) continue;
      writer.sample(fmt::format(R"(interface="{}",reason="{}")", label(device.name),
                                label(std::string_view(name).substr(kDrop.size()))),
                    value);
    }
  }
  write_lane_family(writer, snapshot, "cpu_ns", "ferrule_lane_cpu_nanoseconds_total",
                    "CPU time of the lane's workers");
  write_lane_family(writer, snapshot, "sent_packets", "ferrule_lane_sent_packets_total",
                    "Packets that the lane sealed and sent");
  write_lane_family(writer, snapshot, "received_packets", "ferrule_lane_received_packets_total",
                    "Packets that the lane opened and delivered");
}

}  // namespace

std::string metrics_text(const Snapshot& snapshot) {
  Writer writer(snapshot);
  writer.family("ferrule_info", "gauge", "The version of the tool that tells");
  writer.sample(fmt::format(R"(version="{}")", kVersion), 1);
  write_devices(writer, snapshot.now.wall);
  write_peers(writer);
  write_messages(writer);
  write_stats(writer, snapshot);
  return writer.take();
}

}  // namespace ferrule::monitor
