// The checkers by name. To add one: a file here, a line below, and one in all.cc.
#pragma once

#include <memory>

#include "sim/checker.h"

namespace ferrule::sim {

[[nodiscard]] std::unique_ptr<Checker> make_bounds_checker();
[[nodiscard]] std::unique_ptr<Checker> make_counters_checker();
[[nodiscard]] std::unique_ptr<Checker> make_delivery_checker();
[[nodiscard]] std::unique_ptr<Checker> make_endpoints_checker();
[[nodiscard]] std::unique_ptr<Checker> make_initiations_checker();
[[nodiscard]] std::unique_ptr<Checker> make_keys_checker();
[[nodiscard]] std::unique_ptr<Checker> make_names_checker();
[[nodiscard]] std::unique_ptr<Checker> make_order_checker();
[[nodiscard]] std::unique_ptr<Checker> make_silence_checker();
[[nodiscard]] std::unique_ptr<Checker> make_window_checker();

}  // namespace ferrule::sim
