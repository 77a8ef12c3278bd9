#include "control/uapi_writer.h"

#include <fmt/format.h>

#include <array>

#include "base/key_text.h"
#include "control/place_text.h"
#include "control/uapi_errno.h"

namespace ferrule::control {

void UapiWriter::device(const PrivateKey& private_key, std::uint16_t listen_port,
                        std::uint32_t fwmark) {
  if (!private_key.is_zero()) hex_line("private_key=", private_key.bytes());
  number_line("listen_port=", listen_port);
  if (fwmark != 0) number_line("fwmark=", fwmark);
}

void UapiWriter::peer(const protocol::PeerStatus& status) {
  hex_line("public_key=", status.public_key.bytes);
  hex_line("preshared_key=", status.preshared_key.bytes());
  append("protocol_version=1\n");
  if (!status.endpoint.is_none()) {
    append("endpoint=");
    append(status.endpoint.to_string());
    append("\n");
  }
  number_line("last_handshake_time_sec=",
              static_cast<std::uint64_t>(status.last_handshake.seconds));
  number_line("last_handshake_time_nsec=", status.last_handshake.nanoseconds);
  number_line("tx_bytes=", status.tx_bytes);
  number_line("rx_bytes=", status.rx_bytes);
  number_line("persistent_keepalive_interval=", status.persistent_keepalive_s);
  for (const Cidr& cidr : status.allowed_ips) {
    append("allowed_ip=");
    append(cidr.to_string());
    append("\n");
  }
}

void UapiWriter::stat(std::string_view name, std::uint64_t value) {
  append(name);
  number_line("=", value);
}

void UapiWriter::peer_stats(const protocol::PeerStatus& status) {
  hex_line("public_key=", status.public_key.bytes);
  if (!status.messages) return;
  number_line("received_messages=", status.messages->received);
  number_line("expected_messages=", status.messages->expected);
}

void UapiWriter::place(const LocalPlace& place, std::span<const std::string> missing) {
  if (!place.addresses.is_empty()) {
    append(fmt::format("bind={}\n", bind_text(place.addresses)));
  }
  if (!place.interface.empty()) append(fmt::format("bind_interface={}\n", place.interface));
  for (const std::string& each : missing) append(fmt::format("missing={}\n", each));
}

void UapiWriter::finish(int code) {
  // Not through a piece of its own: the answer to a set is this and no more, perhaps because there was
  // no memory.
  flush();
  piece_.clear();
  std::array<char, 32> end;
  const auto written =
      fmt::format_to_n(end.data(), end.size(), "errno={}\n\n", -errno_on_wire(code));
  sink_({end.data(), written.size});
}

void UapiWriter::append(std::string_view text) {
  if (piece_.size() + text.size() > kPieceBytes) flush();
  if (piece_.capacity() == 0) piece_.reserve(kPieceBytes);
  piece_.append(text);
}

void UapiWriter::hex_line(std::string_view key, std::span<const std::uint8_t, kKeySize> bytes) {
  std::array<char, kKeyHexSize + 1> text;
  key_to_hex(bytes, std::span<char, kKeyHexSize>(text.data(), kKeyHexSize));
  text.back() = '\n';
  append(key);
  append({text.data(), text.size()});
  wipe({reinterpret_cast<std::uint8_t*>(text.data()), text.size()});
}

void UapiWriter::number_line(std::string_view key, std::uint64_t value) {
  append(key);
  append(fmt::format_int(value).c_str());
  append("\n");
}

void UapiWriter::flush() {
  if (!piece_.empty()) sink_(piece_.view());
  piece_.rewind();
}

}  // namespace ferrule::control
