// AB-069: what is a renewal, what is a change, and that neither a flood nor a file of anybody's does harm.
#include "proof/known_keys.hpp"

#include <gtest/gtest.h>

namespace ligase::proof {
namespace {

using std::chrono::hours;
constexpr WallTime kNow{std::chrono::seconds(1'790'000'000)};
const std::string kOne(64, '1'), kTwo(64, '2'), kThree(64, '3');

TEST(KnownKeys, FirstSeen_IsRememberedWithoutAWord) {
  KnownKeys keys;
  const auto noted = keys.note("target.tld", kOne, "First CA", kNow);
  EXPECT_FALSE(noted.before);
  EXPECT_TRUE(noted.is_worth_keeping);
  EXPECT_FALSE(keys.note("target.tld", kOne, "First CA", kNow + 1s).is_worth_keeping);
  EXPECT_TRUE(keys.note("target.tld", kOne, "First CA", kNow + hours(24)).is_worth_keeping);
}

TEST(KnownKeys, RenewalWithTheSameKeyOrTheSameCa_IsNoChange) {
  KnownKeys keys;
  keys.note("target.tld", kOne, "First CA", kNow);
  EXPECT_FALSE(keys.note("target.tld", kTwo, "First CA", kNow + 1s).before);
  EXPECT_FALSE(keys.note("target.tld", kTwo, "Second CA", kNow + 2s).before) << "step by step it may become another";
  EXPECT_FALSE(keys.note("target.tld", kThree, "Second CA", kNow + 3s).before);
}

TEST(KnownKeys, AnotherKeyFromAnotherCa_IsAChangeOnce) {
  KnownKeys keys;
  keys.note("target.tld", kOne, "First CA", kNow);
  const auto noted = keys.note("target.tld", kTwo, "Second CA", kNow + hours(48));
  ASSERT_TRUE(noted.before);
  EXPECT_EQ(*noted.before, (KnownKey{kOne, "First CA", kNow, kNow}));
  EXPECT_TRUE(noted.is_worth_keeping);
  EXPECT_FALSE(keys.note("target.tld", kTwo, "Second CA", kNow + hours(49)).before);
  EXPECT_FALSE(keys.note("target.tld", kOne, "First CA", kNow + hours(49)).before) << "two servers may take turns";
  EXPECT_FALSE(keys.note("other.tld", kTwo, "Second CA", kNow + hours(49)).before) << "each name for itself";
}

TEST(KnownKeys, ManyKeysOfOneName_AreBounded) {
  KnownKeys keys;
  for (char digit = '0'; digit <= '9'; ++digit)
    keys.note("target.tld", std::string(64, digit), std::string("CA ") + digit, kNow + hours(digit));
  EXPECT_LE(keys.text_of("target.tld").size(), 4u * 128);
  EXPECT_TRUE(keys.note("target.tld", std::string(64, '0'), "CA 0", kNow + hours(100)).before) << "it gave way";
  EXPECT_FALSE(keys.note("target.tld", std::string(64, '9'), "CA 9", kNow + hours(100)).before);
}

TEST(KnownKeys, Flood_DoesNotWashOutWhomWeKnow) {
  KnownKeys keys(3);
  keys.note("target.tld", kOne, "First CA", kNow);
  keys.note("target.tld", kOne, "First CA", kNow + hours(24));
  const WallTime flood = kNow + hours(48);
  for (int i = 0; i < 100; ++i) keys.note("x" + std::to_string(i) + ".evil.tld", kTwo, "Second CA", flood);
  EXPECT_EQ(keys.size(), 3u);
  EXPECT_TRUE(keys.note("target.tld", kTwo, "Second CA", flood + 1s).before);
  // What was seen once gives its place back after a week.
  EXPECT_TRUE(keys.note("new.tld", kThree, "First CA", flood + hours(24 * 7)).is_worth_keeping);
  EXPECT_EQ(keys.size(), 2u);
}

TEST(KnownKeys, Text_BringsThemBack) {
  KnownKeys keys;
  keys.note("target.tld", kOne, "First CA", kNow);
  keys.note("target.tld", kTwo, "CN=Second CA,C=DE", kNow + hours(30));
  KnownKeys other;
  other.recall("target.tld", keys.text_of("target.tld"), kNow + hours(31));
  EXPECT_EQ(other.text_of("target.tld"), keys.text_of("target.tld"));
  EXPECT_EQ(other.expires("target.tld"), kNow + hours(30 + 24 * 180));
  EXPECT_FALSE(other.note("target.tld", kThree, "CN=Second CA,C=DE", kNow + hours(32)).before);
}

TEST(KnownKeys, TextThatSaysAnything_IsPassedOver) {
  const std::string times = " 1780000000 1780000000 ";
  for (const std::string& text :
       {std::string("\xff\xfe \n\n x"), std::string(64, 'x') + times + "CA", kOne, kOne + times, kOne + " 1 0 CA",
        kOne + " -5 1780000000 CA", kOne + " 1780000000 99999999999999999999 CA", kOne + " 1780000000 1999999999 CA",
        kOne + times + std::string(300, 'x'), kOne.substr(1) + times + "CA", kOne + " 0 1 CA"}) {
    KnownKeys keys;
    keys.recall("target.tld", text, kNow);
    EXPECT_EQ(keys.size(), 0u) << text;
  }
  KnownKeys keys;
  std::string many;
  for (int i = 0; i < 100; ++i) many += kOne + times + "CA " + std::to_string(i) + "\n";
  keys.recall("target.tld", many, WallTime(std::chrono::seconds(1'780'000'001)));
  EXPECT_EQ(keys.size(), 1u);
  EXPECT_LE(keys.text_of("target.tld").size(), 4u * 128);
}

}  // namespace
}  // namespace ligase::proof
