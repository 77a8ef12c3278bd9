// Rules of the packet filter by the machine's own iptables, for kernels whose nftables can't do it.
#pragma once

#include <map>
#include <string>

#include "base/net.h"
#include "quick/transaction.h"

namespace ferrule::quick {

/// What `iptables-restore` reads of a table ("raw"), a line each.
using IptablesRules = std::map<std::string, std::string>;

/// `iptables-legacy` speaks the old interface; `iptables` is on some machines the same, on others it is
/// a way to nftables.
enum class Iptables { legacy, usual };
/// What the program of a family is called; whether it is here.
[[nodiscard]] std::string name_of(Iptables kind, Family family);
[[nodiscard]] bool is_here(Iptables kind, Family family);

/// Has those rules that carry this comment be `rules`, each of which carries it: others of the comment go,
/// and those of anyone else stay. A table is changed whole or not at all. A dry run asks the program.
[[nodiscard]] Action iptables_action(Iptables kind, Family family, std::string comment,
                                     IptablesRules rules);
/// Whether the mangle table has a rule of this comment. Loads no module.
[[nodiscard]] bool has_iptables_rules(Iptables kind, Family family, const std::string& comment);

}  // namespace ferrule::quick
