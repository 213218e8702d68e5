#include "lab/outcome.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ligase::lab {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// One customer at either side of a broken run, whose stanzas and entries a test makes up.
class LabOutcome : public ::testing::Test {
 protected:
  void run(const char* broken, std::optional<Way> proof = std::nullopt) {
    plan = make_plan({.domains_one = 1, .domains_two = 1, .proof = proof, .break_what = broken});
    ledger.emplace(plan, 1);
    ledger->write(0, 0, {});
    ledger->write(1, 0, {});
  }
  void deliver() {
    ledger->arrived({.at = "target1.tld", .from = "sender1.tld", .id = "0-0"}, {});
    ledger->arrived({.at = "sender1.tld", .from = "target1.tld", .id = "1-0"}, {});
  }
  void bounce() {
    ledger->arrived({.at = "sender1.tld", .from = "target1.tld", .id = "0-0", .is_error = true}, {});
    ledger->arrived({.at = "target1.tld", .from = "sender1.tld", .id = "1-0", .is_error = true}, {});
  }
  static PairEntry refused(const char* direction, const char* why) {
    return {
        .local = "sender1.tld", .remote = "target1.tld", .direction = direction, .state = "refused", .last_error = why};
  }
  static PairEntry proven(const char* direction, const char* proof, const char* evidence = "evidence") {
    return {.local = "sender1.tld",
            .remote = "target1.tld",
            .direction = direction,
            .state = "proven",
            .proof = proof,
            .evidence = evidence};
  }
  Outcome outcome(std::vector<PairEntry> entries, std::string log = {}) {
    return judge_outcome(plan, {*ledger, std::move(entries), std::move(log)});
  }

  Plan plan;
  std::optional<Ledger> ledger;
};

TEST_F(LabOutcome, RefusedAsTheTableSays_IsToldInTheGatewaysWordsWithWhatToDo) {
  run("tlsa");
  bounce();
  const Outcome told = outcome({refused("out", "dane.mismatch: none at _1._tcp.xmpp2.receiving.tld: really"),
                                refused("in", "dane.mismatch: x")});
  EXPECT_THAT(told.wrong, IsEmpty());
  EXPECT_EQ(told.reason, "dane.mismatch");
  EXPECT_EQ(told.proof, "");
  EXPECT_EQ(told.says, "target1.tld is refused (dane.mismatch): none at _1._tcp.xmpp2.receiving.tld: really; " +
                           std::string(describe(Reason::dane_mismatch).what_to_do));
  EXPECT_EQ(told.expected, "refused with dane.mismatch (O-11, I-04)");
}

TEST_F(LabOutcome, SentenceThatIsAboutSomethingElse_IsNotRight) {
  run("posh-loop");
  deliver();
  EXPECT_THAT(outcome({proven("out", "dialback", "no posh: no web server"), proven("in", "dialback")}).wrong,
              ElementsAre(HasSubstr("is not about \"/again.json\"")));
}

TEST_F(LabOutcome, ProvenThoughItMustNotBe_IsNotRight) {
  run("tlsa");
  deliver();
  const Outcome told = outcome({proven("out", "dialback"), refused("in", "dane.mismatch: x")});
  EXPECT_THAT(told.wrong, ElementsAre(HasSubstr("out sender1.tld target1.tld is proven dialback"),
                                      HasSubstr("2 stanzas from or to target1.tld were delivered"),
                                      HasSubstr("what the gateway says is not about")));
}

TEST_F(LabOutcome, RefusedForAnotherReason_IsNotRight) {
  run("rrsig");
  bounce();
  EXPECT_THAT(outcome({refused("out", "connect.refused: signature expired"), refused("in", "dns.bogus: x")}).wrong,
              ElementsAre(HasSubstr("connect.refused")));
  EXPECT_THAT(outcome({refused("out", "dns.bogus: signature expired"), refused("in", "connect.refused: x")}).wrong,
              ElementsAre(HasSubstr("connect.refused")));
}

TEST_F(LabOutcome, PairThatTheGatewayDoesNotKnow_IsNotRight) {
  run("rrsig");
  bounce();
  EXPECT_THAT(outcome({refused("out", "dns.bogus: signature expired")}).wrong,
              ElementsAre(HasSubstr("only 1 of 2 pairs")));
}

