#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include <linux/wireguard.h>

#include <memory>

#include "base/secret.h"
#include "client/kernel/messages.h"
#include "io/linux/socket_address.h"

namespace ferrule::client {

namespace {

// Newer than Debian 12's headers: takes one allowed IP from a peer. An older kernel refuses it.
constexpr std::uint16_t kAllowedIpFlags = 4;
constexpr std::uint32_t kAllowedIpRemove = 1;

// Messages, one after the other in the same room. Attributes go in until one has no place: then what
// was begun is taken back, the message is sent as it is, and the next one goes on from there.
class Writer {
 public:
  Writer(const std::string& device, std::uint16_t family,
         const std::function<Result<void>(nlmsghdr&)>& send)
      : device_(device),
        family_(family),
        send_(send),
        room_(std::make_unique<std::uint8_t[]>(kMaxKernelMessage)) {
    begin();
  }
  ~Writer() { wipe({room_.get(), kMaxKernelMessage}); }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  void put_device(const protocol::DeviceChange& change);
  Result<void> put_peer(const protocol::PeerChange& peer);
  Result<void> finish();

 private:
  void begin();
  Result<void> send_and_begin();
  // Each puts one thing, and is false where it has no place.
  bool put(std::uint16_t type, std::size_t size, const void* data);
  bool put_u32(std::uint16_t type, std::uint32_t value) { return put(type, sizeof value, &value); }
  bool put_peer_head(const protocol::PeerChange& peer, bool is_first);
  bool put_allowed_ip(const protocol::AllowedIpChange& ip);
  std::size_t put_allowed_ips(const protocol::PeerChange& peer, std::size_t from);
  nlattr* open(std::uint16_t type) {
    return mnl_attr_nest_start_check(header_, kMaxKernelMessage, type);
  }

  const std::string& device_;
  std::uint16_t family_;
  const std::function<Result<void>(nlmsghdr&)>& send_;
  std::unique_ptr<std::uint8_t[]> room_;
  nlmsghdr* header_ = nullptr;
  nlattr* peers_ = nullptr;  // the list that is open
};

void Writer::begin() {
  wipe({room_.get(), kMaxKernelMessage});
  header_ = mnl_nlmsg_put_header(room_.get());
  header_->nlmsg_type = family_;
  header_->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
  auto* command = static_cast<genlmsghdr*>(mnl_nlmsg_put_extra_header(header_, sizeof(genlmsghdr)));
  command->cmd = WG_CMD_SET_DEVICE;
  command->version = WG_GENL_VERSION;
  mnl_attr_put_strz(header_, WGDEVICE_A_IFNAME, device_.c_str());
  peers_ = nullptr;
}

bool Writer::put(std::uint16_t type, std::size_t size, const void* data) {
  return mnl_attr_put_check(header_, kMaxKernelMessage, type, size, data);
}

void Writer::put_device(const protocol::DeviceChange& change) {
  if (change.private_key) {
    put(WGDEVICE_A_PRIVATE_KEY, kKeySize, change.private_key->bytes().data());
  }
  if (change.listen_port) {
    put(WGDEVICE_A_LISTEN_PORT, sizeof *change.listen_port, &*change.listen_port);
  }
  if (change.fwmark) put_u32(WGDEVICE_A_FWMARK, *change.fwmark);
  if (change.replace_peers) put_u32(WGDEVICE_A_FLAGS, WGDEVICE_F_REPLACE_PEERS);
}

bool Writer::put_peer_head(const protocol::PeerChange& peer, bool is_first) {
  bool fits = put(WGPEER_A_PUBLIC_KEY, kKeySize, peer.public_key.bytes.data());
  std::uint32_t flags = 0;
  if (peer.update_only) flags |= WGPEER_F_UPDATE_ONLY;
  if (!is_first) return fits && (flags == 0 || put_u32(WGPEER_A_FLAGS, flags));
  if (peer.remove) flags |= WGPEER_F_REMOVE_ME;
  if (peer.replace_allowed_ips) flags |= WGPEER_F_REPLACE_ALLOWEDIPS;
  if (flags != 0) fits = fits && put_u32(WGPEER_A_FLAGS, flags);
  if (peer.preshared_key) {
    fits = fits && put(WGPEER_A_PRESHARED_KEY, kKeySize, peer.preshared_key->bytes().data());
  }
  if (peer.endpoint) {
    const io::SocketAddress address(*peer.endpoint);
    fits = fits && put(WGPEER_A_ENDPOINT, address.size, &address.any);
  }
  if (peer.persistent_keepalive_s) {
    fits = fits && put(WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL, sizeof *peer.persistent_keepalive_s,
                       &*peer.persistent_keepalive_s);
  }
  return fits;
}

bool Writer::put_allowed_ip(const protocol::AllowedIpChange& ip) {
  nlattr* nest = open(0);
  if (nest == nullptr) return false;
  const IpAddress& address = ip.cidr.address();
  const std::uint16_t family = address.family() == Family::v4 ? AF_INET : AF_INET6;
  const auto length = static_cast<std::uint8_t>(ip.cidr.length());
  const bool fits = put(WGALLOWEDIP_A_FAMILY, sizeof family, &family) &&
                    put(WGALLOWEDIP_A_IPADDR, address.bytes().size(), address.bytes().data()) &&
                    put(WGALLOWEDIP_A_CIDR_MASK, sizeof length, &length) &&
                    (!ip.remove || put_u32(kAllowedIpFlags, kAllowedIpRemove));
  fits ? mnl_attr_nest_end(header_, nest) : mnl_attr_nest_cancel(header_, nest);
  return fits;
}

// The index behind the last one that had a place.
std::size_t Writer::put_allowed_ips(const protocol::PeerChange& peer, std::size_t from) {
  nlattr* ips = open(WGPEER_A_ALLOWEDIPS);
  if (ips == nullptr) return from;
  while (from < peer.allowed_ips.size() && put_allowed_ip(peer.allowed_ips[from])) ++from;
  mnl_attr_nest_end(header_, ips);
  return from;
}

Result<void> Writer::put_peer(const protocol::PeerChange& peer) {
  bool is_first = true;
  std::size_t next_ip = 0;
  while (is_first || next_ip < peer.allowed_ips.size()) {
    if (peers_ == nullptr) peers_ = open(WGDEVICE_A_PEERS);
    nlattr* nest = peers_ == nullptr ? nullptr : open(0);
    const bool fits = nest != nullptr && put_peer_head(peer, is_first);
    if (fits) {
      is_first = false;
      if (!peer.allowed_ips.empty()) next_ip = put_allowed_ips(peer, next_ip);
      mnl_attr_nest_end(header_, nest);
      if (next_ip == peer.allowed_ips.size()) break;
    } else if (nest != nullptr) {
      mnl_attr_nest_cancel(header_, nest);
    }
    if (auto sent = send_and_begin(); !sent) return sent;
  }
  return {};
}

Result<void> Writer::send_and_begin() {
  if (auto sent = finish(); !sent) return sent;
  begin();
  return {};
}

Result<void> Writer::finish() {
  if (peers_ != nullptr) mnl_attr_nest_end(header_, peers_);
  return send_(*header_);
}

}  // namespace

Result<void> write_kernel_change(const std::string& device, std::uint16_t family,
                                 const protocol::DeviceChange& change,
                                 const std::function<Result<void>(nlmsghdr&)>& send) {
  Writer writer(device, family, send);
  writer.put_device(change);
  for (const protocol::PeerChange& peer : change.peers) {
    if (auto put = writer.put_peer(peer); !put) return put;
  }
  return writer.finish();
}

}  // namespace ferrule::client
