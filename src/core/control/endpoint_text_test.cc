#include "control/endpoint_text.h"

#include <gtest/gtest.h>

namespace ferrule::control {
namespace {

std::uint32_t scope_of(const char* name) { return std::string_view(name) == "eth7" ? 7 : 0; }
std::string name_of(std::uint32_t index) { return index == 7 ? "eth7" : ""; }

std::string there_and_back(const char* text) {
  const auto endpoint = parse_endpoint(text, scope_of);
  return endpoint ? endpoint_text(*endpoint, name_of) : "refused";
}

TEST(EndpointText, PlainEndpointsAreAsEverywhere) {
  EXPECT_EQ(there_and_back("192.0.2.1:5"), "192.0.2.1:5");
  EXPECT_EQ(there_and_back("[2001:db8::1]:5"), "[2001:db8::1]:5");
}

TEST(EndpointText, AScopeIsWrittenAsTheNameOfItsInterface) {
  EXPECT_EQ(there_and_back("[fe80::1%eth7]:5"), "[fe80::1%eth7]:5");
  EXPECT_EQ(there_and_back("[fe80::1%7]:5"), "[fe80::1%eth7]:5");
}

TEST(EndpointText, AScopeWithoutNameStaysANumber) {
  EXPECT_EQ(there_and_back("[fe80::1%8]:5"), "[fe80::1%8]:5");
}

TEST(EndpointText, AnUnknownNameIsRefused) {
  EXPECT_EQ(there_and_back("[fe80::1%eth8]:5"), "refused");
}

}  // namespace
}  // namespace ferrule::control