TEST_F(LabOutcome, WeakerProof_IsRightWhereThePolicyTakesIt_AndNowhereElse) {
  run("cert-expired");
  deliver();
  const Outcome told = outcome({proven("out", "dialback", "it has expired"), proven("in", "dialback")});
  EXPECT_THAT(told.wrong, IsEmpty());
  EXPECT_EQ(told.reason, "pkix.expired");
  EXPECT_EQ(told.proof, "dialback");
  EXPECT_THAT(told.says, HasSubstr("target1.tld is proven by dialback only: it has expired; the peer must renew"));
  EXPECT_THAT(outcome({proven("out", "dnssec", "it has expired"), proven("in", "dialback")}).wrong,
              ElementsAre(HasSubstr("dnssec")));
  run("cert-expired", Way::dnssec);
  deliver();
  EXPECT_FALSE(outcome({proven("out", "dialback"), proven("in", "dialback")}).is_right());
}

TEST_F(LabOutcome, Forger_IsToldFromTheLog) {
  run("dialback-forged");
  deliver();
  const std::string log =
      "2026-01-01T00:00:00Z warning event=pair_refused direction=in remote=target1.tld address=127.0.0.66:5 "
      "reason=dialback.invalid detail=\"xmpp1 did not make this \\\"key\\\" or did not make this key\"\n";
  const Outcome told = outcome({proven("out", "dialback"), proven("in", "dialback")}, log);
  EXPECT_THAT(told.wrong, IsEmpty());
  EXPECT_THAT(told.says,
              HasSubstr("a claim to be target1.tld from 127.0.0.66:5 is refused (dialback.invalid): xmpp1 did "
                        "not make this \"key\" or did not make this key; "));
  EXPECT_FALSE(outcome({proven("out", "dialback"), proven("in", "dialback")}).is_right());  // nobody was refused
}

TEST_F(LabOutcome, Restart_IsToldByHowTheStreamEnded) {
  run("peer-restart");
  deliver();
  const std::string log =
      "t info event=stream_closed stream=1 peer=xmpp1.receiving.tld reason=stream.error detail=system-shutdown\n";
  const Outcome told = outcome({proven("out", "dnssec"), proven("in", "dnssec")}, log);
  EXPECT_THAT(told.wrong, IsEmpty());
  EXPECT_THAT(told.says,
              HasSubstr("ended the stream (stream.error: system-shutdown), and target1.tld is proven by dnssec anew"));
  EXPECT_FALSE(outcome({proven("out", "dnssec"), proven("in", "dnssec")}).is_right());  // nothing ended
}

TEST_F(LabOutcome, SlowCustomer_IsRightIfTheOthersDidNotWaitForIt) {
  run("slow-customer");
  deliver();
  const std::vector<PairEntry> entries{proven("out", "dnssec"), proven("in", "dnssec")};
  const Outcome told = judge_outcome(plan, {*ledger, entries, "", Seconds(0.25), 7});
  EXPECT_THAT(told.wrong, IsEmpty());
  EXPECT_THAT(told.says, HasSubstr("had arrived after 0.25 s, with 7 stanzas for it still under way"));
  EXPECT_FALSE(outcome(entries).is_right());
}

TEST_F(LabOutcome, OnlyTheBrokenDomainsPairs_MayBeRefused) {
  plan = make_plan({.domains_one = 1, .domains_two = 2, .break_what = "tlsa"});
  EXPECT_TRUE(may_be_refused(plan, "sender1.tld", "target2.tld"));
  EXPECT_TRUE(may_be_refused(plan, "target2.tld", "sender1.tld"));
  EXPECT_FALSE(may_be_refused(plan, "sender1.tld", "target1.tld"));
  plan = make_plan({.domains_one = 1, .domains_two = 2, .break_what = "no-eku"});
  EXPECT_FALSE(may_be_refused(plan, "sender1.tld", "target2.tld"));
}

TEST(LabProofDue, IsWhatTheFarEndPublished_OrWhatIsLeftOfIt) {
  const auto due = [](const Plan& plan, const char* remote) { return proof_due(plan, {.remote = remote}); };
  const Plan mixed = make_plan({.proof = Way::mixed});
  EXPECT_EQ(due(mixed, "target1.tld"), Way::dane);
  EXPECT_EQ(due(mixed, "sender5.tld"), Way::dialback);
  const Plan broken = make_plan({.break_what = "cert-expired"});
  EXPECT_EQ(due(broken, "target20.tld"), Way::dialback);
  EXPECT_EQ(due(broken, "target19.tld"), Way::dnssec);
}

TEST(LabRecord, Values_AreReadAsTheLogWritesThem) {
  const std::string_view record = "t info event=x a=1 b=\"two words, \\\"quoted\\\"\" cc=3";
  EXPECT_EQ(value_in_record(record, "a"), "1");
  EXPECT_EQ(value_in_record(record, "b"), "two words, \"quoted\"");
  EXPECT_EQ(value_in_record(record, "cc"), "3");
  EXPECT_EQ(value_in_record(record, "c"), "");
}

}  // namespace
}  // namespace ligase::lab
