#include "crypto/password.h"

#include <gtest/gtest.h>

namespace ferrule::crypto {
namespace {

TEST(Password, AHashIsOfItsPasswordOnly) {
  const auto hash = hash_password("open sesame");
  ASSERT_TRUE(hash);
  EXPECT_TRUE(is_password_hash(*hash));
  EXPECT_TRUE(is_password_of(*hash, "open sesame"));
  EXPECT_FALSE(is_password_of(*hash, "open sesam"));
  EXPECT_FALSE(is_password_of(*hash, ""));
}

TEST(Password, HashesOfOnePasswordDiffer) {
  EXPECT_NE(hash_password("open sesame"), hash_password("open sesame"));
}

TEST(Password, WhatIsNoHashIsOfNoPassword) {
  EXPECT_FALSE(is_password_of("", ""));
  EXPECT_FALSE(is_password_of("$argon2id$v=19$nonsense", "x"));
  EXPECT_FALSE(is_password_of(std::string(1000, '$'), "x"));
}

}  // namespace
}  // namespace ferrule::crypto
