#include "lab/ledger.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace ligase::lab {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

const Moment t0 = Moment{} + 1h;

class LabLedger : public ::testing::Test {
 protected:
  LabLedger() : plan_(make_plan({.domains_one = 2, .domains_two = 3})), ledger_(plan_, 2) {}
  void deliver(std::size_t flow, unsigned number, Moment now = t0) {
    const std::string id = std::to_string(flow) + "-" + std::to_string(number);
    const std::string from = "lab@" + ledger_.sender(ledger_.flow(flow)) + "/lab";
    ledger_.arrived({.at = ledger_.target(ledger_.flow(flow)), .from = from, .id = id, .text = {}}, now);
  }
  Plan plan_;
  Ledger ledger_;
};

TEST_F(LabLedger, EveryPairInBothDirections_IsOneFlow) {
  EXPECT_EQ(ledger_.flows(), 12u);
  EXPECT_EQ(ledger_.total(), 24u);
  std::set<std::pair<std::string, std::string>> pairs;
  for (std::size_t i = 0; i < ledger_.flows(); ++i) {
    const Flow flow = ledger_.flow(i);
    EXPECT_EQ(ledger_.index(flow), i);
    pairs.emplace(ledger_.sender(flow), ledger_.target(flow));
  }
  EXPECT_EQ(pairs.size(), 12u);
  EXPECT_TRUE(pairs.contains({"sender2.tld", "target3.tld"}));
  EXPECT_TRUE(pairs.contains({"target3.tld", "sender2.tld"}));
}

TEST_F(LabLedger, AllSentAndArrived_IsComplete) {
  for (std::size_t flow = 0; flow < 12; ++flow)
    for (unsigned number = 0; number < 2; ++number) ledger_.write(flow, number, t0);
  EXPECT_EQ(ledger_.lost(), 24u);
  EXPECT_FALSE(ledger_.is_complete());
  for (std::size_t flow = 0; flow < 12; ++flow)
    for (unsigned number = 0; number < 2; ++number) deliver(flow, number);
  EXPECT_TRUE(ledger_.is_complete());
  EXPECT_EQ(ledger_.delivered(), 24u);
  EXPECT_EQ(ledger_.flows_live(), 12u);
  EXPECT_TRUE(ledger_.faults().empty());
}

TEST_F(LabLedger, StanzaText_CarriesSenderTargetAndId) {
  EXPECT_THAT(ledger_.write(4, 1, t0),
              AllOf(HasSubstr("from='lab@sender2.tld/lab'"), HasSubstr("to='lab@target2.tld'"), HasSubstr("id='4-1'")));
}

TEST_F(LabLedger, TheSameTwice_CountsOnceAndIsAFault) {
  ledger_.write(0, 0, t0);
  deliver(0, 0);
  deliver(0, 0);
  EXPECT_EQ(ledger_.delivered(), 1u);
  EXPECT_EQ(ledger_.faults().at("twice").count, 1u);
}

TEST_F(LabLedger, SecondBeforeTheFirst_IsOutOfOrder) {
  ledger_.write(0, 0, t0);
  ledger_.write(0, 1, t0);
  deliver(0, 1);
  deliver(0, 0);
  EXPECT_EQ(ledger_.delivered(), 2u);
  EXPECT_EQ(ledger_.faults().at("out of order").count, 1u);
}

TEST_F(LabLedger, WrongPlaceForeignSenderUnknownIdOrUnsent_AreFaultsAndNoDeliveries) {
  ledger_.write(0, 0, t0);
  ledger_.arrived({.at = "target2.tld", .from = "lab@sender1.tld", .id = "0-0", .text = {}}, t0);
  ledger_.arrived({.at = "target1.tld", .from = "lab@sender2.tld", .id = "0-0", .text = {}}, t0);
  ledger_.arrived({.at = "target1.tld", .from = "lab@sender1.tld", .id = "0-7", .text = {}}, t0);
  ledger_.arrived({.at = "target1.tld", .from = "lab@sender1.tld", .id = "x", .text = {}}, t0);
  ledger_.arrived({.at = "target1.tld", .from = "lab@sender1.tld", .id = "0-1", .text = {}}, t0);
  EXPECT_EQ(ledger_.delivered(), 0u);
  EXPECT_EQ(ledger_.lost(), 1u);
  EXPECT_EQ(ledger_.faults().at("at a wrong place").count, 2u);
  EXPECT_EQ(ledger_.faults().at("of unknown id").count, 2u);
  EXPECT_EQ(ledger_.faults().at("never sent").count, 1u);
}

TEST_F(LabLedger, Bounce_IsNeitherDeliveredNorLostAndItsTextIsKept) {
  ledger_.write(0, 0, t0);
  ledger_.arrived({.at = "sender1.tld", .from = "lab@target1.tld", .id = "0-0", .text = "not proven", .is_error = true},
                  t0);
  EXPECT_EQ(ledger_.bounced(), 1u);
  EXPECT_EQ(ledger_.bounced(0), 1u);
  EXPECT_EQ(ledger_.bounced(1) + ledger_.delivered(0), 0u);
  EXPECT_EQ(ledger_.lost(), 0u);
  EXPECT_THAT(ledger_.bounce_texts(), ElementsAre(Pair("not proven", 1u)));
}

TEST_F(LabLedger, Times_AreFromTheFirstWriteToItsArrival_AndTheFirstFlowStandsAlone) {
  for (std::size_t flow = 0; flow < 4; ++flow) ledger_.write(flow, 0, t0);
  deliver(0, 0, t0 + 900ms);
  EXPECT_FALSE(ledger_.median_of_further());
  deliver(1, 0, t0 + 10ms);
  deliver(2, 0, t0 + 30ms);
  EXPECT_DOUBLE_EQ(ledger_.median_of_further()->count(), 0.020);
  deliver(3, 0, t0 + 40ms);
  EXPECT_DOUBLE_EQ(ledger_.median_of_further()->count(), 0.030);
  EXPECT_DOUBLE_EQ(ledger_.span_of_further()->count(), 0.040);
  EXPECT_DOUBLE_EQ(ledger_.first_time(0)->count(), 0.9);
  EXPECT_FALSE(ledger_.first_time(5));
}

TEST_F(LabLedger, WhatNeverCame_IsListedByName) {
  ledger_.write(4, 1, t0);
  EXPECT_THAT(ledger_.missing(5), ElementsAre("sender2.tld → target2.tld, stanza 2"));
}

}  // namespace
}  // namespace ligase::lab
