#include "sim/checkers/all.h"

namespace ferrule::sim {

Checkers make_checkers() {
  Checkers checkers;
  checkers.push_back(make_bounds_checker());
  checkers.push_back(make_counters_checker());
  checkers.push_back(make_delivery_checker());
  checkers.push_back(make_endpoints_checker());
  checkers.push_back(make_initiations_checker());
  checkers.push_back(make_keys_checker());
  checkers.push_back(make_names_checker());
  checkers.push_back(make_order_checker());
  checkers.push_back(make_silence_checker());
  checkers.push_back(make_window_checker());
  return checkers;
}

}  // namespace ferrule::sim
