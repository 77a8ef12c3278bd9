#include "files/device_conf.h"

#include "base/key_text.h"
#include "client/scopes.h"
#include "control/prefix_list.h"
#include "files/key_lines.h"

namespace ferrule::files {

namespace {

void write_peer(Output& out, const protocol::PeerStatus& peer, const PeerHeads& heads) {
  const auto head = heads.find(peer.public_key);
  out.write(head == heads.end() ? "[Peer]\n" : head->second.view());
  out.print("PublicKey = {}\n", to_base64(peer.public_key));
  if (!peer.preshared_key.is_zero()) {
    out.write("PresharedKey = ");
    write_key(out, peer.preshared_key.bytes());
    out.write("\n");
  }
  if (!peer.allowed_ips.empty()) {
    out.print("AllowedIPs = {}\n", control::prefix_list(peer.allowed_ips));
  }
  if (!peer.endpoint.is_none()) out.print("Endpoint = {}\n", client::text_of(peer.endpoint));
  if (peer.persistent_keepalive_s != 0) {
    out.print("PersistentKeepalive = {}\n", peer.persistent_keepalive_s);
  }
}

}  // namespace

void write_device_conf(Output& out, const control::DeviceStatus& status) {
  if (status.listen_port != 0) out.print("ListenPort = {}\n", status.listen_port);
  if (status.fwmark != 0) out.print("FwMark = {:#x}\n", status.fwmark);
  if (status.private_key) {
    out.write("PrivateKey = ");
    write_key(out, status.private_key->bytes());
    out.write("\n");
  }
}

void write_peers_conf(Output& out, const control::DeviceStatus& status, const PeerHeads& heads) {
  for (const protocol::PeerStatus& peer : status.peers) {
    out.write("\n");
    write_peer(out, peer, heads);
  }
}

void write_conf(Output& out, const control::DeviceStatus& status) {
  out.write("[Interface]\n");
  write_device_conf(out, status);
  write_peers_conf(out, status);
  // As wg ends it: the line between the device and its peers is there without peers too.
  if (status.peers.empty()) out.write("\n");
}

}  // namespace ferrule::files
