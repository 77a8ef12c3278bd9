#include "control/uapi_errno.h"

#include <algorithm>
#include <iterator>
#include <system_error>

namespace ferrule::control {

namespace {

struct Row {
  std::errc meaning;
  int on_wire;
  [[nodiscard]] constexpr int here() const noexcept { return static_cast<int>(meaning); }
};

constexpr Row kRows[] = {
    {std::errc::address_family_not_supported, 97},
    {std::errc::address_in_use, 98},
    {std::errc::address_not_available, 99},
    {std::errc::already_connected, 106},
    {std::errc::argument_list_too_long, 7},
    {std::errc::argument_out_of_domain, 33},
    {std::errc::bad_address, 14},
    {std::errc::bad_file_descriptor, 9},
    {std::errc::broken_pipe, 32},
    {std::errc::connection_aborted, 103},
    {std::errc::connection_already_in_progress, 114},
    {std::errc::connection_refused, 111},
    {std::errc::connection_reset, 104},
    {std::errc::cross_device_link, 18},
    {std::errc::destination_address_required, 89},
    {std::errc::device_or_resource_busy, 16},
    {std::errc::directory_not_empty, 39},
    {std::errc::executable_format_error, 8},
    {std::errc::file_exists, 17},
    {std::errc::file_too_large, 27},
    {std::errc::filename_too_long, 36},
    {std::errc::function_not_supported, 38},
    {std::errc::host_unreachable, 113},
    {std::errc::illegal_byte_sequence, 84},
    {std::errc::inappropriate_io_control_operation, 25},
    {std::errc::interrupted, 4},
    {std::errc::invalid_argument, 22},
    {std::errc::invalid_seek, 29},
    {std::errc::io_error, 5},
    {std::errc::is_a_directory, 21},
    {std::errc::message_size, 90},
    {std::errc::network_down, 100},
    {std::errc::network_reset, 102},
    {std::errc::network_unreachable, 101},
    {std::errc::no_buffer_space, 105},
    {std::errc::no_child_process, 10},
    {std::errc::no_lock_available, 37},
    {std::errc::no_protocol_option, 92},
    {std::errc::no_space_on_device, 28},
    {std::errc::no_such_device, 19},
    {std::errc::no_such_device_or_address, 6},
    {std::errc::no_such_file_or_directory, 2},
    {std::errc::no_such_process, 3},
    {std::errc::not_a_directory, 20},
    {std::errc::not_a_socket, 88},
    {std::errc::not_connected, 107},
    {std::errc::not_enough_memory, 12},
    {std::errc::operation_not_supported, 95},
    {std::errc::not_supported, 95},
    {std::errc::operation_canceled, 125},
    {std::errc::operation_in_progress, 115},
    {std::errc::operation_not_permitted, 1},
    {std::errc::permission_denied, 13},
    {std::errc::protocol_error, 71},
    {std::errc::protocol_not_supported, 93},
    {std::errc::read_only_file_system, 30},
    {std::errc::resource_deadlock_would_occur, 35},
    {std::errc::resource_unavailable_try_again, 11},
    {std::errc::result_out_of_range, 34},
    {std::errc::timed_out, 110},
    {std::errc::too_many_files_open, 24},
    {std::errc::too_many_files_open_in_system, 23},
    {std::errc::too_many_links, 31},
    {std::errc::too_many_symbolic_link_levels, 40},
    {std::errc::value_too_large, 75},
    {std::errc::wrong_protocol_type, 91},
};

constexpr int kIoErrorOnWire = 5;

// Then names that the table lacks need none.
constexpr bool kNumbersAreTheWires =
    std::ranges::all_of(kRows, [](const Row& row) { return row.here() == row.on_wire; });

}  // namespace

int errno_on_wire(int code) noexcept {
  if (code == 0 || kNumbersAreTheWires) return code;
  const auto* row = std::ranges::find(kRows, code, &Row::here);
  return row != std::end(kRows) ? row->on_wire : kIoErrorOnWire;
}

int errno_from_wire(int number) noexcept {
  if (number == 0 || kNumbersAreTheWires) return number;
  const auto* row = std::ranges::find(kRows, number, &Row::on_wire);
  return row != std::end(kRows) ? row->here() : static_cast<int>(std::errc::io_error);
}

}  // namespace ferrule::control
