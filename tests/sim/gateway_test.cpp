// Two gateways in the simulated world: pairs share streams, each is proven by itself, and what is accepted is delivered,
// bounced, or lost only with a connection that was cut.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/told.hpp"
#include "sim/lab.hpp"

namespace ligase::sim {
namespace {

using proof::ProofType;
using proof::Security;

TEST(Gateway, OneMessage_ArrivesAsItsVeryBytes) {
  World world(1);
  Lab lab(world, 1, 1);
  lab.one->component("sender1.tld")
      .send("<message from='a@sender1.tld' to='b@target1.tld' id='m-0'><body>hé &amp; hello</body></message>");
  ASSERT_TRUE(world.run_until([&] { return lab.arrived() == 1; }, 30s));
  EXPECT_EQ(lab.two->component("target1.tld").received[0].bytes,
            "<message from='a@sender1.tld' to='b@target1.tld' id='m-0'><body>hé &amp; hello</body></message>");
}

// MUX-04: 400 pairs at the same moment make one connection a direction.
TEST(Gateway, ManyPairsAtOnce_ShareOneConnectionADirection) {
  World world(2);
  Lab lab(world, 20, 20);
  lab.send_all(2);
  ASSERT_TRUE(world.run_until([&] { return lab.arrived() == 1600; }, 60s)) << lab.arrived();
  EXPECT_EQ(world.connections_made, 2u);
  EXPECT_EQ(lab.proofs(), (std::map<std::string, std::size_t>{{"dnssec", 1600}}));
  lab.check_order_and_uniqueness();
}

// MUX-01, TLS-02: a sender with a certificate of its own rides a stream that shows another as long as the peer takes it there;
// where it does not, its own certificate is shown on a stream of its own.
TEST(Gateway, SenderWithItsOwnCertificate_IsTriedWithItWhereTheSharedStreamDoesNot) {
  for (const bool has_own : {false, true}) {
    World world(31);
    Lab lab(world, 3, 1);
    lab.one.reset();
    lab.two.reset();
    const Identities& ids = identities();
    std::map<Domain, std::size_t> own;
    if (has_own) own = {{*Domain::parse("sender1.tld"), 1}, {*Domain::parse("sender2.tld"), 2}};
    lab.one.emplace(world, ProviderSpec{.host = "xmpp1.originating.tld",
                                        .address = "192.0.2.1",
                                        .domains = lab.sender_names,
                                        .chain = ids.one,
                                        .anchors = ids.anchors,
                                        .policy = {},
                                        .limits = {},
                                        .own_certificates = own});
    config::Policy policy;  // sender2.tld by a certificate with its name, which only its own stream could show
    config::PeerRule rule;
    rule.patterns = {"sender2.tld"};
    rule.proofs = {ProofType::pkix};
    policy.peers.push_back(rule);
    lab.two.emplace(
        world, ProviderSpec{"xmpp1.receiving.tld", "192.0.2.2", lab.target_names, ids.two, ids.anchors, policy, {}});
    const auto send = [&](const std::string& sender) {
      lab.one->component(sender).send(fmt::format("<message from='a@{}' to='b@target1.tld' id='x-0'/>", sender));
    };
    send("sender1.tld");
    ASSERT_TRUE(world.run_until([&] { return lab.two->component("target1.tld").received.size() == 1; }, 30s));
    send("sender3.tld");  // taken on the shared stream, whatever it shows
    ASSERT_TRUE(world.run_until([&] { return lab.two->component("target1.tld").received.size() == 2; }, 30s));
    EXPECT_EQ(world.connections_made, 1u);
    send("sender2.tld");
    ASSERT_TRUE(world.run_until([&] { return !lab.one->component("sender2.tld").received.empty(); }, 60s));
    EXPECT_EQ(world.connections_made, has_own ? 2u : 1u);
  }
}

// MUX-04: the same one after another.
TEST(Gateway, ManyPairsOneAfterAnother_ShareOneConnectionADirection) {
  World world(3);
  Lab lab(world, 10, 10);
  std::size_t expected = 0;
  for (const std::string& sender : lab.sender_names)
    for (const std::string& target : lab.target_names) {
      lab.one->component(sender).send(fmt::format("<message from='a@{}' to='b@{}' id='x-0'/>", sender, target));
      ++expected;
      ASSERT_TRUE(world.run_until([&] { return lab.arrived() == expected; }, 30s));
    }
  EXPECT_EQ(world.connections_made, 1u);
}

// AB-084, DB-06: with dialback each gateway waits for the other's answers, on streams that carry stanzas as well.
class EachProof : public testing::TestWithParam<ProofType> {};
TEST_P(EachProof, ProvesEveryPairInBothRoles) {
  World world(4);
  Lab lab(world, 4, 4, {GetParam()});
  lab.send_all(1);
  ASSERT_TRUE(world.run_until([&] { return lab.arrived() == 32; }, 60s)) << lab.arrived();
  EXPECT_EQ(lab.proofs(), (std::map<std::string, std::size_t>{{std::string(proof::name_of(GetParam())), 64}}));
  EXPECT_EQ(world.connections_made, 2u);
}
INSTANTIATE_TEST_SUITE_P(Proofs, EachProof, testing::Values(ProofType::dane, ProofType::dnssec, ProofType::dialback),
                         [](const auto& info) { return std::string(proof::name_of(info.param)); });

// MUX-05, AB-091, AB-092: a domain the peer does not host is refused by itself.
TEST(Gateway, UnknownTargetAtAKnownPeer_BouncesAloneAndHarmsNobody) {
  World world(5);
  Lab lab(world, 1, 1);
  world.add_srv("nothere.tld", "xmpp1.receiving.tld", 5269, Security::secure);
  lab.send_all(1);
  ASSERT_TRUE(world.run_until([&] { return lab.arrived() == 2; }, 30s));
  Component& sender = lab.one->component("sender1.tld");
  sender.send("<iq type='get' from='a@sender1.tld' to='nothere.tld' id='q1'><ping xmlns='urn:xmpp:ping'/></iq>");
  ASSERT_TRUE(world.run_until([&] { return sender.received.size() == 2; }, 60s));
  EXPECT_EQ(sender.received[1].type, "error");
  EXPECT_EQ(sender.received[1].id, "q1");
  EXPECT_THAT(sender.received[1].bytes, testing::HasSubstr(told(Reason::dialback_error)));
  sender.send("<message from='a@sender1.tld' to='b@target1.tld' id='m-9'/>");
  ASSERT_TRUE(world.run_until([&] { return lab.two->component("target1.tld").received.size() == 2; }, 30s));
  EXPECT_EQ(world.connections_made, 2u);
}

// ROUTE-02, AB-121: the truth about what is wrong, once.
TEST(Gateway, DomainWithoutRecords_BouncesNotFound) {
  World world(6);
  Lab lab(world, 1, 1);
  Component& sender = lab.one->component("sender1.tld");
  sender.send("<message from='a@sender1.tld' to='b@nowhere.tld' id='m-1'><body>x</body></message>");
  ASSERT_TRUE(world.run_until([&] { return !sender.received.empty(); }, 60s));
  EXPECT_THAT(sender.received[0].bytes,
              testing::AllOf(testing::HasSubstr("remote-server-not-found"), testing::HasSubstr("<body>x</body>"),
                             testing::HasSubstr("from='b@nowhere.tld'"), testing::HasSubstr("id='m-1'")));
  world.run_for(120s);
  EXPECT_EQ(sender.received.size(), 1u);
}

// P2, AB-130: a forged delegation ends in nothing weaker. AB-235: what the resolver says of it is not for the sender.
TEST(Gateway, BogusDelegation_IsRefusedWithoutAConnection) {
  World world(7);
  Lab lab(world, 1, 1);
  proof::Answer& srv = world.records[{"_xmpp-server._tcp.target1.tld", proof::RrType::srv}];
  srv.security = Security::bogus;
  srv.why = "validation failure of another-tenants.tld from 203.0.113.53";
  Component& sender = lab.one->component("sender1.tld");
  sender.send("<message from='a@sender1.tld' to='b@target1.tld' id='m-1'/>");
  ASSERT_TRUE(world.run_until([&] { return !sender.received.empty(); }, 60s));
  EXPECT_THAT(sender.received[0].bytes,
              testing::HasSubstr(">target1.tld could not be authenticated: " + told(Reason::dns_bogus) + "</text>"));
  EXPECT_EQ(world.connections_made, 0u);
}

// MUX-02, AB-085, AB-098: a second pair whose own evidence fails is refused; the first is untouched.
TEST(Gateway, SecondTargetWithAnotherKeyInItsOwnTlsa_IsRefusedAlone) {
  World world(8);
  Lab lab(world, 1, 2);
  // target2 is delegated to another name of the same host, whose TLSA names another key.
  world.add_srv("target2.tld", "other.receiving.tld", 5269, Security::secure);
  world.add_address("other.receiving.tld", "192.0.2.2");
  world.add_tlsa("other.receiving.tld", 5269, *identities().one);
  Component& sender = lab.one->component("sender1.tld");
  sender.send("<message from='a@sender1.tld' to='b@target1.tld' id='m-1'/>");
  sender.send("<message from='a@sender1.tld' to='b@target2.tld' id='m-2'/>");
  ASSERT_TRUE(world.run_until(
      [&] { return !sender.received.empty() && lab.two->component("target1.tld").received.size() == 1; }, 60s));
  EXPECT_THAT(sender.received[0].bytes, testing::HasSubstr("dane.mismatch"));
  EXPECT_TRUE(lab.two->component("target2.tld").received.empty());
}

// COMP-02, AB-101: a component that speaks for another domain loses its link; the stanza goes nowhere.
TEST(Gateway, ComponentWithForeignSender_LosesItsLink) {
  World world(9);
  Lab lab(world, 2, 1);
  Component& sender = lab.one->component("sender1.tld");
  sender.send("<message from='a@sender2.tld' to='b@target1.tld' id='m-1'/>");
  ASSERT_TRUE(world.run_until([&] { return sender.is_closed; }, 60s));
  EXPECT_THAT(sender.stream_error, testing::HasSubstr("invalid-from"));
  world.run_for(60s);
  EXPECT_TRUE(lab.two->component("target1.tld").received.empty());
}

// COMP-04, AB-103, AB-240: while a link is down an iq is answered at once; a message waits, and is bounced after 30 s. Each is
// counted; so is an error for somebody who is not there, which nobody can be told of.
TEST(Gateway, LinkIsDown_IqIsAnsweredAndMessagesWait) {
  World world(10);
  Lab lab(world, 1, 1);
  lab.send_all(1);
  ASSERT_TRUE(world.run_until([&] { return lab.arrived() == 2; }, 30s));
  lab.two->component("target1.tld").disconnect();
  ASSERT_TRUE(world.run_until([&] { return lab.two->component("target1.tld").is_closed; }, 10s));
  Component& sender = lab.one->component("sender1.tld");
  sender.send("<message from='a@sender1.tld' to='b@target1.tld' id='m-7'/>");
  sender.send("<iq type='get' from='a@sender1.tld' to='target1.tld' id='q1'><ping xmlns='urn:xmpp:ping'/></iq>");
  ASSERT_TRUE(world.run_until([&] { return sender.received.size() == 2; }, 10s));
  EXPECT_EQ(sender.received[1].id, "q1");
  EXPECT_THAT(sender.received[1].bytes, testing::HasSubstr("service-unavailable"));
  ASSERT_TRUE(world.run_until([&] { return sender.received.size() == 3; }, 60s));
  EXPECT_EQ(sender.received[2].id, "m-7");
  EXPECT_THAT(lab.two->gateway->status().bounced, testing::ElementsAre(testing::Pair("link.down", 2u)));
  EXPECT_THAT(lab.two->gateway->status().dropped, testing::IsEmpty());
  EXPECT_THAT(lab.one->gateway->status().bounced, testing::IsEmpty());
  sender.send("<message type='error' from='a@sender1.tld' to='b@target1.tld' id='e-1'/>");
  ASSERT_TRUE(world.run_until([&] { return !lab.two->gateway->status().dropped.empty(); }, 60s));
  EXPECT_THAT(lab.two->gateway->status().dropped, testing::ElementsAre(testing::Pair("link.down", 1u)));
  EXPECT_THAT(lab.two->gateway->status().bounced, testing::ElementsAre(testing::Pair("link.down", 2u)));
}

// ROUTE-03: when a stream ends, its pairs are set up again, and what comes then is delivered.
TEST(Gateway, PeerRestarts_PairsComeBackOnANewStream) {
  World world(11);
  Lab lab(world, 2, 2);
  lab.send_all(1);
  ASSERT_TRUE(world.run_until([&] { return lab.arrived() == 8; }, 60s));
  lab.two->gateway->stop([] {});
  world.run_for(10s);
  const Identities& ids = identities();
  lab.two.reset();
  lab.two.emplace(world,
                  ProviderSpec{"xmpp1.receiving.tld", "192.0.2.2", lab.target_names, ids.two, ids.anchors, {}, {}});
  world.run_for(60s);
  lab.one->component("sender1.tld").send("<message from='a@sender1.tld' to='b@target1.tld' id='m-5'/>");
  EXPECT_TRUE(world.run_until([&] { return lab.two->component("target1.tld").received.size() == 1; }, 90s));
}

// MUX-04, MUX-06: who says that it is being stopped, a moment after it took further pairs, is no peer that minds them.
TEST(Gateway, PeerIsStoppedRightAfterFurtherPairs_AllPairsShareOneStreamAgain) {
  World world(14);
  Lab lab(world, 3, 3);
  lab.send_all(1);
  ASSERT_TRUE(world.run_until([&] { return lab.arrived() == 18; }, 60s));
  lab.two->gateway->stop([] {});
  world.run_for(2s);
  const Identities& ids = identities();
  lab.two.reset();
  lab.two.emplace(world,
                  ProviderSpec{"xmpp1.receiving.tld", "192.0.2.2", lab.target_names, ids.two, ids.anchors, {}, {}});
  world.run_for(2s);
  const std::size_t before = world.connections_made;
  for (const std::string& sender : lab.sender_names)
    for (const std::string& target : lab.target_names)
      lab.one->component(sender).send(fmt::format("<message from='a@{}' to='b@{}' id='x-1'/>", sender, target));
  EXPECT_TRUE(world.run_until([&] { return lab.arrived() == 18; }, 60s)) << lab.arrived();  // 9 of them before
  EXPECT_EQ(world.connections_made, before + 1);
}

// MUX-09: an expired proof is made anew before anything passes, on the live stream.
TEST(Gateway, ExpiredProof_IsRenewedOnTheLiveStream) {
  World world(12);
  config::Limits limits;
  limits.proof_max_age = 600s;
  Lab lab(world, 1, 1, {ProofType::dnssec}, limits);
  lab.send_all(1);
  ASSERT_TRUE(world.run_until([&] { return lab.arrived() == 2; }, 60s));
  world.run_for(900s);
  lab.one->component("sender1.tld").send("<message from='a@sender1.tld' to='b@target1.tld' id='m-5'/>");
  ASSERT_TRUE(world.run_until([&] { return lab.two->component("target1.tld").received.size() == 2; }, 60s));
  EXPECT_EQ(world.connections_made, 2u);
}

// AB-123, P6: all, in order.
TEST(Gateway, TenThousandStanzasAtOnce_ArriveInOrder) {
  World world(13);
  config::Limits limits;
  limits.queue_per_pair = 64u << 20;
  Lab lab(world, 1, 1, {ProofType::dnssec}, limits);
  std::string all;
  for (int i = 0; i < 10000; ++i)
    all += fmt::format("<message from='a@sender1.tld' to='b@target1.tld' id='m-{}'><body>x</body></message>", i);
  lab.one->component("sender1.tld").send(all);
  ASSERT_TRUE(world.run_until([&] { return lab.arrived() == 10000; }, 120s)) << lab.arrived();
  lab.check_order_and_uniqueness();
}

// COMP-03, XML-04: a stanza that names its stream's namespace means the same on the other side.
TEST(Gateway, StanzaThatNamesItsNamespace_MeansTheSameThere) {
  World world(14);
  Lab lab(world, 1, 1);
  lab.one->component("sender1.tld")
      .send(
          "<message xmlns='jabber:component:accept' from='a@sender1.tld' to='b@target1.tld' "
          "id='m-0'><body>x</body></message>");
  ASSERT_TRUE(world.run_until([&] { return lab.arrived() == 1; }, 30s));
  const std::string& bytes = lab.two->component("target1.tld").received[0].bytes;
  EXPECT_EQ(bytes.find("jabber:server"), std::string::npos) << bytes;
  EXPECT_THAT(bytes, testing::HasSubstr("<body>x</body>"));
}

// AB-142, DNS-03: a broken IPv6 address does not fail the domain.
TEST(Gateway, BrokenIpv6_TheOtherFamilyIsUsed) {
  World world(15);
  Lab lab(world, 1, 1);
  world.add_address("xmpp1.receiving.tld", "2001:db8::dead");
  lab.one->component("sender1.tld").send("<message from='a@sender1.tld' to='b@target1.tld' id='m-0'/>");
  EXPECT_TRUE(world.run_until([&] { return lab.arrived() == 1; }, 30s));
}

// O-25, DNS-02, AB-143: a target at a forbidden address is passed over; the next one is used.
TEST(Gateway, TargetAtAForbiddenAddress_IsPassedOver) {
  World world(16);
  Lab lab(world, 1, 1);
  world.records.erase({"_xmpp-server._tcp.target1.tld", proof::RrType::srv});
  world.add_srv("target1.tld", "inside.receiving.tld", 5269, Security::secure);
  world.add_srv_target("target1.tld", "xmpp1.receiving.tld", 5269, 10);
  world.add_address("inside.receiving.tld", "10.0.0.1");
  world.forbidden.insert(*Address::parse("10.0.0.1"));
  lab.one->component("sender1.tld").send("<message from='a@sender1.tld' to='b@target1.tld' id='m-0'/>");
  EXPECT_TRUE(world.run_until([&] { return lab.arrived() == 1; }, 30s));
}

// AB-141: keys are rolled while a stream lives: a further pair is judged by the new record, the live one goes on.
TEST(Gateway, TlsaIsRolledUnderALiveStream_NewPairsUseTheNewData) {
  World world(17);
  Lab lab(world, 1, 2, {ProofType::dane});
  Component& sender = lab.one->component("sender1.tld");
  sender.send("<message from='a@sender1.tld' to='b@target1.tld' id='m-0'/>");
  ASSERT_TRUE(world.run_until([&] { return lab.arrived() == 1; }, 30s));
  world.add_tlsa("xmpp1.receiving.tld", 5269, *identities().one);  // another key than the gateway shows
  sender.send("<message from='a@sender1.tld' to='b@target2.tld' id='m-1'/>");
  ASSERT_TRUE(world.run_until([&] { return !sender.received.empty(); }, 60s));
  EXPECT_THAT(sender.received[0].bytes, testing::HasSubstr("dane.mismatch"));
  sender.send("<message from='a@sender1.tld' to='b@target1.tld' id='m-2'/>");
  EXPECT_TRUE(world.run_until([&] { return lab.two->component("target1.tld").received.size() == 2; }, 30s));
}

// AB-162: somebody sets the clock ten years ahead: proofs are over and made anew, timers and streams stay.
TEST(Gateway, WallClockJumps_ProofsAreMadeAnewAndStreamsStay) {
  World world(18);
  Lab lab(world, 1, 1);
  lab.send_all(1);
  ASSERT_TRUE(world.run_until([&] { return lab.arrived() == 2; }, 30s));
  world.wall_offset = std::chrono::hours(24 * 3650);
  EXPECT_TRUE(lab.proofs().empty());
  lab.one->component("sender1.tld").send("<message from='a@sender1.tld' to='b@target1.tld' id='m-5'/>");
  ASSERT_TRUE(world.run_until([&] { return lab.two->component("target1.tld").received.size() == 2; }, 30s));
  EXPECT_EQ(world.connections_made, 2u);
  world.run_for(5s);
  EXPECT_EQ(lab.one->log.count("clock_stepped"), 1u);
  // Set back, a proof would hold for ten years more than its evidence: it is made anew, and ends when it must.
  world.wall_offset = {};
  world.run_for(90s);
  EXPECT_EQ(lab.one->log.count("clock_stepped"), 2u);
  for (const report::PairRow& row : lab.one->gateway->pairs()) {
    EXPECT_LT(row.expires_at.value_or(WallTime{}), world.wall() + std::chrono::hours(25)) << row.remote;
  }
}

// AB-116: not ready, with the reason, until everything is.
TEST(Gateway, NotReady_SaysWhy) {
  World world(19);
  Lab lab(world, 1, 1);
  lab.one->gateway->set_ready({"the resolver does not answer"});
  EXPECT_FALSE(lab.one->gateway->status().ready);
  EXPECT_THAT(lab.one->gateway->status().not_ready, testing::ElementsAre("the resolver does not answer"));
  lab.one->gateway->set_ready({});
  EXPECT_TRUE(lab.one->gateway->status().ready);
}

// AB-018, AB-104, AB-126, P8: one component reads nothing while a megabyte comes for it and more: what is too much is
// answered, nothing vanishes, and its neighbour on the same stream is served.
TEST(Gateway, ComponentThatReadsNothing_HarmsNobodyElse) {
  World world(20);
  config::Limits limits;
  limits.queue_per_link = 1u << 20;
  limits.window_per_pair = 0;  // else it is held up where it comes from (flow_test.cpp)
  Lab lab(world, 1, 2, {ProofType::dnssec}, limits);
  lab.send_all(1);
  ASSERT_TRUE(world.run_until([&] { return lab.arrived() == 4; }, 30s));
  Component& deaf = lab.two->component("target1.tld");
  Component& sender = lab.one->component("sender1.tld");
  deaf.stop_reading();
  const std::string body(10000, 'x');
  for (int i = 1; i <= 1000; ++i)
    sender.send(
        fmt::format("<message from='a@sender1.tld' to='b@target1.tld' id='m-{}'><body>{}</body></message>", i, body));
  sender.send("<message from='a@sender1.tld' to='b@target2.tld' id='m-1'/>");
  EXPECT_TRUE(world.run_until([&] { return lab.two->component("target2.tld").received.size() == 2; }, 60s));
  world.run_for(60s);
  deaf.go_on_reading();
  const auto bounced = [&] {
    return static_cast<std::size_t>(std::count_if(sender.received.begin(), sender.received.end(),
                                                  [](const Received& stanza) { return stanza.type == "error"; }));
  };
  EXPECT_TRUE(world.run_until([&] { return deaf.received.size() - 1 + bounced() == 1000; }, 60s))
      << deaf.received.size() << " " << bounced();
  EXPECT_GT(bounced(), 0u);
  EXPECT_GT(deaf.received.size(), 100u);
  lab.check_order_and_uniqueness();
}

// P1 to P8, AB-099, AB-125 in bad weather: 1000 seeds, or as many as LIGASE_SEEDS says. A seed that fails is named; run it alone
// with --gtest_filter and LIGASE_SEED.
TEST(Simulation, ThousandSeedsOfBadWeather_LoseNothingSilently) {
  const char *only = std::getenv("LIGASE_SEED"), *many = std::getenv("LIGASE_SEEDS");
  const std::uint64_t first = only != nullptr ? std::strtoull(only, nullptr, 10) : 1;
  const std::uint64_t last = only != nullptr ? first : many != nullptr ? std::strtoull(many, nullptr, 10) : 1000;
  for (std::uint64_t seed = first; seed <= last; ++seed) {
    SCOPED_TRACE(fmt::format("LIGASE_SEED={} sim_tests --gtest_filter=Simulation.ThousandSeedsOfBadWeather*", seed));
    World world(seed);
    world.check_every = 1;
    world.weather.most_delay = world.dice.between(2ms, 400ms);
    world.weather.connect_fails = world.dice.chance(0.5) ? 0.2 : 0;
    world.weather.dns_fails = world.dice.chance(0.3) ? 0.1 : 0;
    world.weather.cut = world.dice.chance(0.3) ? 0.002 : 0;
    world.weather.largest_fragment = 1 + world.dice.below(3000);
    const std::vector<std::vector<ProofType>> mixes{
        {ProofType::dnssec}, {ProofType::dane}, {ProofType::dialback}, {ProofType::dnssec, ProofType::dialback}};
    Lab lab(world, 3, 3, mixes[world.dice.below(mixes.size())], {}, seed % 2 == 0 ? config::Policy{} : one_way());
    lab.send_all(2);
    const std::size_t sent = 36;
    const bool settled = world.run_until([&] { return lab.arrived() >= sent; }, 300s);
    lab.check_order_and_uniqueness();
    std::size_t lost_with_a_stream = 0;
    for (const Provider* provider : {&*lab.one, &*lab.two}) lost_with_a_stream += provider->log.count("stream_closed");
    if (!settled) {
      EXPECT_GT(world.weather.cut, 0) << "only a cut connection may lose: " << lab.arrived();
      EXPECT_GT(lost_with_a_stream, 0u);
    }
    if (world.weather.cut == 0) {
      EXPECT_EQ(lab.arrived(), sent);
    }
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace ligase::sim
