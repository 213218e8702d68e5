// `ctl explain` and `ctl close` in the simulated world: what an operator reads is what the judgement saw.
#include <gmock/gmock.h>

#include "sim/lab.hpp"
#include "sim/one_gateway.hpp"

namespace ligase::sim {
namespace {

using testing::HasSubstr;

std::string text_of(const report::Explanation& told) {
  std::string text;
  for (const report::Step& step : told.steps)
    text += fmt::format("{} {} {}\n", report::name_of(step.result), step.what, step.detail);
  return text + told.verdict;
}

Result<report::Explanation> explain(World& world, Provider& at, const std::string& local, const std::string& remote,
                                    bool may_dial = true) {
  std::optional<Result<report::Explanation>> told;
  boost::asio::co_spawn(
      world.executor(), at.gateway->explain(*Domain::parse(local), *Domain::parse(remote), may_dial),
      [&](std::exception_ptr, Result<report::Explanation> explained) { told = std::move(explained); });
  EXPECT_TRUE(world.run_until([&] { return told.has_value(); }, 120s));
  return told ? *told : fail(Reason::internal, "it never ended");
}

TEST(Explain, LivePair_ShowsRecordsCertificateAndMatchInBothDirections) {
  World world(61);
  Lab lab(world, 1, 1, {ProofType::dane});
  lab.send_all(1);
  ASSERT_TRUE(world.run_until([&] { return lab.arrived() == 2; }, 60s));
  const std::size_t connections = world.connections_made;
  const auto told = explain(world, *lab.one, "sender1.tld", "target1.tld");
  ASSERT_TRUE(told);
  const std::string text = text_of(*told);
  EXPECT_THAT(text, HasSubstr("ok policy proofs dane, dnssec, pkix, posh, dialback; encryption required"));
  EXPECT_THAT(text, HasSubstr("ok out: SRV _xmpp-server._tcp.target1.tld (secure): 0 0 5269 xmpp1.receiving.tld"));
  EXPECT_THAT(text, HasSubstr("ok out: addresses xmpp1.receiving.tld (secure): 192.0.2.2"));
  EXPECT_THAT(text, HasSubstr("ok out: TLSA _5269._tcp.xmpp1.receiving.tld (secure): 3 0 0 "));
  EXPECT_THAT(text, HasSubstr("ok out: certificate SHA-256 " + identities().two->fingerprint() +
                              "; dNSName xmpp1.receiving.tld"));
  EXPECT_THAT(text, HasSubstr("ok out: TLSA match 3 0 0 "));
  EXPECT_THAT(text, HasSubstr("skipped out: POSH not asked"));
  EXPECT_THAT(text, HasSubstr("ok out: judgement dane until "));
  EXPECT_THAT(text, HasSubstr("ok out: sender the peer has taken us for the sender on this stream already"));
  EXPECT_THAT(text, HasSubstr("ok in: judgement dane until "));
  EXPECT_THAT(told->verdict, HasSubstr("sender1.tld reaches target1.tld at xmpp1.receiving.tld, proven by dane"));
  EXPECT_THAT(told->verdict, HasSubstr("target1.tld reaches sender1.tld by dane"));
  EXPECT_EQ(world.connections_made, connections);
  EXPECT_THAT(report::to_json(*told), HasSubstr("{\"local\":\"sender1.tld\",\"remote\":\"target1.tld\",\"verdict\":"));
}

struct ExplainAtASlowPeer : OneGateway {
  ExplainAtASlowPeer() : OneGateway(79, "slow.tld") {}
};

// AB-277: an operator's question that waits no longer takes nobody else's answer with it.
TEST_F(ExplainAtASlowPeer, QuestionThatIsLate_LeavesItToThePairThatWaits) {
  start();
  start_authority();
  authority_server->answer_result = [](const auto&, const auto&) { return std::string(" "); };
  bool is_told = false;
  boost::asio::co_spawn(world.executor(),
                        gateway->gateway->explain(*Domain::parse("target1.tld"), *Domain::parse("slow.tld"), true),
                        [&](std::exception_ptr, Result<report::Explanation>) { is_told = true; });
  world.run_for(20s);
  gateway->component("target1.tld").send("<message from='a@target1.tld' to='b@slow.tld' id='1'/>");
  ASSERT_TRUE(world.run_until([&] { return is_told; }, 15s));
  world.run_for(1s);
  authority_server->say("<db:result from='slow.tld' to='target1.tld' type='valid'/>");
  world.run_for(30s);
  EXPECT_EQ(gateway->component("target1.tld").received.size(), 0u) << "nothing comes back";
  const auto pairs = gateway->gateway->pairs();
  ASSERT_EQ(pairs.size(), 1u);
  EXPECT_EQ(pairs[0].state, "proven");
}

TEST(Explain, PairThatNeverWas_IsTriedAfreshAndLeavesNothingBehind) {
  World world(62);
  Lab lab(world, 1, 1);
  const auto told = explain(world, *lab.one, "sender1.tld", "target1.tld");
  ASSERT_TRUE(told);
  EXPECT_THAT(text_of(*told), HasSubstr("ok out: stream a new stream, "));
  EXPECT_THAT(text_of(*told), HasSubstr("ok out: sender the peer took our certificate (EXTERNAL)"));
  EXPECT_THAT(text_of(*told), HasSubstr("skipped in: stream no stream of target1.tld is open here"));
  EXPECT_TRUE(lab.one->gateway->pairs().empty());
  world.run_for(60s);
  EXPECT_TRUE(lab.one->gateway->streams().empty() ||
              lab.one->gateway->streams()[0].kind == "component");  // the stream was for the question only
}

TEST(Explain, RefusedPair_NamesTheRuleAndWhatToDo) {
  World world(63);
  Lab lab(world, 1, 1, {ProofType::dane});
  world.add_tlsa("xmpp1.receiving.tld", 5269, *identities().one);  // another key's
  const auto told = explain(world, *lab.one, "sender1.tld", "target1.tld");
  ASSERT_TRUE(told);
  EXPECT_THAT(text_of(*told), HasSubstr("failed out: TLSA match dane.mismatch: "));
  EXPECT_THAT(text_of(*told), HasSubstr("the peer renewed its key before its TLSA record; ask it to publish both"));
  EXPECT_THAT(told->verdict, HasSubstr("sender1.tld does not reach target1.tld: dane.mismatch"));
}

// The http listener's clients make nobody connect anywhere (SEC-04).
TEST(Explain, WithoutLeaveToDial_OnlyDnsIsAsked) {
  World world(64);
  Lab lab(world, 1, 1);
  const auto told = explain(world, *lab.one, "sender1.tld", "target1.tld", false);
  ASSERT_TRUE(told);
  EXPECT_THAT(text_of(*told), HasSubstr("ok out: SRV"));
  EXPECT_THAT(text_of(*told), HasSubstr("skipped out: stream"));
  EXPECT_EQ(world.connections_made, 0u);
}

TEST(Explain, DomainOfSomebodyElse_IsNotExplained) {
  World world(65);
  Lab lab(world, 1, 1);
  EXPECT_EQ(explain(world, *lab.one, "target1.tld", "sender1.tld").error().reason, Reason::host_unknown);
  EXPECT_EQ(explain(world, *lab.one, "sender1.tld", "sender1.tld").error().reason, Reason::policy_internal);
}

// AB-117
TEST(Close, Stream_ItsPairsComeBackOnAnother) {
  World world(66);
  Lab lab(world, 1, 1);
  lab.send_all(1);
  ASSERT_TRUE(world.run_until([&] { return lab.arrived() == 2; }, 60s));
  std::string id;
  for (const report::StreamRow& row : lab.one->gateway->streams())
    if (row.direction == "out") id = row.id;
  EXPECT_TRUE(lab.one->gateway->close_stream(id));
  EXPECT_FALSE(lab.one->gateway->close_stream(id));
  EXPECT_FALSE(lab.one->gateway->close_stream("nonsense"));
  EXPECT_EQ(lab.one->log.count("closed_by_operator"), 1u);
  lab.send_all(1);
  ASSERT_TRUE(world.run_until([&] { return lab.arrived() == 4; }, 60s));
}

// AB-117
class ClosedPair : public testing::TestWithParam<ProofType> {};
TEST_P(ClosedPair, IsSetUpAnewByItsNextStanza_ItsStreamAndNeighboursStay) {
  World world(67);
  Lab lab(world, 2, 2, {GetParam()});
  lab.send_all(1);
  ASSERT_TRUE(world.run_until([&] { return lab.arrived() == 8; }, 60s));
  const std::size_t connections = world.connections_made;
  ASSERT_TRUE(lab.one->gateway->close_pair(*Domain::parse("sender1.tld"), *Domain::parse("target1.tld")));
  EXPECT_FALSE(lab.one->gateway->close_pair(*Domain::parse("sender1.tld"), *Domain::parse("target3.tld")));
  std::size_t proven = 0;
  for (const report::PairRow& row : lab.one->gateway->pairs()) proven += row.state == "proven" ? 1 : 0;
  EXPECT_EQ(proven, 6u);
  lab.send_all(1);
  ASSERT_TRUE(world.run_until([&] { return lab.arrived() == 16; }, 60s));
  EXPECT_EQ(world.connections_made, connections);
}
INSTANTIATE_TEST_SUITE_P(Close, ClosedPair, testing::Values(ProofType::dnssec, ProofType::dialback),
                         [](const auto& info) { return std::string(proof::name_of(info.param)); });

}  // namespace
}  // namespace ligase::sim
