#include <gtest/gtest.h>

#include "base/work.hpp"
#include "pairs/pairs.hpp"

namespace ligase::pairs {
namespace {

PairKey claim(std::size_t i) {
  return {*Domain::parse("s" + std::to_string(i) + ".tld"), *Domain::parse("target1.tld")};
}
Refusals::Refused refused(Instant until) { return {{Reason::dialback_invalid, {}}, {}, {}, until}; }

// AB-214, P9: noting a refusal costs the same when the table is full; what is over gives way, and nothing is scanned.
TEST(Refusals, FullTable_CostsNoMoreThanAnEmptyOne) {
  Refusals refusals;
  const Instant start{};
  for (std::size_t i = 0; i < 10'000; ++i) refusals.note(claim(i), refused(start + 30s), start);
  work_done = 0;
  for (std::size_t i = 0; i < 1'000; ++i) refusals.note(claim(20'000 + i), refused(start + 31s), start + 1s);
  EXPECT_EQ(work_done, 0u);
  EXPECT_EQ(refusals.all().size(), 10'000u);
  EXPECT_EQ(refusals.find(claim(20'000)), nullptr);
  refusals.note(claim(30'000), refused(start + 61s), start + 31s);
  EXPECT_EQ(refusals.all().size(), 1u);
  EXPECT_NE(refusals.find(claim(30'000)), nullptr);
}

TEST(Refusals, NotedAgain_StaysToItsNewEnd) {
  Refusals refusals;
  const Instant start{};
  refusals.note(claim(1), refused(start + 30s), start);
  refusals.note(claim(1), refused(start + 50s), start + 20s);
  refusals.note(claim(2), refused(start + 70s), start + 40s);
  EXPECT_NE(refusals.find(claim(1)), nullptr);
  refusals.note(claim(3), refused(start + 90s), start + 60s);
  EXPECT_EQ(refusals.find(claim(1)), nullptr);
}

}  // namespace
}  // namespace ligase::pairs
