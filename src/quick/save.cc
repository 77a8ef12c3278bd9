#include "quick/save.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include "client/scopes.h"
#include "control/kept_text.h"
#include "files/conf_file.h"
#include "files/device_conf.h"
#include "io/linux/ending_signals.h"
#include "io/linux/kernel_query.h"
#include "quick/link.h"
#include "quick/record.h"

namespace ferrule::quick {

namespace {

void write_hooks(files::Output& out, std::string_view key, const std::vector<std::string>& hooks) {
  for (const std::string& hook : hooks) out.print("{} = {}\n", key, hook);
}

std::set<PublicKey> keys_of(const control::DeviceStatus& device) {
  std::set<PublicKey> keys;
  for (const protocol::PeerStatus& peer : device.peers) keys.insert(peer.public_key);
  return keys;
}

// What stands in [Interface] before what `wg showconf` has there.
void write_interface(files::Output& out, const control::InterfaceConf& conf,
                     const std::vector<io::LinkAddress>& addresses, std::uint32_t mtu_bytes) {
  for (const io::LinkAddress& address : addresses) {
    // The kernel gives a tunnel interface a link-local address of its own, another one each time.
    const bool is_in_file = std::ranges::any_of(
        conf.addresses, [&](const auto& own) { return own.address == address.address; });
    if (address.address.is_link_local() && !is_in_file) continue;
    out.print("Address = {}\n", address.to_string());
  }
  for (const IpAddress& server : conf.dns_servers) out.print("DNS = {}\n", server.to_string());
  for (const std::string& domain : conf.dns_search) out.print("DNS = {}\n", domain);
  if (conf.mtu_bytes) out.print("MTU = {}\n", mtu_bytes);
  if (conf.table) out.print("Table = {}\n", *conf.table);
  if (conf.save_config) out.write("SaveConfig = true\n");
  write_hooks(out, "PreUp", conf.pre_up);
  write_hooks(out, "PostUp", conf.post_up);
  write_hooks(out, "PreDown", conf.pre_down);
  write_hooks(out, "PostDown", conf.post_down);
}

// What `up` chose is not the file's to say: the next `up` chooses again.
void leave_out_what_was_chosen(control::DeviceStatus& device, const UpRecord& record,
                               const control::InterfaceConf& conf) {
  if (!conf.fwmark && device.fwmark == record.mark) device.fwmark = 0;
  if (!conf.listen_port && device.listen_port == record.port) device.listen_port = 0;
}

// So that `reload` leaves peers where they are, though the file says another place than before.
void remember_endpoints(files::Listener& listener, const QuickPlace& place, UpRecord record,
                        const control::DeviceStatus& device) {
  record.saved.clear();
  for (const protocol::PeerStatus& peer : device.peers) {
    if (peer.endpoint.is_none()) continue;
    if (const auto at = control::parse_host_port(client::text_of(peer.endpoint))) {
      record.saved.emplace(peer.public_key, *at);
    }
  }
  if (const auto written = write_record(place.interface, record); !written) {
    listener.warn(written.error().what);
  }
}

// Everything that goes into the new file.
void write_file(files::Output& out, const control::KeptText& kept,
                const control::InterfaceConf& conf, const std::vector<io::LinkAddress>& addresses,
                std::uint32_t mtu_bytes, const control::DeviceStatus& device) {
  out.write(kept.before.view());
  out.write(kept.interface.view());
  write_interface(out, conf, addresses, mtu_bytes);
  files::write_device_conf(out, device);
  files::write_peers_conf(out, device, kept.peers);
  if (!kept.after.empty()) out.write("\n");
  out.write(kept.after.view());
}

}  // namespace

Attempt<void> save_configuration(const QuickPlace& place, io::Network& network,
                                 client::DeviceClient& devices, control::Date now,
                                 files::Listener& listener) {
  const auto lock = files::lock_folder_of(place.path);
  if (!lock) return failed(lock.error());
  const auto file = files::read_conf_text(place.path);
  if (!file) return std::unexpected(Failure{file.error().unreadable, file.error().errors});
  auto device = get_device(devices, place.interface);
  if (!device) return std::unexpected(std::move(device.error()));
  auto query = io::KernelQuery::open();
  const auto link = query ? query->link(place.interface) : std::unexpected(query.error());
  if (!link) return failed(link.error());
  const auto addresses = network.addresses(link->index);
  if (!addresses) return failed(addresses.error());
  const auto kept = control::kept_text(file->document, keys_of(*device), now);
  // To write the file without what can't be read would lose it.
  if (!kept) return std::unexpected(Failure{"", kept.error()});
  auto record = read_record(place.interface);
  if (record && record->link_index != link->index) record.reset();
  const control::InterfaceConf& conf = file->configuration.interface;
  if (record) leave_out_what_was_chosen(*device, *record, conf);
  listener.step(fmt::format("wg showconf {} > {}", place.interface, place.path));
  const io::SignalsWait wait;  // or else a half of the file would stay behind
  auto staged = files::StagedFile::write(place.path, [&](files::Output& out) {
    write_file(out, *kept, conf, *addresses, link->mtu, *device);
  });
  if (!staged) return failed(staged.error());
  if (const auto written = staged->commit_edit(); !written) return failed(written.error());
  if (record) remember_endpoints(listener, place, std::move(*record), *device);
  return {};
}

}  // namespace ferrule::quick
