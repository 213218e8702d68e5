// Proofs end, and are made anew before they do: on the live stream, without a gap in what is delivered. What is withdrawn
// ends its pair and nothing else.
#include <gmock/gmock.h>

#include "sim/lab.hpp"
#include "sim/raw_peer.hpp"

namespace ligase::sim {
namespace {

std::size_t events_with(const SimLog& log, std::string_view name, std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(log.events, [&](const report::Event& event) {
    return event.name == name && report::as_text(event, {}).find(text) != std::string::npos;
  }));
}

report::PairRow row(const Provider& provider, const std::string& local, const std::string& remote,
                    const std::string& direction) {
  for (const report::PairRow& found : provider.gateway->pairs())
    if (found.local == local && found.remote == remote && found.direction == direction) return found;
  return {};
}

class EachRenewal : public testing::TestWithParam<ProofType> {};

// MUX-09, section 8: each pair is proven again before its expiry.
TEST_P(EachRenewal, ProofsAreReplacedBeforeTheyEnd_NothingWaits) {
  World world(41);
  config::Limits limits;
  limits.proof_max_age = 10min;
  Lab lab(world, 3, 3, {GetParam()}, limits);
  lab.send_all(1);
  ASSERT_TRUE(world.run_until([&] { return lab.arrived() == 18; }, 60s));
  const std::size_t connections = world.connections_made;
  std::size_t expected = 18;
  for (int minute = 0; minute < 60; ++minute) {
    world.run_for(60s);
    for (const Provider* provider : {&*lab.one, &*lab.two})
      for (const report::PairRow& pair : provider->gateway->pairs())
        EXPECT_EQ(pair.state, "proven") << minute << " " << pair.local << " " << pair.remote << pair.direction;
    lab.send_all(1);
    expected += 18;
    ASSERT_TRUE(world.run_until([&] { return lab.arrived() == expected; }, 2s)) << "minute " << minute;
  }
  EXPECT_EQ(world.connections_made, connections);
  EXPECT_GT(lab.one->log.count("pair_renewed"), 18u * 5);
  for (const Provider* provider : {&*lab.one, &*lab.two}) {
    EXPECT_EQ(provider->log.count("pair_expired"), 0u);
    EXPECT_EQ(provider->log.count("renewal_failed"), 0u);
    EXPECT_EQ(provider->log.count("evidence_changed"), 0u);
  }
}
INSTANTIATE_TEST_SUITE_P(Renewal, EachRenewal, testing::Values(ProofType::dane, ProofType::dnssec, ProofType::dialback),
                         [](const auto& info) { return std::string(proof::name_of(info.param)); });

// Streams that nobody speaks on are not closed meanwhile.
config::Limits patient() {
  config::Limits limits;
  limits.idle_timeout = std::chrono::hours(240);
  return limits;
}

config::Policy only(std::vector<ProofType> proofs) {
  config::Policy policy = one_way();
  policy.defaults.proofs = std::move(proofs);
  return policy;
}

// Evidence withdrawn: TLSA of another key, and no other server to go to. The pair ends within the evidence's own lifetime,
// and what is sent is bounced with the reason; a pair of another domain at the same peer, and the stream, live on.
TEST(Withdrawal, SignedRecordIsGone_OnlyItsPairEnds) {
  World world(42);
  Lab lab(world, 1, 2, {ProofType::dnssec}, patient(), only({ProofType::dnssec}));
  lab.send_all(1);
  ASSERT_TRUE(world.run_until([&] { return lab.arrived() == 4; }, 60s));
  const WallTime expires = *row(*lab.one, "sender1.tld", "target2.tld", "out").expires_at;
  world.add_srv("target2.tld", "xmpp1.receiving.tld", 5269, Security::insecure);
  world.run_for(expires - world.wall());
  EXPECT_EQ(row(*lab.one, "sender1.tld", "target2.tld", "out").state, "refused");
  EXPECT_EQ(row(*lab.one, "sender1.tld", "target1.tld", "out").state, "proven");
  lab.one->component("sender1.tld").send("<message from='a@sender1.tld' to='b@target2.tld' id='w-1'/>");
  lab.one->component("sender1.tld").send("<message from='a@sender1.tld' to='b@target1.tld' id='w-2'/>");
  const auto& received = lab.one->component("sender1.tld").received;
  ASSERT_TRUE(world.run_until([&] { return received.size() == 3; }, 30s));
  EXPECT_THAT(received.back().bytes, testing::HasSubstr("target2.tld could not be authenticated: pkix.name"));
  ASSERT_TRUE(world.run_until([&] { return lab.two->component("target1.tld").received.size() == 2; }, 30s));
  // A stream of its own was tried for it, and could not prove it either; the one that the others ride was left alone.
  EXPECT_EQ(events_with(lab.one->log, "stream_closed", "remote=target1.tld"), 0u);
  // The receiving side likewise: target2.tld may not speak any more, target1.tld may.
  EXPECT_EQ(row(*lab.one, "sender1.tld", "target2.tld", "in").state, "refused");
  lab.two->component("target2.tld").send("<message from='b@target2.tld' to='a@sender1.tld' id='w-3'/>");
  lab.two->component("target1.tld").send("<message from='b@target1.tld' to='a@sender1.tld' id='w-4'/>");
  ASSERT_TRUE(world.run_until([&] { return received.size() == 4; }, 30s));
  EXPECT_EQ(received.back().id, "w-4");
  ASSERT_TRUE(world.run_until([&] { return events_with(lab.one->log, "dropped", "") > 0; }, 30s));
  EXPECT_EQ(events_with(lab.one->log, "dropped", "reason=pkix.name"), 1u);  // no way back for an error: counted (P5)
}

// A weaker proof that the policy allows takes over, and an operator reads of it.
TEST(Withdrawal, WeakerProofIsLeft_PairGoesOnWithItAndSaysSo) {
  World world(43);
  Lab lab(world, 1, 1, {ProofType::dane}, patient());
  lab.send_all(1);
  ASSERT_TRUE(world.run_until([&] { return lab.arrived() == 2; }, 60s));
  world.records.erase({"_5269._tcp.xmpp1.receiving.tld", proof::RrType::tlsa});
  world.run_for(2h);
  const auto pair = row(*lab.one, "sender1.tld", "target1.tld", "out");
  EXPECT_EQ(pair.state, "proven");
  EXPECT_EQ(pair.proof, "dnssec");
  EXPECT_EQ(events_with(lab.one->log, "evidence_changed", "was_proof=dane"), 2u);  // out and in
  EXPECT_EQ(lab.one->log.count("stream_closed"), 0u);
}

// What may pass is no withdrawal: the proof holds to its end, and longer if the question is answered by then.
TEST(Renewal, ResolverIsSilentForAWhile_PairsLiveOn) {
  World world(44);
  Lab lab(world, 1, 1, {ProofType::dnssec}, patient());
  lab.send_all(1);
  ASSERT_TRUE(world.run_until([&] { return lab.arrived() == 2; }, 60s));
  const auto life = *row(*lab.one, "sender1.tld", "target1.tld", "out").expires_at - world.wall();
  world.run_for(life * 65 / 100);
  world.weather.dns_fails = 1;
  world.run_for(life * 30 / 100);
  EXPECT_GT(lab.one->log.count("renewal_failed"), 0u);
  EXPECT_EQ(row(*lab.one, "sender1.tld", "target1.tld", "out").state, "proven");
  EXPECT_EQ(row(*lab.one, "sender1.tld", "target1.tld", "in").state, "proven");
  world.weather.dns_fails = 0;
  world.run_for(life);
  EXPECT_EQ(row(*lab.one, "sender1.tld", "target1.tld", "out").state, "proven");
  EXPECT_EQ(lab.one->log.count("pair_expired"), 0u);
  EXPECT_EQ(lab.one->log.count("pair_refused"), 0u);
}

// PKIX-05: the stream ends when no pair of it is left, so that the peer may come again with what proves it by then.
TEST(Withdrawal, LastPairOfAStream_TakesTheStreamWithIt) {
  World world(45);
  Lab lab(world, 1, 1, {ProofType::dnssec}, patient(), only({ProofType::dnssec}));
  lab.one->component("sender1.tld").send("<message from='a@sender1.tld' to='b@target1.tld' id='w-1'/>");
  ASSERT_TRUE(world.run_until([&] { return lab.arrived() == 1; }, 60s));
  world.add_srv("sender1.tld", "xmpp1.originating.tld", 5269, Security::insecure);
  ASSERT_TRUE(world.run_until([&] { return lab.two->log.count("stream_closed") == 1; }, 24h));
  world.run_for(10s);
  EXPECT_EQ(events_with(lab.one->log, "stream_closed", "reset"), 1u);
}

// AB-179, P13: another policy ends what it does not allow, with the reason, and leaves the rest in peace.
TEST(Policy, PeerIsBlockedByAReload_ItsPairsEndTheOthersGoOn) {
  World world(46);
  Lab lab(world, 1, 2);
  lab.send_all(1);
  ASSERT_TRUE(world.run_until([&] { return lab.arrived() == 4; }, 60s));
  config::Policy policy;
  policy.peers.push_back(
      {.patterns = {"target2.tld"}, .proofs = {}, .encryption = {}, .multiplex = {}, .bidi = {}, .block = true});
  lab.one->gateway->set_policy(policy);
  lab.two->component("target2.tld").send("<message from='b@target2.tld' to='a@sender1.tld' id='w-1'/>");  // at once
  lab.two->component("target1.tld").send("<message from='b@target1.tld' to='a@sender1.tld' id='w-2'/>");
  const auto& received = lab.one->component("sender1.tld").received;
  ASSERT_TRUE(world.run_until([&] { return received.size() == 3; }, 30s));
  EXPECT_EQ(received.back().id, "w-2");
  EXPECT_EQ(events_with(lab.one->log, "dropped", "reason=policy.blocked"), 1u);
  world.run_for(60s);
  EXPECT_EQ(row(*lab.one, "sender1.tld", "target2.tld", "out").state, "refused");
  EXPECT_EQ(row(*lab.one, "sender1.tld", "target2.tld", "in").state, "refused");
  EXPECT_EQ(row(*lab.one, "sender1.tld", "target1.tld", "out").state, "proven");
  EXPECT_EQ(row(*lab.one, "sender1.tld", "target1.tld", "in").state, "proven");
}

}  // namespace
}  // namespace ligase::sim
