#include "control/uapi_errno.h"

#include <gtest/gtest.h>

#include <system_error>
#include <utility>

#include "control/uapi_writer.h"

namespace ferrule::control {
namespace {

// As Linux has them on all CPUs but MIPS, SPARC, Alpha and PA-RISC.
constexpr std::pair<std::errc, int> kKnown[] = {
    {std::errc::operation_not_permitted, 1}, {std::errc::io_error, 5},
    {std::errc::argument_list_too_long, 7},  {std::errc::not_enough_memory, 12},
    {std::errc::permission_denied, 13},      {std::errc::file_exists, 17},
    {std::errc::no_such_device, 19},         {std::errc::invalid_argument, 22},
    {std::errc::protocol_error, 71},         {std::errc::operation_not_supported, 95},
    {std::errc::address_in_use, 98},         {std::errc::address_not_available, 99},
    {std::errc::operation_canceled, 125},
};

TEST(UapiErrno, P100_IsLinuxsNumberOnEverySystem) {
  for (const auto& [meaning, number] : kKnown) {
    EXPECT_EQ(errno_on_wire(static_cast<int>(meaning)), number);
    EXPECT_EQ(errno_from_wire(number), static_cast<int>(meaning));
  }
}

TEST(UapiErrno, P100_SuccessIsZero) {
  EXPECT_EQ(errno_on_wire(0), 0);
  EXPECT_EQ(errno_from_wire(0), 0);
}

TEST(UapiErrno, P100_WhatNoSystemKnowsIsAnErrorAllTheSame) {
  EXPECT_NE(errno_on_wire(77'777), 0);
  EXPECT_NE(errno_from_wire(77'777), 0);
}

TEST(UapiErrno, P100_AnAnswerHasTheWiresNumber) {
  std::string answer;
  UapiWriter writer([&answer](std::string_view piece) { answer += piece; });
  writer.finish(static_cast<int>(std::errc::address_in_use));
  EXPECT_EQ(answer, "errno=-98\n\n");
}

}  // namespace
}  // namespace ferrule::control
