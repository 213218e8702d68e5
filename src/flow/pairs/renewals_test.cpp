#include "pairs/renewals.hpp"

#include <gtest/gtest.h>

#include <set>

namespace ligase::pairs {
namespace {

PairKey pair_of(const std::string& sender) { return {*Domain::parse(sender), *Domain::parse("target1.tld")}; }

// "Re-proof of 10,000 pairs spread so that no second has more than 2 % of them": proven in one moment, with the shortest
// life that a proof can have.
TEST(Renewals, TenThousandPairsOfOneMoment_NoSecondHasMoreThanTwoPercent) {
  constexpr std::size_t kPairs = 10000;
  constexpr Duration kLife = 300s;
  const Instant start{};
  std::vector<PairKey> keys;
  for (std::size_t i = 0; i < kPairs; ++i) keys.push_back(pair_of("s" + std::to_string(i) + ".tld"));
  Renewals renewals(0.3);
  std::map<PairKey, Renewals::Ticket> tickets;
  std::map<PairKey, std::reference_wrapper<const PairKey>> keys_by_name;
  for (const PairKey& key : keys) {
    tickets[key] = renewals.schedule({}, key, start, kLife);
    keys_by_name.emplace(key, key);
  }
  std::size_t renewed = 0;
  for (Duration passed = 0s; passed < kLife; passed += 1s) {
    const std::vector<Renewals::Renewal> due = renewals.take_due(start + passed);
    EXPECT_LE(due.size(), kPairs / 50) << std::chrono::duration_cast<std::chrono::seconds>(passed).count();
    if (passed < kLife * 7 / 10) {
      EXPECT_TRUE(due.empty());
    }
    for (const Renewals::Renewal& renewal : due)
      tickets[renewal.key] = renewals.schedule({}, keys_by_name.at(renewal.key), start + passed, kLife);
    renewed += due.size();
  }
  EXPECT_EQ(renewed, kPairs);
}

// As after a long sleep of the machine: all are due, and still no second has more.
TEST(Renewals, AllDueAtOnce_AreTakenInTheirOrderAFewASecond) {
  std::vector<PairKey> keys;
  for (std::size_t i = 0; i < 1000; ++i) keys.push_back(pair_of("s" + std::to_string(i) + ".tld"));
  Renewals renewals;
  std::map<PairKey, Renewals::Ticket> tickets;
  for (const PairKey& key : keys) tickets[key] = renewals.schedule({}, key, Instant{}, 300s);
  std::set<PairKey> seen;
  for (int second = 0; second < 20; ++second)
    for (const Renewals::Renewal& renewal : renewals.take_due(Instant{} + 1h)) {
      tickets.at(renewal.key).cancel();
      EXPECT_TRUE(seen.insert(renewal.key).second);
    }
  EXPECT_EQ(seen.size(), 1000u);
  EXPECT_EQ(renewals.size(), 0u);
}

TEST(Renewals, TicketThatIsGone_LeavesNothingBehind) {
  const PairKey key = pair_of("sender1.tld");
  Renewals renewals;
  {
    Renewals::Ticket ticket = renewals.schedule({7}, key, Instant{}, 10s);
    Renewals::Ticket moved = std::move(ticket);
    EXPECT_FALSE(ticket.is_set());
    EXPECT_TRUE(moved.is_set());
    moved = renewals.schedule({7}, key, Instant{}, 100s);
    EXPECT_EQ(renewals.size(), 1u);
    EXPECT_TRUE(renewals.take_due(Instant{} + 50s).empty());
    ASSERT_EQ(renewals.take_due(Instant{} + 95s).size(), 1u);
    EXPECT_EQ(renewals.take_due(Instant{} + 95s)[0].stream, (pair::StreamRef{7}));
  }
  EXPECT_EQ(renewals.size(), 0u);
}

TEST(Renewals, RetryComesHalfwayToTheEnd) {
  const PairKey key = pair_of("sender1.tld");
  Renewals renewals;
  const Renewals::Ticket ticket = renewals.schedule_retry({}, key, Instant{}, 60s);
  EXPECT_TRUE(renewals.take_due(Instant{} + 29s).empty());
  EXPECT_EQ(renewals.take_due(Instant{} + 30s).size(), 1u);
}

}  // namespace
}  // namespace ligase::pairs
