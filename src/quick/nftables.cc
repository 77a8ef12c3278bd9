#include "quick/nftables.h"

#include <nftables/libnftables.h>

#include <cerrno>
#include <memory>
#include <utility>

#include "io/linux/netlink.h"

namespace ferrule::quick {

namespace {

// libnftables ends the whole program where the kernel has no netfilter to speak to.
Result<void> find_netfilter() {
  const auto socket = io::NetlinkSocket::open(NETLINK_NETFILTER);
  if (!socket)
    return std::unexpected(make_error(socket.error().code, "nftables: not in this kernel"));
  return {};
}

enum class Commit { yes, no };

// What is not committed the kernel looks at all the same.
Result<std::string> run(const std::string& commands, unsigned output_flags,
                        Commit commit = Commit::yes) {
  if (auto found = find_netfilter(); !found) return std::unexpected(found.error());
  const std::unique_ptr<nft_ctx, decltype(&nft_ctx_free)> context(nft_ctx_new(NFT_CTX_DEFAULT),
                                                                  nft_ctx_free);
  if (context == nullptr) return std::unexpected(system_error(ENOMEM, "start nftables"));
  nft_ctx_output_set_flags(context.get(), output_flags);
  nft_ctx_set_dry_run(context.get(), commit == Commit::no);
  nft_ctx_buffer_output(context.get());
  nft_ctx_buffer_error(context.get());
  if (nft_run_cmd_from_buffer(context.get(), commands.c_str()) != 0) {
    std::string what = nft_ctx_get_error_buffer(context.get());
    while (what.ends_with('\n')) what.pop_back();
    return std::unexpected(make_error(EINVAL, "nftables: " + what));
  }
  return std::string(nft_ctx_get_output_buffer(context.get()));
}

}  // namespace

Result<std::string> run_nft(const std::string& commands) { return run(commands, 0); }

Action nft_action(std::string shown, std::string commands) {
  const auto step = [commands = std::move(commands)](Commit commit) {
    return [commands, commit]() -> Result<void> {
      const auto done = run(commands, 0, commit);
      if (!done) return std::unexpected(done.error());
      return {};
    };
  };
  return {std::move(shown), step(Commit::yes), step(Commit::no)};
}

bool has_nft_table(const std::string& table) {
  const auto tables = run_nft("list tables");
  return tables && ('\n' + *tables).find("\ntable " + table + '\n') != std::string::npos;
}

Result<std::string> list_nft_ruleset() {
  return run("list ruleset", NFT_CTX_OUTPUT_JSON | NFT_CTX_OUTPUT_TERSE);
}

}  // namespace ferrule::quick
