#include "pair/life.hpp"

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace ligase::pair {
namespace {

constexpr PolicyEpoch kEpoch{3};
constexpr StreamRef kOld{7}, kNew{8}, kThird{9};
const WallTime kWall = std::chrono::sys_days(std::chrono::year(2026) / 11 / 24);
const Instant kNow{100h};
const Error kWhy{Reason::pkix_name, "why"};

Life::Proven proven_on(StreamRef stream, PolicyEpoch epoch = kEpoch) {
  proof::Proof proof{proof::ProofType::dane, kWall + std::chrono::hours(1), "evidence"};
  proof.epoch = epoch.number;
  return {std::move(proof), stream, kWall};
}
Life life_on(StreamRef stream) {
  Life life;
  life.begin();
  life.settle(proven_on(stream));
  return life;
}
void refuse(Life& life, Instant now, Life::Weight weight = Life::Weight::final, WallTime wall = kWall) {
  life.begin();
  life.settle({kWhy, wall, now + rest_after(kWhy.reason, life.refusals_in_a_row() + 1)}, weight, kEpoch);
}

TEST(Life, ProofHoldsOnItsStreamInItsTimeUnderTheEpochOfItsJudgement) {  // P1, P2, MUX-09, PKIX-05
  const Life life = life_on(kOld);
  EXPECT_NE(life.live_on(kOld, kEpoch, kWall), nullptr);
  EXPECT_EQ(life.live_on(kNew, kEpoch, kWall), nullptr);
  EXPECT_EQ(life.live_on(kOld, kEpoch, kWall + std::chrono::hours(1)), nullptr);
  EXPECT_EQ(life.live_on(kOld, PolicyEpoch{4}, kWall), nullptr);
}

TEST(Life, ProofJudgedBeforeAReload_DoesNotHoldAfterIt) {  // AB-179
  Life life;
  life.begin();
  life.settle(proven_on(kOld, PolicyEpoch{2}));  // judged under 2, came home under 3
  EXPECT_EQ(life.live_on(kOld, kEpoch, kWall), nullptr);
}

TEST(Life, RefusedInARow_RestDoublesToAnHour) {  // MUX-05
  Life life;
  Instant now = kNow;
  for (const auto rest : {30s, 60s, 120s, 240s, 480s, 960s, 1920s, 3600s, 3600s}) {
    ASSERT_EQ(life.resting(now), nullptr);
    refuse(life, now);
    EXPECT_NE(life.resting(now + rest - 1ns), nullptr);
    now += rest;
  }
  EXPECT_EQ(rest_after(kWhy.reason, UINT32_MAX), Duration(1h));
  EXPECT_EQ(rest_after(Reason::dns_not_found, 9), Duration(5s));
  EXPECT_EQ(rest_after(Reason::connect_timeout, 9), Duration(10s));
  life.begin();
  life.settle(proven_on(kOld));
  refuse(life, now);
  EXPECT_EQ(life.resting(now + 30s), nullptr);  // a proof ends the row
}

TEST(Life, PolicyChanged_RefusalNeedNotRest) {
  Life life;
  refuse(life, kNow);
  life.judge_anew(kNow + 1s);
  EXPECT_EQ(life.resting(kNow + 1s), nullptr);
}

TEST(Life, RenewalThatFailsForNow_LeavesTheProofTillItsEnd) {
  Life life = life_on(kOld);
  refuse(life, kNow, Life::Weight::temporary);
  EXPECT_NE(life.live_on(kOld, kEpoch, kWall), nullptr);
  refuse(life, kNow, Life::Weight::temporary, kWall + std::chrono::hours(1));
  EXPECT_EQ(life.state_name(), "refused");
  Life other = life_on(kOld);
  refuse(other, kNow);
  EXPECT_EQ(other.state_name(), "refused");
}

TEST(Life, PairThatMoves_WaitsUntilItsOldStreamHasDrained) {  // P6, MUX-10
  Life life = life_on(kOld);
  life.stream_is_over(kOld);
  EXPECT_EQ(life.state_name(), "expired");
  life.begin();
  life.settle(proven_on(kNew));
  EXPECT_EQ(life.live_on(kNew, kEpoch, kWall), nullptr);
  EXPECT_TRUE(life.is_moving(kEpoch, kWall));
  EXPECT_FALSE(life.is_moving(kEpoch, kWall + std::chrono::hours(1)));
  life.stream_is_over(kNew);  // which took nothing
  life.begin();
  life.settle(proven_on(kThird));
  life.has_drained(kNew);
  EXPECT_EQ(life.live_on(kThird, kEpoch, kWall), nullptr);
  life.has_drained(kOld);
  EXPECT_NE(life.live_on(kThird, kEpoch, kWall), nullptr);
}

TEST(Life, RenewalOnTheSameStream_NeverStops) {
  Life life = life_on(kOld);
  life.begin();
  life.settle(proven_on(kOld));
  EXPECT_NE(life.live_on(kOld, kEpoch, kWall), nullptr);
  life.close();
  life.begin();
  life.settle(proven_on(kOld));
  EXPECT_NE(life.live_on(kOld, kEpoch, kWall), nullptr);
}

// Any events in any order: never live but on the stream, in the time and under the epoch of the last proof, and never while
// another stream still holds what was given to it.
TEST(Life, AnySequence_NothingPassesUnprovenAndNothingIsOvertaken) {  // P1, P6
  for (unsigned seed = 0; seed < 500; ++seed) {
    std::mt19937 dice(seed);
    Life life;
    std::map<std::uint64_t, bool> holds_bytes;  // by stream
    std::optional<Life::Proven> last;           // the proof that may hold
    unsigned row = 0;
    for (int step = 0; step < 100; ++step) {
      const StreamRef stream{1 + dice() % 3};
      switch (dice() % 7) {
        case 0:
          if (!life.is_being_proven()) life.begin();
          break;
        case 1:
          if (!life.is_being_proven()) break;
          last = proven_on(stream, PolicyEpoch{2 + dice() % 2});
          life.settle(*last);
          row = 0;
          break;
        case 2: {
          if (!life.is_being_proven()) break;
          const auto weight = dice() % 2 == 0 ? Life::Weight::final : Life::Weight::temporary;
          const bool keeps = weight == Life::Weight::temporary && last && last->proof.epoch == kEpoch.number;
          life.settle({kWhy, kWall, kNow}, weight, kEpoch);
          if (!keeps) last.reset(), ++row;
          break;
        }
        case 3:
          life.stream_is_over(stream);
          if (last && last->stream == stream) last.reset();
          break;
        case 4:
          holds_bytes[stream.number] = false;
          life.has_drained(stream);
          break;
        case 5:
          life.close();
          last.reset();
          break;
        case 6:
          life.judge_anew(kNow);
          break;
      }
      ASSERT_EQ(life.refusals_in_a_row(), row);
      ASSERT_EQ(life.as<Life::Proven>() != nullptr, last.has_value()) << seed << ' ' << step;
      for (const StreamRef at : {StreamRef{1}, StreamRef{2}, StreamRef{3}}) {
        if (life.live_on(at, kEpoch, kWall) == nullptr) continue;
        ASSERT_TRUE(last && last->stream == at && last->proof.epoch == kEpoch.number) << seed << ' ' << step;
        for (const auto& [other, holds] : holds_bytes) ASSERT_TRUE(!holds || other == at.number) << seed << ' ' << step;
        holds_bytes[at.number] = true;  // a stanza goes
      }
    }
  }
}

}  // namespace
}  // namespace ligase::pair
