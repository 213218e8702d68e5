#include "lab/report.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json.hpp>

namespace ligase::lab {
namespace {

using ::testing::HasSubstr;

Report good() {
  Report report;
  report.domains = {20, 20};
  report.pairs = 800;
  report.connections = 2;
  report.sent = report.delivered = 1600;
  report.proofs.proven = {{"dnssec", 1600}};
  report.setup = 0.25;
  report.first_connect = 0.0000153;
  report.subsequent_pair_median = 12.5;
  return report;
}

TEST(LabReport, Document_HasEveryRequiredKeyOfTheContractWithItsType) {
  const auto document = boost::json::parse(to_json(good())).as_object();
  EXPECT_EQ(document.at("domains").as_array(), (boost::json::array{20, 20}));
  EXPECT_EQ(document.at("pairs").as_int64(), 800);
  EXPECT_EQ(document.at("connections").at("one_per_pair_and_direction").as_int64(), 800);
  EXPECT_EQ(document.at("connections").at("measured").as_int64(), 2);
  EXPECT_EQ(document.at("stanzas").at("sent").as_int64(), 1600);
  EXPECT_EQ(document.at("stanzas").at("delivered").as_int64(), 1600);
  EXPECT_EQ(document.at("stanzas").at("lost").as_int64(), 0);
  EXPECT_EQ(document.at("stanzas").at("bounced").as_int64(), 0);
  EXPECT_EQ(document.at("proofs").as_object(), (boost::json::object{{"dnssec", 1600}}));
  EXPECT_DOUBLE_EQ(document.at("seconds").at("setup").as_double(), 0.25);
  EXPECT_DOUBLE_EQ(document.at("seconds").at("first_connect").as_double(), 0.000015);
  EXPECT_DOUBLE_EQ(document.at("seconds").at("subsequent_pair_median").as_double(), 12.5);
  EXPECT_EQ(document.at("certificates_with_customer_names").as_int64(), 0);
}

TEST(LabReport, Document_IsOneLine) { EXPECT_EQ(std::ranges::count(to_json(good()), '\n'), 1); }

TEST(LabReport, AnythingMissing_IsNotFine) {
  EXPECT_TRUE(good().is_fine());
  EXPECT_FALSE(Report{}.is_fine());
  Report report = good();
  report.delivered = 1599, report.lost = 1;
  EXPECT_FALSE(report.is_fine());
  report = good();
  report.delivered = 1599, report.bounced = 1;
  EXPECT_FALSE(report.is_fine());
  report = good();
  report.proofs.proven = {{"dnssec", 1599}};
  EXPECT_FALSE(report.is_fine());
  report = good();
  report.faults = {"1 stanza arrived twice"};
  EXPECT_FALSE(report.is_fine());
}

// What is refused because it was broken is no fault; one stanza more or less is.
TEST(LabReport, OfSomethingBroken_WhatHadToComeIsFine) {
  Report report = good();
  report.outcome = Outcome{.what = "tlsa", .says = "target20.tld is refused", .reason = "dane.mismatch"};
  report.to_be_bounced = 80, report.to_be_refused = 80;
  EXPECT_FALSE(report.is_fine());
  report.delivered = 1520, report.bounced = 80;
  report.proofs.proven = {{"dane", 1520}};
  EXPECT_TRUE(report.is_fine());
  report.bounced = 79, report.delivered = 1521;
  EXPECT_FALSE(report.is_fine());
  report.bounced = 80, report.delivered = 1520;
  report.outcome->wrong = {"it is proven by dialback"};
  EXPECT_FALSE(report.is_fine());
}

TEST(LabReport, OfSomethingBroken_TheDocumentSaysWhatTheGatewaySays) {
  Report report = good();
  report.outcome =
      Outcome{.what = "tlsa", .domain = "target20.tld", .says = "it is \"refused\"", .reason = "dane.mismatch"};
  const auto told = boost::json::parse(to_json(report)).at("break").as_object();
  EXPECT_EQ(told.at("what").as_string(), "tlsa");
  EXPECT_EQ(told.at("says").as_string(), "it is \"refused\"");
  EXPECT_EQ(told.at("reason").as_string(), "dane.mismatch");
  EXPECT_TRUE(told.at("proof").is_null());
  EXPECT_TRUE(told.at("is_right").as_bool());
  EXPECT_THAT(to_table(report), HasSubstr("the gateway says: it is \"refused\"\nthat is right\n"));
}

TEST(LabReport, Mixed_ShowsEachProofWithItsNearestExpiryAndEachPair) {
  Report report = good();
  report.way = Way::mixed;
  report.proofs.proven = {{"dane", 800}, {"posh", 800}};
  report.proofs.nearest_expiry = {{"dane", "2026-01-01T00:00:00Z"}, {"posh", "2026-01-02T00:00:00Z"}};
  report.naming = {2, 2};
  report.live = {{.local = "sender1.tld",
                  .remote = "target1.tld",
                  .direction = "out",
                  .state = "proven",
                  .proof = "dane",
                  .expires_at = "2026-01-01T00:00:00Z"}};
  const std::string table = to_table(report);
  EXPECT_THAT(table, HasSubstr("dane           800  2026-01-01T00:00:00Z"));
  EXPECT_THAT(table, HasSubstr("good for XMPP and nothing else"));
  const auto document = boost::json::parse(to_json(report)).as_object();
  EXPECT_EQ(document.at("pair_proofs").as_array(), (boost::json::array{{{"local", "sender1.tld"},
                                                                        {"remote", "target1.tld"},
                                                                        {"direction", "out"},
                                                                        {"proof", "dane"},
                                                                        {"expires_at", "2026-01-01T00:00:00Z"}}}));
  EXPECT_EQ(document.at("certificates_with_customer_names").as_int64(), 2);
  EXPECT_EQ(document.at("certificates_with_customer_names_for_xmpp_only").as_int64(), 2);
}

TEST(LabReport, Table_TellsTheSameFiguresAndWhatIsWrong) {
  Report report = good();
  report.faults = {"1 stanza arrived twice"};
  const std::string table = to_table(report);
  for (const char* text : {"20 and 20 domains", "800 pairs", "one for each pair and direction would be 800",
                           "dnssec 1600", "wrong:\n  1 stanza arrived twice"})
    EXPECT_THAT(table, HasSubstr(text));
}

}  // namespace
}  // namespace ligase::lab
