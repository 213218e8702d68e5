#include "pair/turns.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace ligase::pair {
namespace {

// Pairs that each send stanzas of one size, `left` of them.
struct Load {
  std::uint64_t size;
  std::uint64_t left, sent_bytes = 0;
};

struct Stream {
  std::vector<Load> loads;
  Turns<std::size_t> turns{1000};
  std::size_t asked = 0;

  explicit Stream(std::vector<Load> of) : loads(std::move(of)) {
    for (std::size_t i = 0; i < loads.size(); ++i) turns.add(i);
  }
  std::optional<std::size_t> send() {
    const auto whose = turns.next([&](std::size_t i) {
      ++asked;
      return loads[i].left > 0 ? std::optional(loads[i].size) : std::nullopt;
    });
    if (!whose) return std::nullopt;
    turns.spend(loads[*whose].size);
    --loads[*whose].left;
    loads[*whose].sent_bytes += loads[*whose].size;
    return whose;
  }
};

TEST(Turns, PairsAreEqualInBytes_WhateverTheirStanzasAre) {  // MUX-11
  Stream stream({{100, 1'000'000}, {900, 1'000'000}, {7000, 1'000'000}});
  for (int i = 0; i < 20'000; ++i) {
    ASSERT_TRUE(stream.send());
    const auto [least, most] =
        std::minmax({stream.loads[0].sent_bytes, stream.loads[1].sent_bytes, stream.loads[2].sent_bytes});
    ASSERT_LE(most - least, 7000u + 2 * 1000u) << i;
  }
}

TEST(Turns, QuietPair_WaitsForOneRoundAtMost) {  // MUX-11
  Stream stream({{500, 1'000'000}, {500, 1'000'000}, {500, 0}});
  for (int i = 0; i < 10; ++i) stream.send();
  stream.loads[2].left = 1;
  stream.turns.add(2);
  std::uint64_t before = 0;
  while (stream.send() != 2u) before += 500;
  EXPECT_LE(before, 2 * 1000u);
}

TEST(Turns, WhatWasSavedUp_EndsWithTheQueue) {  // MUX-11: resting earns nothing
  Stream stream({{2500, 1}, {100, 1'000'000}});
  while (stream.loads[0].left > 0) stream.send();
  while (stream.turns.has(0)) stream.send();
  stream.loads[0] = {100, 1'000'000};
  stream.turns.add(0);
  while (stream.send() != 0u) continue;
  std::uint64_t in_a_row = 1;
  while (stream.send() == 0u) ++in_a_row;
  EXPECT_EQ(in_a_row, 10u);
}

TEST(Turns, NobodyIsLeft_NobodyHasTheTurn) {
  Stream stream({{100, 1}, {100, 2}});
  EXPECT_EQ(stream.send(), 0u);
  EXPECT_EQ(stream.send(), 1u);
  EXPECT_EQ(stream.send(), 1u);
  EXPECT_EQ(stream.send(), std::nullopt);
  EXPECT_TRUE(stream.turns.is_empty());
}

TEST(Turns, PairThatLeavesInItsTurn_LeavesNoShareBehind) {
  Stream stream({{600, 5}, {1500, 5}, {600, 5}});
  EXPECT_EQ(stream.send(), 0u);
  stream.turns.remove(0);
  stream.turns.remove(0);
  EXPECT_EQ(stream.turns.size(), 2u);
  EXPECT_EQ(stream.send(), 2u);  // the next one's stanza is worth two rounds
  EXPECT_EQ(stream.send(), 1u);
}

TEST(Turns, StreamThatIsFull_AsksAgainAndGivesNothingTwice) {
  Stream stream({{1000, 3}, {1000, 3}});
  const auto size = [](std::size_t) { return std::optional<std::uint64_t>(1000); };
  for (int i = 0; i < 10; ++i) EXPECT_EQ(stream.turns.next(size), 0u);
  EXPECT_EQ(stream.send(), 0u);
  EXPECT_EQ(stream.send(), 1u);
}

TEST(Turns, CostOfAStanza_DoesNotGrowWithThePairs) {
  const auto asked = [](std::size_t pairs) {
    Stream stream(std::vector<Load>(pairs, Load{400, 20}));
    while (stream.send()) continue;
    return stream.asked;
  };
  EXPECT_LE(asked(2000), 2 * asked(1000) + 10);
}

}  // namespace
}  // namespace ligase::pair
