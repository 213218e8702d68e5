// Abuse cases against a real gateway in the simulated world: what a stranger, a hostile peer or a hostile component says,
// and what must come of it. Each test names its case of docs/threats.md.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/work.hpp"
#include "proof/dialback_key.hpp"
#include "sim/one_gateway.hpp"

namespace ligase::sim {
namespace {

using proof::Security;
using testing::HasSubstr;
using testing::Not;

// The stranger's domain is evil.tld.
class Abuse : public OneGateway {
 protected:
  Abuse() : OneGateway(77, "evil.tld") {}
  std::size_t delivered() {
    return gateway->component("target1.tld").received.size() + gateway->component("target2.tld").received.size();
  }
  // A stranger with a pair evil.tld → target1.tld proven by dialback.
  void prove_by_dialback() {
    start_authority();
    ASSERT_TRUE(stranger.negotiate(door(), "evil.tld", "target1.tld"));
    stranger.say("<db:result from='evil.tld' to='target1.tld'>key</db:result>");
    ASSERT_TRUE(stranger.wait_for("type='valid'"));
    stranger.received.clear();
  }
};

constexpr const char* kMessage = "<message from='m@evil.tld' to='b@target1.tld' id='m1'><body>x</body></message>";

// AB-015: thirty seconds after accept an unproven stream ends, whatever is said meanwhile.
TEST_F(Abuse, ChatterWithoutProof_EndsInTime) {
  start();
  ASSERT_TRUE(stranger.negotiate(door(), "evil.tld", "target1.tld"));
  for (int i = 0; i < 40 && !stranger.is_closed; ++i) {
    stranger.say(" ");
    world.run_for(1s);
  }
  EXPECT_TRUE(stranger.is_closed);
  EXPECT_THAT(stranger.received, HasSubstr("connection-timeout"));
}

// AB-016: only so many unproven streams of one prefix are served; a burst beyond waits unread, a flood is closed.
TEST_F(Abuse, ManyConnectionsFromOnePrefix_AreCapped) {
  start();
  std::list<RawPeer> peers;
  for (int i = 0; i < 2000; ++i) peers.emplace_back(world, "198.51.100.7").connect(door());
  world.run_for(5s);
  EXPECT_EQ(gateway->gateway->status().streams_in, 64u);
  const auto closed = std::count_if(peers.begin(), peers.end(), [](const RawPeer& peer) { return peer.is_closed; });
  EXPECT_EQ(closed, 2000 - 64 - 16 * 64);
  world.run_for(120s);
  EXPECT_EQ(gateway->gateway->status().streams_in, 0u);
  EXPECT_TRUE(std::all_of(peers.begin(), peers.end(), [](const RawPeer& peer) { return peer.is_closed; }));
}

// AB-016: a stock server opens a connection a pair; its burst is served as its streams are proven.
TEST_F(Abuse, BurstOfAStockServer_IsServedInTurn) {
  config::Policy policy;
  policy.defaults.proofs = {proof::ProofType::dialback};
  start({}, policy);
  authority_server.emplace(world, "198.51.100.8");
  authority_server->answer = [](const auto& from, const auto& to, const auto& id) {
    return verify_answer(from, to, id, "valid");
  };
  std::list<RawPeer> peers;
  for (int i = 0; i < 200; ++i) {
    RawPeer& peer = peers.emplace_back(world, "198.51.100.7");
    peer.connect(door());
    peer.header("evil.tld", "target1.tld");
  }
  // Each goes on as soon as it is answered: STARTTLS, header, claim.
  const auto all_answered = [&](std::string_view text) {
    return std::all_of(peers.begin(), peers.end(), [&](const RawPeer& peer) { return peer.has(text); });
  };
  for (int round = 0; round < 200 && !all_answered("type='valid'"); ++round) {
    for (RawPeer& peer : peers) peer.advance("evil.tld", "target1.tld");
    world.run_for(100ms);
  }
  EXPECT_TRUE(all_answered("type='valid'"));
}

// AB-271: a proven peer that opens one stream after the other has its share of all, and everybody else comes in still.
TEST_F(Abuse, ProvenStreamsOfOneAddress_LeaveRoomForOthers) {
  config::Limits limits;
  limits.streams_total = 40;
  start(limits);
  start_authority();
  std::list<RawPeer> peers;
  for (int i = 0; i < 40; ++i) {
    RawPeer& peer = peers.emplace_back(world, "198.51.100.7");
    if (!peer.negotiate(door(), "evil.tld", "target1.tld")) continue;
    peer.say("<db:result from='evil.tld' to='target1.tld'>key</db:result>");
    EXPECT_TRUE(peer.wait_for("type='valid'"));
  }
  EXPECT_EQ(gateway->gateway->status().streams_in, 10u);
  EXPECT_THAT(gateway->gateway->status().dropped, testing::Contains(testing::Pair("limit.reached", 30u)));
  RawPeer other(world, "203.0.113.1");
  EXPECT_TRUE(other.negotiate(door(), "other.tld", "target1.tld"));
  peers.front().reset();  // what ends makes room again
  world.run_for(1s);
  EXPECT_TRUE(RawPeer(world, "198.51.100.7").negotiate(door(), "evil.tld", "target1.tld"));
}

// AB-271: connections that wait for a place take none of those that nobody waits for, and what is turned away is counted.
TEST_F(Abuse, WaitingRoomsOfAFewAddresses_ShutOutNobodyElse) {
  config::Limits limits;
  limits.streams_total = 40;
  limits.unproven_per_prefix = 1;
  start(limits);
  std::list<RawPeer> peers;
  for (int i = 0; i < 100; ++i) peers.emplace_back(world, fmt::format("198.51.100.{}", 10 + i % 4)).connect(door());
  world.run_for(1s);
  EXPECT_EQ(gateway->gateway->status().streams_in, 4u);
  const auto closed = std::count_if(peers.begin(), peers.end(), [](const RawPeer& peer) { return peer.is_closed; });
  EXPECT_EQ(closed, 100 - 4 - 10);
  EXPECT_THAT(gateway->gateway->status().dropped, testing::Contains(testing::Pair("limit.reached", 86u)));
  RawPeer other(world, "203.0.113.1");
  EXPECT_TRUE(other.negotiate(door(), "other.tld", "target1.tld"));
}

// AB-271: whoever is given an IPv6 /48 has 65,536 prefixes, and is one stranger all the same.
TEST_F(Abuse, ManyPrefixesOfOneSite_AreCappedTogether) {
  start();
  std::list<RawPeer> peers;
  for (int i = 0; i < 2000; ++i) peers.emplace_back(world, fmt::format("2001:db8:7:{:x}::1", i)).connect(door());
  world.run_for(5s);
  EXPECT_EQ(gateway->gateway->status().streams_in, 4 * 64u);
  RawPeer other(world, "2001:db8:8::1");
  EXPECT_TRUE(other.negotiate(door(), "other.tld", "target1.tld"));
  for (int i = 0; i < 100; ++i) {  // each gives its place to one that waits at another prefix
    peers.front().reset();
    peers.pop_front();
  }
  world.run_for(500ms);
  EXPECT_EQ(gateway->gateway->status().streams_in, 4 * 64u + 1u);
  world.run_for(120s);
  EXPECT_EQ(gateway->gateway->status().streams_in, 0u);
}

// AB-272: what one address has being decided is bounded over all its streams, and also when it leaves them.
TEST_F(Abuse, ClaimsOnManyStreamsOfOneAddress_AreBoundedTogether) {
  config::Limits limits;
  limits.proving_per_stream = 5;
  world.weather.dns_takes = 9s;
  start(limits);
  std::list<RawPeer> peers;
  const auto claim_on_another = [&](const std::string& address) -> RawPeer& {
    RawPeer& peer = peers.emplace_back(world, address);
    EXPECT_TRUE(peer.negotiate(door(), "evil.tld", "target1.tld"));
    for (int i = 0; i < 5; ++i)
      peer.say(fmt::format("<db:result from='s{}.evil.tld' to='target1.tld'>key</db:result>", i));
    return peer;
  };
  for (int i = 0; i < 10; ++i) claim_on_another("198.51.100.7");
  world.run_for(1s);
  std::size_t refused = 0;
  for (const RawPeer& peer : peers) refused += peer.count("resource-constraint");
  EXPECT_EQ(refused, 50u - 4 * 5u);
  for (RawPeer& peer : peers) peer.reset();
  EXPECT_TRUE(claim_on_another("198.51.100.7").wait_for("resource-constraint", 1s));
  EXPECT_FALSE(claim_on_another("203.0.113.1").wait_for("resource-constraint", 1s));
  world.run_for(60s);
  EXPECT_FALSE(claim_on_another("198.51.100.7").wait_for("resource-constraint", 1s));
}

// AB-273: pairs that came in count towards pairs_total, and one address has its share of it, over all its streams.
TEST_F(Abuse, PairsOfOneAddress_LeaveRoomForOthers) {
  config::Limits limits;
  limits.pairs_total = 16;
  for (int i = 0; i < 8; ++i)
    world.add_srv(fmt::format("s{}.evil.tld", i), "mx.evil.tld", 5269, proof::Security::insecure);
  start(limits);
  prove_by_dialback();
  RawPeer second(world, "198.51.100.7"), other(world, "203.0.113.1");
  const auto claim = [&](RawPeer& peer, int i) {
    peer.received.clear();
    peer.say(fmt::format("<db:result from='s{}.evil.tld' to='target1.tld'>key</db:result>", i));
    world.run_for(2s);
    return peer.has("type='valid'");
  };
  EXPECT_TRUE(claim(stranger, 0));
  EXPECT_FALSE(claim(stranger, 1));
  EXPECT_TRUE(stranger.has("resource-constraint"));
  ASSERT_TRUE(second.negotiate(door(), "evil.tld", "target1.tld"));
  EXPECT_FALSE(claim(second, 2));
  ASSERT_TRUE(other.negotiate(door(), "evil.tld", "target1.tld"));
  EXPECT_TRUE(claim(other, 3));
  stranger.reset();  // what it made us remember goes with it
  world.run_for(1s);
  EXPECT_TRUE(claim(second, 4));
}

// AB-276: a component that writes to ever more domains has its share of the pairs, and its neighbour gets out still.
TEST_F(Abuse, PairsOfOneComponent_LeaveRoomForOthers) {
  config::Limits limits;
  limits.pairs_total = 16;
  start(limits);
  for (int i = 0; i < 20; ++i)
    gateway->component("target1.tld").send(fmt::format("<message from='a@target1.tld' to='b@x{}.tld' id='{}'/>", i, i));
  world.run_for(20ms);
  gateway->component("target2.tld").send("<message from='a@target2.tld' to='b@y.tld' id='y'/>");
  world.run_for(30s);
  const auto refused = [&](const char* domain) {
    const auto& received = gateway->component(domain).received;
    return std::ranges::count_if(
        received, [](const Received& stanza) { return stanza.bytes.find("resource-constraint") != std::string::npos; });
  };
  EXPECT_EQ(refused("target1.tld"), 16);
  EXPECT_EQ(refused("target2.tld"), 0);
}

// AB-225, P9: what a connection of a full prefix costs does not grow with those that wait beside it, nor with others' streams.
TEST_F(Abuse, ResetBesideAFullWaitingRoom_CostsNoMoreAtTwiceTheConnections) {
  start();
  std::list<RawPeer> others, mine;
  const auto steps_of_resets = [&](int from, int to) {
    for (int i = from; i < to; ++i) {
      others.emplace_back(world, fmt::format("203.0.113.{}", i % 100)).connect(door());
      mine.emplace_back(world, "198.51.100.7").connect(door());
    }
    world.run_for(1s);
    work_done = 0;
    for (int i = 0; i < 10; ++i) {  // each gives its place to one that waits
      mine.front().reset();
      mine.pop_front();
      mine.emplace_back(world, "198.51.100.7").connect(door());
      world.run_for(100ms);
    }
    return work_done;
  };
  const std::uint64_t steps = steps_of_resets(0, 200);
  EXPECT_GE(steps, 10u);
  EXPECT_LE(steps_of_resets(200, 400), steps);
  EXPECT_EQ(gateway->gateway->status().streams_in, 64u + 400u);
}

// AB-024: a hosted domain is refused as a sender before any DNS question, and nobody is dialed.
TEST_F(Abuse, ClaimOfAHostedDomain_IsRefusedWithoutALook) {
  start();
  ASSERT_TRUE(stranger.negotiate(door(), "evil.tld", "target1.tld"));
  const std::size_t dialed = world.connections_made;
  stranger.say("<db:result from='target2.tld' to='target1.tld'>key</db:result>");
  ASSERT_TRUE(stranger.wait_for("not-authorized"));
  EXPECT_EQ(world.connections_made, dialed);
}

// AB-025: a stanza before any proof.
TEST_F(Abuse, StanzaBeforeProof_EndsTheStreamAndIsNotDelivered) {
  start();
  ASSERT_TRUE(stranger.negotiate(door(), "evil.tld", "target1.tld"));
  stranger.say(kMessage);
  EXPECT_TRUE(stranger.wait_for("not-authorized"));
  world.run_for(60s);
  EXPECT_EQ(delivered(), 0u);
  EXPECT_TRUE(stranger.is_closed);
}

// AB-070, I-11: a key that the authority did not make; nothing else lives on the stream, so it is closed.
TEST_F(Abuse, ForgedKey_IsInvalidAndEndsAStreamWithoutPairs) {
  start();
  authority_server.emplace(world, "198.51.100.8");
  authority_server->answer = [](const auto& from, const auto& to, const auto& id) {
    return verify_answer(from, to, id, "invalid");
  };
  ASSERT_TRUE(stranger.negotiate(door(), "evil.tld", "target1.tld"));
  stranger.say("<db:result from='evil.tld' to='target1.tld'>forged</db:result>");
  EXPECT_TRUE(stranger.wait_for("type='invalid'"));
  EXPECT_TRUE(world.run_until([&] { return stranger.is_closed; }, 10s));
}

// AB-185, STR-04: a claim in clear is nobody's once TLS stands, though its authority affirms it then.
TEST_F(Abuse, ClaimInClear_IsForgottenInsideTls) {
  config::Policy policy;
  policy.defaults.encryption = Encryption::preferred;
  start({}, policy);
  authority_server.emplace(world, "198.51.100.8");
  authority_server->answer = [&](const auto& from, const auto& to, const auto& id) {
    EXPECT_TRUE(stranger.is_tls);  // else this test shows nothing
    return verify_answer(from, to, id, "valid");
  };
  ASSERT_TRUE(stranger.connect(door()));
  stranger.header("other.tld", "target1.tld");
  ASSERT_TRUE(stranger.wait_for("</stream:features>"));
  stranger.say("<db:result from='evil.tld' to='target1.tld'>key</db:result>");
  ASSERT_TRUE(stranger.start_tls("target1.tld"));
  stranger.header("other.tld", "target1.tld");
  ASSERT_TRUE(world.run_until([&] { return authority_server->questions == 1; }, 40s));
  world.run_for(5s);
  EXPECT_THAT(stranger.received, Not(HasSubstr("db:result")));
  stranger.say(kMessage);
  EXPECT_TRUE(stranger.wait_for("not-authorized"));
  EXPECT_EQ(delivered(), 0u);
}

// AB-185: what is claimed anew inside TLS is decided anew, and answered once.
TEST_F(Abuse, ClaimMadeAgainInsideTls_IsDecidedByItself) {
  config::Policy policy;
  policy.defaults.encryption = Encryption::preferred;
  start({}, policy);
  authority_server.emplace(world, "198.51.100.8");
  std::vector<std::string> ids;
  authority_server->answer = [&](const auto& from, const auto& to, const auto& id) {
    ids.push_back(id);
    return verify_answer(from, to, id, "valid");
  };
  ASSERT_TRUE(stranger.connect(door()));
  stranger.header("evil.tld", "target1.tld");
  ASSERT_TRUE(stranger.wait_for("</stream:features>"));
  stranger.say("<db:result from='evil.tld' to='target1.tld'>key</db:result>");
  ASSERT_TRUE(stranger.start_tls("target1.tld"));
  stranger.header("evil.tld", "target1.tld");
  ASSERT_TRUE(stranger.wait_for("</stream:features>"));
  stranger.say("<db:result from='evil.tld' to='target1.tld'>key</db:result>");
  ASSERT_TRUE(stranger.wait_for("type='valid'"));
  world.run_for(30s);
  EXPECT_EQ(stranger.count("<db:result"), 1u);
  EXPECT_EQ(ids.size(), 2u);
  EXPECT_NE(ids.front(), ids.back());
}

// I-04: who publishes TLSA records is believed by dialback only through an authority that fulfils one, whatever the policy
// would take first, and whichever of its targets would answer sooner; and also where the stranger shows no certificate.
TEST_F(Abuse, SenderThatPublishesKeys_IsAskedForAtAnAuthorityProvenByDane) {
  config::Policy policy;
  policy.defaults.proofs = {proof::ProofType::pkix, proof::ProofType::dane, proof::ProofType::dialback};
  start({}, policy);
  const auto own = chain_for("keys.tld");
  world.add_srv("keys.tld", "a.keys.tld", 5269, Security::secure);  // without TLSA, and preferred
  world.add_srv_target("keys.tld", "b.keys.tld", 5269, 10);
  world.add_address("a.keys.tld", "198.51.100.30");
  world.add_address("b.keys.tld", "198.51.100.31");
  world.add_tlsa("b.keys.tld", 5269, *own);
  world.chains[*Address::parse("198.51.100.30")] = own;
  world.chains[*Address::parse("198.51.100.31")] = own;
  RawAuthority first(world, "198.51.100.30"), second(world, "198.51.100.31");
  for (RawAuthority* authority : {&first, &second})
    authority->answer = [](const auto& from, const auto& to, const auto& id) {
      return verify_answer(from, to, id, "valid");
    };
  ASSERT_TRUE(stranger.negotiate(door(), "keys.tld", "target1.tld"));
  stranger.say("<db:result from='keys.tld' to='target1.tld'>key</db:result>");
  ASSERT_TRUE(stranger.wait_for("type='valid'"));
  EXPECT_EQ(first.questions, 0u);
  EXPECT_EQ(second.questions, 1u);
  const std::vector<report::PairRow> pairs = gateway->gateway->pairs();
  ASSERT_EQ(pairs.size(), 1u);
  EXPECT_THAT(*pairs[0].evidence, testing::AllOf(HasSubstr("it is proven by dane: TLSA 3 0 0"),
                                                 HasSubstr("not by certificate: certificate.none")));
}

// I-04: an authority that fulfils no record, though one of the policy's other proofs holds, is not asked.
TEST_F(Abuse, AuthorityWithoutTheKeysOfItsDomain_IsNotAsked) {
  start();
  world.add_srv("keys.tld", "a.keys.tld", 5269, Security::secure);
  world.add_srv_target("keys.tld", "b.keys.tld", 5269, 10);  // has the keys, and is down
  world.add_address("a.keys.tld", "198.51.100.30");
  world.add_address("b.keys.tld", "198.51.100.31");
  const auto own = chain_for("keys.tld");
  world.add_tlsa("b.keys.tld", 5269, *own);
  world.chains[*Address::parse("198.51.100.30")] = own;
  RawAuthority first(world, "198.51.100.30");
  first.answer = [](const auto& from, const auto& to, const auto& id) { return verify_answer(from, to, id, "valid"); };
  ASSERT_TRUE(stranger.negotiate(door(), "keys.tld", "target1.tld"));
  stranger.say("<db:result from='keys.tld' to='target1.tld'>key</db:result>");
  ASSERT_TRUE(stranger.wait_for("type='error'"));
  EXPECT_EQ(first.questions, 0u);
}

// I-11: whatever keeps an authority from saying "valid" refuses, and the peer learns which it was.
TEST_F(Abuse, AuthorityThatDoesNotSayValid_RefusesWithItsReason) {
  start();
  authority_server.emplace(world, "198.51.100.8");
  ASSERT_TRUE(stranger.negotiate(door(), "evil.tld", "target1.tld"));
  const auto claim = [&](const std::string& domain) {
    stranger.received.clear();
    stranger.say(fmt::format("<db:result from='{}' to='target1.tld'>key</db:result>", domain));
    EXPECT_TRUE(stranger.wait_for("</db:result>", 29s));
    return stranger.received;
  };
  authority_server->answer = [](const auto& from, const auto& to, const auto& id) {
    return fmt::format(
        "<db:verify from='{}' to='{}' id='{}' type='error'><error type='cancel'><item-not-found "
        "xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></db:verify>",
        to, from, id);
  };
  EXPECT_THAT(claim("evil.tld"), testing::AllOf(HasSubstr("type='error'"), HasSubstr("<item-not-found")));
  authority_server->answer = {};
  world.add_srv("silent.tld", "mx.evil.tld", 5269, Security::insecure);
  EXPECT_THAT(claim("silent.tld"), HasSubstr("<remote-server-timeout"));
  RawPeer second(world, "198.51.100.7");
  ASSERT_TRUE(second.negotiate(door(), "down.tld", "target1.tld"));
  world.add_srv("down.tld", "mx.down.tld", 5269, Security::insecure);
  world.add_address("mx.down.tld", "198.51.100.9");
  second.received.clear();
  second.say("<db:result from='down.tld' to='target1.tld'>key</db:result>");
  EXPECT_TRUE(second.wait_for("<remote-server-not-found", 29s)) << second.received;
  second.received.clear();
  second.say("<db:result from='nowhere.tld' to='target1.tld'>key</db:result>");
  EXPECT_TRUE(second.wait_for("<remote-server-not-found", 29s)) << second.received;
  EXPECT_EQ(delivered(), 0u);
}

// AB-070, AB-091, MUX-05: with a pair that lives, only the forged one suffers.
TEST_F(Abuse, ForgedKeyBesideAProvenPair_LeavesTheStream) {
  start();
  prove_by_dialback();
  authority_server->answer = [](const auto& from, const auto& to, const auto& id) {
    return verify_answer(from, to, id, "invalid");
  };
  stranger.say("<db:result from='evil.tld' to='target2.tld'>forged</db:result>");
  EXPECT_TRUE(stranger.wait_for("type='invalid'"));
  stranger.say(kMessage);
  EXPECT_TRUE(world.run_until([&] { return delivered() == 1; }, 10s));
  EXPECT_FALSE(stranger.is_closed);
}

// AB-071: a stanza pipelined behind the claim is not delivered, though the claim may be good.
TEST_F(Abuse, StanzaBehindTheClaim_IsNotDelivered) {
  start();
  authority_server.emplace(world, "198.51.100.8");
  authority_server->answer = [](const auto& from, const auto& to, const auto& id) {
    return verify_answer(from, to, id, "valid");
  };
  ASSERT_TRUE(stranger.negotiate(door(), "evil.tld", "target1.tld"));
  stranger.say(std::string("<db:result from='evil.tld' to='target1.tld'>key</db:result>") + kMessage);
  EXPECT_TRUE(stranger.wait_for("not-authorized"));
  world.run_for(60s);
  EXPECT_EQ(delivered(), 0u);
}

// AB-072, AB-073: answers to no question prove nothing.
TEST_F(Abuse, UnsolicitedAnswers_AreDroppedAndProveNothing) {
  start();
  ASSERT_TRUE(stranger.negotiate(door(), "evil.tld", "target1.tld"));
  stranger.say("<db:verify from='evil.tld' to='target1.tld' id='x' type='valid'/>");
  stranger.say("<db:result from='evil.tld' to='target1.tld' type='valid'/>");
  stranger.say(kMessage);
  EXPECT_TRUE(stranger.wait_for("not-authorized"));
  EXPECT_GE(gateway->log.count("dropped"), 2u);
  EXPECT_EQ(delivered(), 0u);
}

// AB-074: an answer for another id, or another pair, is none; the right one behind it counts.
TEST_F(Abuse, AuthorityAnswersAnotherQuestion_OnlyTheExactOneCounts) {
  start();
  authority_server.emplace(world, "198.51.100.8");
  authority_server->answer = [](const auto& from, const auto& to, const auto& id) {
    return verify_answer(from, to, "other", "valid") + verify_answer("target2.tld", to, id, "valid");
  };
  ASSERT_TRUE(stranger.negotiate(door(), "evil.tld", "target1.tld"));
  stranger.say("<db:result from='evil.tld' to='target1.tld'>key</db:result>");
  ASSERT_TRUE(world.run_until([&] { return authority_server->questions == 1; }, 20s));
  world.run_for(5s);
  EXPECT_FALSE(stranger.has("type='valid'"));
  EXPECT_TRUE(stranger.wait_for("type='error'", 30s));  // 20 s later: no answer came
  world.run_for(1s);
  EXPECT_THAT(stranger.received, HasSubstr("remote-server-timeout"));
}

// AB-075: on a proven stream, any other sender: a child, a parent, a victim.
TEST_F(Abuse, SpoofedSenderOnAProvenStream_EndsIt) {
  for (const std::string sender : {"victim.tld", "sub.evil.tld", "tld", "evil.tld.victim.tld"}) {
    SCOPED_TRACE(sender);
    start();
    RawPeer peer(world, "198.51.100.7");
    authority_server.emplace(world, "198.51.100.8");
    authority_server->answer = [](const auto& from, const auto& to, const auto& id) {
      return verify_answer(from, to, id, "valid");
    };
    ASSERT_TRUE(peer.negotiate(door(), "evil.tld", "target1.tld"));
    peer.say("<db:result from='evil.tld' to='target1.tld'>key</db:result>");
    ASSERT_TRUE(peer.wait_for("type='valid'"));
    peer.say(fmt::format("<message from='x@{}' to='b@target1.tld'/>", sender));
    EXPECT_TRUE(world.run_until([&] { return peer.is_closed; }, 10s));
    EXPECT_THAT(peer.received, HasSubstr("invalid-from"));
    EXPECT_EQ(delivered(), 0u);
    gateway.reset();
  }
}

// AB-075, AB-186: on a proven stream a stanza whose addresses are none costs itself: its sender is told where he is known and
// who he meant is, and what comes behind it arrives.
TEST_F(Abuse, AddressThatIsNone_CostsOneStanza) {
  start();
  prove_by_dialback();
  const std::string longest(1024, 'r');
  std::size_t told = 0;
  for (const auto& [from, to] : std::vector<std::pair<std::string, std::string>>{
           {"", "b@target1.tld"},
           {"m@evil.tld/" + longest, "b@target1.tld"},
           {"m@evil.tld", "target1.tld/"},
           {"m@evil.tld", "@target1.tld"},
           {"m@evil.tld", "b@@target1.tld"},
           {"m@evil.tld", " b@target1.tld "},
           {"m@evil.tld", "b@target1.tld/" + longest},
           {"m@evil.tld", ""},
       }) {
    const std::size_t before = delivered();
    stranger.say(fmt::format("<iq type='get' id='q'{}{}><x xmlns='urn:x'/></iq>",
                             from.empty() ? "" : fmt::format(" from='{}'", from),
                             to.empty() ? "" : fmt::format(" to='{}'", to)));
    stranger.say(kMessage);
    ASSERT_TRUE(world.run_until([&] { return delivered() == before + 1; }, 10s)) << from << " " << to;
    told += from == "m@evil.tld" ? 1 : 0;
  }
  EXPECT_FALSE(stranger.is_closed);
  EXPECT_EQ(told, 6u);
}

// AB-186: a claim without addresses costs itself as well, where pairs live.
TEST_F(Abuse, ClaimWithoutAddressesOnAProvenStream_CostsItself) {
  start();
  prove_by_dialback();
  stranger.say("<db:result>key</db:result>");
  stranger.say(kMessage);
  EXPECT_TRUE(world.run_until([&] { return delivered() == 1; }, 10s));
}

// AB-187, NAME-01: one domain is one identity, however a peer writes it.
TEST_F(Abuse, OtherSpellingsOfAProvenSender_ArriveAsOne) {
  start();
  prove_by_dialback();
  for (const auto* from : {"m@EVIL.tld", "m@evil.tld.", "m@evil\uff0etld", "m@\uff45vil.tld", "m@evil.tld"})
    stranger.say(fmt::format("<message from='{}/r&amp;d' to='b@target1.tld.' id='m1'/>", from));
  ASSERT_TRUE(world.run_until([&] { return delivered() == 5; }, 10s));
  for (const Received& received : gateway->component("target1.tld").received) {
    EXPECT_EQ(received.from, "m@evil.tld/r&d");
    EXPECT_EQ(received.to, "b@target1.tld");
  }
}

// AB-019: a stranger that makes us answer and does not read: bounded, then ended.
TEST_F(Abuse, AnswersThatAreNotRead_EndTheStream) {
  start();
  ASSERT_TRUE(stranger.negotiate(door(), "evil.tld", "target1.tld"));
  stranger.stop_reading();
  for (int i = 0; i < 20000 && !stranger.is_closed; ++i) {
    stranger.say("<db:verify from='evil.tld' to='target1.tld' id='x'>key</db:verify>");
    if (i % 500 == 0) world.run_for(200ms);
  }
  EXPECT_TRUE(world.run_until([&] { return gateway->log.count("stream_closed") == 1; }, 20s));
}

// AB-083, P9: a claimed domain whose SRV record points at a victim: one connection, and little said before it answers.
TEST_F(Abuse, DialBackToAVictim_IsOneConnectionAndFewBytes) {
  start();
  struct Victim final : seams::Receiver {
    void on_bytes(std::string_view bytes) override { received += bytes.size(); }
    void on_tls(const Result<seams::TlsFacts>&) override {}
    void on_writable() override {}
    void on_closed(const Error&) override {}
    std::size_t received = 0, connections = 0;
    std::unique_ptr<seams::Connection> connection;
  } victim;
  world.listeners[{*Address::parse("198.51.100.8"), 5269}].accept = [&](std::unique_ptr<seams::Connection> connection) {
    ++victim.connections;
    victim.connection = std::move(connection);
    victim.connection->start(victim);
  };
  ASSERT_TRUE(stranger.negotiate(door(), "evil.tld", "target1.tld"));
  for (const char* target : {"target1.tld", "target2.tld"})
    stranger.say(fmt::format("<db:result from='evil.tld' to='{}'>k</db:result>", target));
  world.run_for(25s);
  EXPECT_EQ(victim.connections, 1u);
  EXPECT_GT(victim.received, 0u);
  EXPECT_LE(victim.received, 1024u);
}

// MUX-05: of whom the peer takes no more on this stream a second one is opened, once; then they are refused, and the rest lives.
TEST_F(Abuse, PeerTakesNoFurtherPairs_ASecondStreamIsTriedOnce) {
  start();
  start_authority();
  std::size_t answered = 0;
  authority_server->answer_result = [&](const std::string& from, const std::string& to) {
    if (answered++ == 0) return fmt::format("<db:result from='{1}' to='{0}' type='valid'/>", from, to);
    return fmt::format(
        "<db:result from='{1}' to='{0}' type='error'><error type='wait'><resource-constraint "
        "xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></db:result>",
        from, to);
  };
  for (const char* name : {"more1.tld", "more2.tld", "more3.tld"})
    world.add_srv(name, "mx.evil.tld", 5269, Security::insecure);
  const auto say = [&](const std::string& remote) {
    gateway->component("target1.tld").send(fmt::format("<message from='b@target1.tld' to='m@{}' id='r'/>", remote));
    world.run_for(10s);
  };
  say("evil.tld");
  ASSERT_EQ(authority_server->connections, 1u);
  say("more1.tld");
  EXPECT_EQ(authority_server->connections, 2u);
  say("more2.tld");
  say("more3.tld");
  EXPECT_LE(authority_server->connections, 3u);
  EXPECT_EQ(gateway->component("target1.tld").received.size(), 3u) << "an error each";
  const auto pairs = gateway->gateway->pairs();
  EXPECT_TRUE(std::ranges::any_of(
      pairs, [](const report::PairRow& row) { return row.remote == "evil.tld" && row.state == "proven"; }));
}

// AB-083: names without end that all lead to one address, each with a host and a port of its own, where every connection is reset.
class Reflection : public Abuse {
 protected:
  Reflection() {
    start();
    for (int i = 0; i < 400; ++i) {
      const std::string name = fmt::format("v{}.evil.tld", i);
      const auto port = static_cast<std::uint16_t>(5269 + i % 7);
      world.add_srv(name, name, port, Security::insecure);
      world.add_address(name, "203.0.113.66");
      world.listeners[{victim, port}].accept = [this](const std::unique_ptr<seams::Connection>&) { ++connections; };
    }
  }
  void claim(RawPeer& from, int first, int last) {
    const std::string key(200, 'k');  // long enough to pay for its questions (AB-196)
    for (int i = first; i < last; ++i) {
      from.say(fmt::format("<db:result from='v{}.evil.tld' to='target1.tld'>{}</db:result>", i, key));
      world.run_for(20ms);
    }
  }
  const Address victim = *Address::parse("203.0.113.66");
  std::size_t connections = 0;
};

TEST_F(Reflection, ManyNamesThatLeadToOneAddress_AreAFewConnections) {  // AB-083, P9
  ASSERT_TRUE(stranger.negotiate(door(), "evil.tld", "target1.tld"));
  claim(stranger, 0, 200);
  const std::size_t by_half = connections;
  EXPECT_GT(by_half, 0u);
  EXPECT_LE(by_half, 20u);
  claim(stranger, 200, 400);
  EXPECT_LT(connections, 2 * by_half) << "twice the claims are not twice the connections";
  EXPECT_GE(stranger.count("resource-constraint"), 350u);
}

TEST_F(Reflection, ThatClaimantAlone_IsHeldBack) {  // AB-083
  ASSERT_TRUE(stranger.negotiate(door(), "evil.tld", "target1.tld"));
  claim(stranger, 0, 200);
  const std::size_t before = connections;
  gateway->component("target1.tld").send("<message from='a@target1.tld' to='b@v300.evil.tld' id='1'/>");
  EXPECT_TRUE(world.run_until([&] { return connections == before + 1; }, 1s)) << "a pair of ours is tried at once";
  RawPeer other(world, "198.51.100.9");
  ASSERT_TRUE(other.negotiate(door(), "other.tld", "target1.tld"));
  claim(other, 301, 302);
  EXPECT_TRUE(world.run_until([&] { return connections == before + 2; }, 1s)) << "and so is another's claim";
}

// AB-076: we are no relay.
TEST_F(Abuse, StanzaToADomainNotHosted_IsNotRelayed) {
  start();
  prove_by_dialback();
  const std::size_t dialed = world.connections_made;
  stranger.say("<message from='m@evil.tld' to='b@elsewhere.tld'/>");
  EXPECT_TRUE(stranger.wait_for("host-unknown"));
  EXPECT_EQ(world.connections_made, dialed);
}

// MUX-08, row 4: our pair to evil2.tld lives at the very address that `peer` comes from, which has proven another domain.
class EarlyReply : public Abuse {
 protected:
  void set_up(config::Limits limits = {}) {
    start(limits);
    world.add_srv("evil2.tld", "mx.evil.tld", 5269, Security::insecure);
    prove_by_dialback();
    authority_server->answer_result = [](const auto& from, const auto& to) {
      return fmt::format("<db:result from='{}' to='{}' type='valid'/>", to, from);
    };
    gateway->component("target1.tld").send("<message from='b@target1.tld' to='m@evil2.tld' id='o1'/>");
    const auto lives = [&] {
      for (const report::PairRow& row : gateway->gateway->pairs())
        if (row.direction == "out" && row.remote == "evil2.tld" && row.state == "proven") return true;
      return false;
    };
    ASSERT_TRUE(world.run_until(lives, 30s));
    ASSERT_TRUE(peer.negotiate(door(), "evil.tld", "target1.tld"));
    peer.say("<db:result from='evil.tld' to='target1.tld'>key</db:result>");
    ASSERT_TRUE(peer.wait_for("type='valid'"));
    world.weather.dns_takes = 4s;
  }
  void reply(int count) {
    const std::string body(1000, 'x');
    for (int i = 0; i < count; ++i)
      peer.say(
          fmt::format("<message from='m@evil2.tld' to='b@target1.tld' id='r{}'><body>{}</body></message>", i, body));
  }
  std::ptrdiff_t dropped(std::string_view reason) const {
    return std::ranges::count_if(gateway->log.events, [&](const report::Event& event) {
      const auto has = [&](std::string_view key, std::string_view value) {
        return std::ranges::count(event.fields, std::pair(key, std::string(value))) == 1;
      };
      return event.name == "dropped" && has("what", "unproven_reply") && has("reason", reason);
    });
  }
  RawPeer peer{world, "198.51.100.8"};
};

// They wait in one bounded queue, however many come while DNS is slow. What is not proven in the end is dropped and counted,
// and the stream stays.
TEST_F(EarlyReply, ManyWhileTheSenderIsJudged_AreHeldInBounds) {
  config::Limits limits;
  limits.queue_per_pair = 64 * 1024;
  set_up(limits);
  constexpr int kReplies = 500;
  reply(kReplies);
  world.run_for(3s);
  EXPECT_GT(dropped("queue.full"), kReplies - 64);
  EXPECT_EQ(dropped("sender.not_proven"), 0);
  ASSERT_TRUE(world.run_until([&] { return dropped("sender.not_proven") > 0; }, 60s));
  EXPECT_EQ(dropped("queue.full") + dropped("sender.not_proven"), kReplies);
  EXPECT_EQ(delivered(), 0u);
  EXPECT_FALSE(peer.is_closed);
  EXPECT_EQ(peer.count("<stream:error"), 0u);
}

// Nor is anybody told of them when the stream ends first: whom they name may never have sent them.
TEST_F(EarlyReply, StreamEndsWhileTheSenderIsJudged_NobodyIsTold) {
  set_up();
  reply(3);
  world.run_for(1s);
  const auto sent_to_evil2 = [&] {
    for (const report::PairRow& row : gateway->gateway->pairs())
      if (row.direction == "out" && row.remote == "evil2.tld") return row.stanzas;
    return std::uint64_t{0};
  };
  ASSERT_EQ(sent_to_evil2(), 1u);
  peer.say("</stream:stream>");
  ASSERT_TRUE(world.run_until([&] { return peer.is_closed; }, 30s));
  EXPECT_EQ(dropped("sender.not_proven"), 3);
  EXPECT_EQ(sent_to_evil2(), 1u);
  EXPECT_EQ(delivered(), 0u);
}

// AB-120, P7: what waits for a peer that does not read is bounded over all its pairs, however many there are; and what has
// left its queue counts no more.
TEST_F(Abuse, QueuesOfAllPairsOfOnePeer_AreBoundedTogether) {
  config::Limits limits;
  limits.queue_per_pair = 300 * 1024;
  limits.queue_per_peer = 400 * 1024;
  start(limits);
  authority_server.emplace(world, "198.51.100.8");
  authority_server->answer_result = [](const auto& from, const auto& to) {
    return fmt::format("<db:result from='{}' to='{}' type='valid'/>", to, from);
  };
  const std::string body(1000, 'x');
  const auto send = [&](int count) {
    for (int i = 0; i < count; ++i)
      for (const char* own : {"target1.tld", "target2.tld"})
        gateway->component(own).send(
            fmt::format("<message from='b@{}' to='m@evil.tld' id='m{}'><body>{}</body></message>", own, i, body));
  };
  const auto waiting = [&] {
    std::size_t stanzas = 0;
    for (const report::PairRow& row : gateway->gateway->pairs()) stanzas += row.queued;
    return stanzas;
  };
  send(1);
  world.run_for(10s);
  ASSERT_EQ(waiting(), 0u);
  for (int round = 0; round < 2; ++round) {
    authority_server->stop_reading();
    send(3000);
    world.run_for(20s);
    EXPECT_LE(waiting(), 200u) << "a kept stanza of 1,000 bytes counts as more than 2,000";
    EXPECT_GT(waiting(), 150u) << "more than one pair's share";
    authority_server->go_on_reading();
    ASSERT_TRUE(world.run_until([&] { return waiting() == 0; }, 30s));
  }
  EXPECT_EQ(authority_server->connections, 1u);
}

// AB-077, MUX-08, I-16: proven by dialback for one target is not proven for another.
TEST_F(Abuse, StanzaToATargetNotClaimed_IsAnsweredWithAnErrorAndNotDelivered) {
  start();
  prove_by_dialback();
  stranger.say("<message from='m@evil.tld' to='b@target2.tld' id='m2'/>");
  stranger.say(kMessage);
  EXPECT_TRUE(world.run_until([&] { return delivered() == 1; }, 10s));
  EXPECT_TRUE(gateway->component("target2.tld").received.empty());
  EXPECT_FALSE(stranger.is_closed);
}

// AB-078, AB-079, DB-01, DB-02: as authority, only the very key for this id and pair is valid; no state, no proof asked.
TEST_F(Abuse, QuestionsToUsAsAuthority_AreAnsweredFromTheKeyAlone) {
  start();
  ASSERT_TRUE(stranger.negotiate(door(), "evil.tld", "target1.tld"));
  const auto ask = [&](const std::string& to, const std::string& id, const std::string& key) {
    stranger.received.clear();
    stranger.say(fmt::format("<db:verify from='evil.tld' to='{}' id='{}'>{}</db:verify>", to, id, key));
    EXPECT_TRUE(stranger.wait_for("db:verify"));
    world.run_for(1s);  // fragments
    return stranger.received;
  };
  EXPECT_THAT(ask("target1.tld", "s1", "deadbeef"), HasSubstr("type='invalid'"));
  EXPECT_THAT(ask("nothere.tld", "s1", "deadbeef"),
              testing::AllOf(HasSubstr("type='error'"), HasSubstr("item-not-found")));
  const auto key = proof::DialbackKey::derive("another secret, as long as it must be", *Domain::parse("evil.tld"),
                                              *Domain::parse("target1.tld"), "s1");
  EXPECT_THAT(ask("target1.tld", "s1", std::string(key.wire_text())), HasSubstr("type='invalid'"));
}

// AB-195: of a domain with sixteen signed targets a claim asks ten questions at most, and still comes to its authority.
TEST_F(Abuse, ClaimOfADomainWithManyTargets_CostsTenQuestions) {
  start();
  world.add_srv("many.tld", "t0.many.tld", 5269, Security::secure);
  for (int i = 0; i < 16; ++i) {
    if (i > 0) world.add_srv_target("many.tld", fmt::format("t{}.many.tld", i), 5269, 0);
    world.add_address(fmt::format("t{}.many.tld", i), "198.51.100.8");
  }
  authority_server.emplace(world, "198.51.100.8");
  authority_server->answer = [](const auto& from, const auto& to, const auto& id) {
    return verify_answer(from, to, id, "valid");
  };
  ASSERT_TRUE(stranger.negotiate(door(), "many.tld", "target1.tld"));
  const std::size_t before = gateway->questions();
  stranger.say("<db:result from='many.tld' to='target1.tld'>key</db:result>");
  ASSERT_TRUE(stranger.wait_for("type='valid'"));
  EXPECT_GT(gateway->questions(), before + 3);
  EXPECT_LE(gateway->questions(), before + 10);
}

// AB-196: claims of others' domains make their name servers receive no more than the stranger has sent.
TEST_F(Abuse, ManyClaims_AskNoMoreThanWasSent) {
  start();
  for (int i = 0; i < 200; ++i)
    world.add_srv(fmt::format("v{}.tld", i), fmt::format("mx.v{}.tld", i), 5269, Security::secure);
  ASSERT_TRUE(stranger.negotiate(door(), "evil.tld", "target1.tld"));
  const std::size_t before = gateway->question_bytes();
  std::size_t sent = 0;
  for (int i = 0; i < 200; ++i) {
    const std::string claim = fmt::format("<db:result from='v{}.tld' to='target1.tld'>k</db:result>", i);
    sent += claim.size();
    stranger.say(claim);
  }
  world.run_for(30s);
  EXPECT_GT(gateway->question_bytes() - before, sent / 2);
  EXPECT_LE(gateway->question_bytes() - before, sent + 2048);  // with its headers and its TLS handshake
  EXPECT_THAT(stranger.received, HasSubstr("remote-server-timeout"));
}

// AB-081: dial-backs of one stream are bounded.
TEST_F(Abuse, ManyClaimedDomains_AreNotAllDialed) {
  start();
  for (int i = 0; i < 60; ++i) {
    world.add_srv(fmt::format("d{}.tld", i), fmt::format("mx{}.tld", i), 5269, Security::insecure);
    world.add_address(fmt::format("mx{}.tld", i), fmt::format("203.0.113.{}", i + 1));
  }
  std::list<RawAuthority> silent;
  for (int i = 0; i < 60; ++i) silent.emplace_back(world, fmt::format("203.0.113.{}", i + 1));
  ASSERT_TRUE(stranger.negotiate(door(), "evil.tld", "target1.tld"));
  const std::string key(200, 'k');  // long enough to pay for its questions (AB-196)
  for (int i = 0; i < 60; ++i)
    stranger.say(fmt::format("<db:result from='d{}.tld' to='target1.tld'>{}</db:result>", i, key));
  ASSERT_TRUE(stranger.wait_for("resource-constraint"));
  world.run_for(1s);
  EXPECT_GE(stranger.count("resource-constraint"), 30u);
}

// AB-081: nor by more streams from the same address, while claims from another address are decided.
TEST_F(Abuse, ManyClaimedDomainsOnManyStreams_AreNotAllDialed) {
  config::Limits limits;
  limits.dial_backs_per_stream = 4;
  limits.dial_backs_per_address = 10;
  start(limits);
  std::vector<std::unique_ptr<seams::Connection>> silent;  // accepted, and never a word
  for (int i = 0; i < 50; ++i) {
    world.add_srv(fmt::format("d{}.tld", i), fmt::format("mx{}.tld", i), 5269, Security::insecure);
    world.add_address(fmt::format("mx{}.tld", i), fmt::format("203.0.113.{}", i + 1));
    world.listeners[*Endpoint::parse(fmt::format("203.0.113.{}:5269", i + 1))].accept =
        [&](std::unique_ptr<seams::Connection> connection) { silent.push_back(std::move(connection)); };
  }
  std::list<RawPeer> strangers;
  for (int stream = 0; stream < 8; ++stream) {
    RawPeer& peer = strangers.emplace_back(world, "198.51.100.7");
    ASSERT_TRUE(peer.negotiate(door(), "evil.tld", "target1.tld"));
    for (int i = 0; i < 5; ++i)
      peer.say(fmt::format("<db:result from='d{}.tld' to='target1.tld'>k</db:result>", stream * 5 + i));
  }
  world.run_for(5s);
  EXPECT_EQ(silent.size(), 10u);
  std::size_t refused = 0;
  for (const RawPeer& peer : strangers) refused += peer.count("resource-constraint");
  EXPECT_EQ(refused, 30u);
  // Nor by coming again: what is being dialed counts on.
  strangers.clear();
  world.run_for(1s);
  ASSERT_TRUE(stranger.negotiate(door(), "evil.tld", "target1.tld"));
  for (int i = 40; i < 44; ++i)
    stranger.say(fmt::format("<db:result from='d{}.tld' to='target1.tld'>k</db:result>", i));
  world.run_for(1s);
  EXPECT_EQ(silent.size(), 10u);
  RawPeer other(world, "198.51.100.9");
  ASSERT_TRUE(other.negotiate(door(), "other.tld", "target1.tld"));
  other.say("<db:result from='d49.tld' to='target1.tld'>k</db:result>");
  ASSERT_TRUE(world.run_until([&] { return silent.size() == 11; }, 10s));
}

// AB-081, I-11: what a forger was refused is remembered of him; the domain that he claimed is heard all the same.
TEST_F(Abuse, ForgedClaimThatWasRefused_DoesNotSpeakForTheDomain) {
  start();
  authority_server.emplace(world, "198.51.100.8");
  bool is_forged = true;
  authority_server->answer = [&](const auto& from, const auto& to, const auto& id) {
    return verify_answer(from, to, id, is_forged ? "invalid" : "valid");
  };
  ASSERT_TRUE(stranger.negotiate(door(), "evil.tld", "target1.tld"));
  stranger.say("<db:result from='evil.tld' to='target1.tld'>forged</db:result>");
  ASSERT_TRUE(stranger.wait_for("type='invalid'"));
  RawPeer again(world, "198.51.100.7");
  ASSERT_TRUE(again.negotiate(door(), "evil.tld", "target1.tld"));
  again.say("<db:result from='evil.tld' to='target1.tld'>forged</db:result>");
  ASSERT_TRUE(again.wait_for("type='invalid'"));
  EXPECT_EQ(authority_server->questions, 1u);  // he is remembered
  is_forged = false;
  RawPeer domain(world, "198.51.100.9");
  ASSERT_TRUE(domain.negotiate(door(), "evil.tld", "target1.tld"));
  domain.say("<db:result from='evil.tld' to='target1.tld'>true</db:result>");
  EXPECT_TRUE(domain.wait_for("type='valid'"));
}

// AB-082, DB-07: the same pair asked fifty times is one question.
TEST_F(Abuse, SamePairClaimedManyTimes_IsAskedOnce) {
  start();
  authority_server.emplace(world, "198.51.100.8");
  authority_server->answer = [](const auto& from, const auto& to, const auto& id) {
    return verify_answer(from, to, id, "valid");
  };
  ASSERT_TRUE(stranger.negotiate(door(), "evil.tld", "target1.tld"));
  for (int i = 0; i < 50; ++i) stranger.say("<db:result from='evil.tld' to='target1.tld'>key</db:result>");
  ASSERT_TRUE(stranger.wait_for("type='valid'"));
  EXPECT_EQ(authority_server->questions, 1u);
}

// AB-085, AB-051: a certificate that is good for evil.tld, presented as victim.tld.
TEST_F(Abuse, CertificateOfAnotherDomain_ProvesNothingForTheVictim) {
  config::Policy policy;
  policy.defaults.proofs = {proof::ProofType::pkix};
  start({}, policy);
  world.add_srv("victim.tld", "mx.victim.tld", 5269, Security::insecure);
  world.add_address("mx.victim.tld", "198.51.100.9");
  world.chains[*Address::parse("198.51.100.7")] = chain_for("evil.tld");
  ASSERT_TRUE(stranger.negotiate(door(), "victim.tld", "target1.tld"));
  EXPECT_FALSE(stranger.has("EXTERNAL"));
  stranger.say("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>=</auth>");
  EXPECT_TRUE(stranger.wait_for("<failure"));
  stranger.say("<db:result from='victim.tld' to='target1.tld'>key</db:result>");
  EXPECT_TRUE(stranger.wait_for("type='error'"));
  stranger.say("<message from='m@victim.tld' to='b@target1.tld'/>");
  world.run_for(40s);
  EXPECT_EQ(delivered(), 0u);
}

// AB-050, I-05, I-15, EXT-02, MUX-07: control: the right certificate proves its name, for each target, and nothing else.
TEST_F(Abuse, RightCertificate_ProvesItsNameForEachTarget) {
  config::Policy policy;
  policy.defaults.proofs = {proof::ProofType::pkix};
  start({}, policy);
  world.chains[*Address::parse("198.51.100.7")] = chain_for("evil.tld");
  ASSERT_TRUE(stranger.negotiate(door(), "evil.tld", "target1.tld"));
  ASSERT_TRUE(stranger.has("EXTERNAL"));
  stranger.say("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>=</auth>");
  ASSERT_TRUE(stranger.wait_for("<success"));
  stranger.received.clear();
  stranger.header("evil.tld", "target1.tld");
  ASSERT_TRUE(stranger.wait_for("</stream:features>"));
  stranger.say(kMessage);
  stranger.say("<message from='m@evil.tld' to='b@target2.tld'/>");
  EXPECT_TRUE(world.run_until([&] { return delivered() == 2; }, 10s));
  const std::vector<report::PairRow> pairs = gateway->gateway->pairs();
  ASSERT_EQ(pairs.size(), 2u);
  for (const report::PairRow& row : pairs) EXPECT_EQ(row.proof, "pkix");
  // I-17: a claim that the certificate proves is valid at once, whatever its key, and nobody is dialed.
  stranger.say("<db:result from='evil.tld' to='target2.tld'>whatever</db:result>");
  EXPECT_TRUE(stranger.wait_for("type='valid'"));
  EXPECT_EQ(world.connections_made, 0u);
  // AB-090: not so for a domain below it, nor for another that is delegated to the same place.
  stranger.say("<db:result from='sub.evil.tld' to='target1.tld'>whatever</db:result>");
  EXPECT_TRUE(stranger.wait_for("type='error'"));
}

// AB-093, MUX-12: the cap of senders on one stream; who is over it is refused, who is proven stays.
TEST_F(Abuse, MoreSendersThanOneStreamMayHave_AreRefused) {
  config::Limits limits;
  limits.senders_per_stream = 2;
  start(limits);
  prove_by_dialback();
  for (const char* sender : {"e2.tld", "e3.tld", "e4.tld"}) {
    world.add_srv(sender, "mx.evil.tld", 5269, Security::insecure);
    stranger.say(fmt::format("<db:result from='{}' to='target1.tld'>k</db:result>", sender));
  }
  ASSERT_TRUE(stranger.wait_for("resource-constraint"));
  stranger.say(kMessage);
  EXPECT_TRUE(world.run_until([&] { return delivered() == 1; }, 10s));
}

// AB-012, AB-010: too deep and too large, before proof: ended, and other streams are served.
TEST_F(Abuse, TooDeepOrTooLarge_EndsThatStreamAlone) {
  start();
  prove_by_dialback();
  RawPeer deep(world, "198.51.100.20"), large(world, "198.51.100.21");
  ASSERT_TRUE(deep.negotiate(door(), "evil.tld", "target1.tld"));
  ASSERT_TRUE(large.negotiate(door(), "evil.tld", "target1.tld"));
  std::string nested;
  for (int i = 0; i < 200; ++i) nested += "<a>";
  deep.say(nested);
  large.say("<db:result from='evil.tld' to='target1.tld'>" + std::string(20000, 'x'));
  EXPECT_TRUE(deep.wait_for("policy-violation"));
  EXPECT_TRUE(large.wait_for("policy-violation"));
  stranger.say(kMessage);
  EXPECT_TRUE(world.run_until([&] { return delivered() == 1; }, 10s));
}

// AB-010, AB-181: what cannot be passed on costs itself: its sender is answered, the streams and the link stay.
TEST_F(Abuse, StanzaThatCannotPass_IsAnsweredAlone) {
  start();
  prove_by_dialback();
  const std::string large(600'000, 'x');
  stranger.say("<iq type='set' from='m@evil.tld' to='b@target1.tld' id='big'><q xmlns='urn:q'>" + large + "</q></iq>");
  stranger.say("<iq type='set' from='m@evil.tld' to='b@target1.tld' id='odd'><q xmlns='a}b'/></iq>");
  stranger.say(kMessage);
  ASSERT_TRUE(world.run_until([&] { return delivered() == 1; }, 10s));
  EXPECT_EQ(gateway->component("target1.tld").received[0].id, "m1");
  EXPECT_FALSE(stranger.is_closed);

  Component& component = gateway->component("target1.tld");
  component.send("<message from='b@target1.tld' to='a@evil.tld' id='big'><body>" + large + "</body></message>");
  component.send("<message from='b@target1.tld' to='a@evil.tld' id='odd'><q xmlns='a}b'/></message>");
  component.send("<message type='error' from='b@target1.tld' to='a@evil.tld' id='silent'><q xmlns='a}b'/></message>");
  ASSERT_TRUE(world.run_until([&] { return component.received.size() == 3; }, 10s));
  EXPECT_EQ(component.received[1].id, "big");
  EXPECT_THAT(component.received[1].bytes, HasSubstr("policy-violation"));
  EXPECT_EQ(component.received[2].id, "odd");
  EXPECT_THAT(component.received[2].bytes, HasSubstr("bad-request"));
  world.run_for(60s);
  EXPECT_EQ(component.received.size(), 3u);
  EXPECT_TRUE(component.is_up);
}

// AB-017: another protocol on our port; nothing of it comes back.
TEST_F(Abuse, HttpOnOurPort_IsClosedWithoutAnEcho) {
  start();
  ASSERT_TRUE(stranger.connect(door()));
  stranger.say("GET /secret-path HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(world.run_until([&] { return stranger.is_closed; }, 40s));
  EXPECT_FALSE(stranger.has("secret-path"));
}

// AB-146: special-use names are refused from the network unless a policy rule names them.
TEST_F(Abuse, SpecialUseName_IsRefusedUnlessConfigured) {
  start();
  ASSERT_TRUE(stranger.negotiate(door(), "evil.tld", "target1.tld"));
  stranger.say("<db:result from='printer.local' to='target1.tld'>k</db:result>");
  EXPECT_TRUE(stranger.wait_for("type='error'"));
  EXPECT_EQ(world.connections_made, 0u);
}

// P1: blocked by policy.
TEST_F(Abuse, BlockedDomain_IsRefusedInBothWays) {
  config::Policy policy;
  policy.peers.push_back({{"evil.tld"}, std::nullopt, std::nullopt, std::nullopt, std::nullopt, true});
  start({}, policy);
  EXPECT_FALSE(stranger.negotiate(door(), "evil.tld", "target1.tld"));
  EXPECT_TRUE(stranger.has("policy-violation"));
  gateway->component("target1.tld").send("<message from='b@target1.tld' to='m@evil.tld' id='o1'/>");
  ASSERT_TRUE(world.run_until([&] { return delivered() == 1; }, 10s));
  EXPECT_THAT(gateway->component("target1.tld").received[0].bytes, HasSubstr("forbidden"));
}

// ---- components -------------------------------------------------------------------------------------------------------

class Links : public Abuse {
 protected:
  Component& connect(const std::string& domain, const std::string& secret) {
    Component& added = components.emplace_back(world, domain, secret);
    added.connect(*gateway->gateway);
    world.run_until([&] { return added.is_up || added.is_closed; }, 10s);
    return added;
  }
  std::list<Component> components;
};

// AB-100, AB-108, COMP-01.
TEST_F(Links, WrongSecret_IsNotAuthorized) {
  start();
  gateway->component("target1.tld").disconnect();
  world.run_for(5s);
  EXPECT_THAT(connect("target1.tld", "guess").stream_error, HasSubstr("not-authorized"));
  EXPECT_TRUE(connect("target1.tld", "secret-target1.tld").is_up);
}

// AB-100, COMP-01: a domain that no component is configured for.
TEST_F(Links, UnknownDomain_IsHostUnknown) {
  start();
  EXPECT_THAT(connect("other.tld", "x").stream_error, HasSubstr("host-unknown"));
}

// AB-102, COMP-01: the newcomer is refused, the first stays.
TEST_F(Links, SecondConnectionForADomain_IsAConflict) {
  start();
  EXPECT_THAT(connect("target1.tld", "secret-target1.tld").stream_error, HasSubstr("conflict"));
  EXPECT_TRUE(gateway->component("target1.tld").is_up);
}

// AB-229, COMP-01: a component whose machine died without a word does not lock out the one that starts elsewhere.
TEST_F(Links, ComponentWhoseMachineDied_GivesWayWithinSeconds) {
  start();
  gateway->component("target1.tld").disconnect();
  world.run_for(5s);
  Component& old = components.emplace_back(world, "target1.tld", "secret-target1.tld");
  old.own = *Endpoint::parse("127.0.0.9:7");
  old.connect(*gateway->gateway);
  ASSERT_TRUE(world.run_until([&] { return old.is_up; }, 5s));
  old.vanish();
  Component& fresh = components.emplace_back(world, "target1.tld", "secret-target1.tld");
  fresh.connect(*gateway->gateway);
  fresh.send("<message from='b@target1.tld' to='a@other.tld' id='early'/>");
  EXPECT_TRUE(world.run_until([&] { return fresh.is_up; }, 5s));
  EXPECT_EQ(gateway->gateway->status().links, 2u);
  EXPECT_TRUE(world.run_until([&] { return !fresh.received.empty(); }, 40s)) << "what came behind its handshake";
}

// COMP-02, AB-186: no to, or an address of its own that is none: answered where there is somebody, and the link lives.
TEST_F(Links, StanzaWithoutTo_IsAnsweredAndTheLinkLives) {
  start();
  Component& component = gateway->component("target1.tld");
  component.send(
      "<message from='b@target1.tld' id='1'/><iq type='error' id='2'/><message from='@target1.tld' id='3'/>");
  ASSERT_TRUE(world.run_until([&] { return !component.received.empty(); }, 10s));
  EXPECT_EQ(component.received[0].id, "1");
  EXPECT_THAT(component.received[0].bytes, HasSubstr("bad-request"));
  world.run_for(5s);
  EXPECT_EQ(component.received.size(), 1u);
  EXPECT_FALSE(component.is_closed);
}

// AB-105: what is no XML is never passed on.
TEST_F(Links, InvalidXml_EndsTheLink) {
  start();
  Component& component = gateway->component("target1.tld");
  component.send("<message from='b@target1.tld' to='a@evil.tld'><body></message>");
  ASSERT_TRUE(world.run_until([&] { return component.is_closed; }, 10s));
  EXPECT_THAT(component.stream_error, HasSubstr("not-well-formed"));
  EXPECT_EQ(world.connections_made, 0u);
}

// AB-107, COMP-05: one tenant to another, internally, only where that is allowed.
TEST_F(Links, TenantToTenant_OnlyWhereAllowed) {
  start();
  gateway->component("target1.tld").send("<message from='b@target1.tld' to='b@target2.tld' id='i1'/>");
  ASSERT_TRUE(world.run_until([&] { return delivered() == 1; }, 10s));
  EXPECT_THAT(gateway->component("target1.tld").received[0].bytes, HasSubstr("remote-server-not-found"));
  gateway.reset();
  config::Policy policy;
  policy.internal = true;
  start({}, policy);
  gateway->component("target1.tld").send("<message from='b@target1.tld' to='b@target2.tld' id='i1'/>");
  ASSERT_TRUE(world.run_until([&] { return delivered() == 1; }, 10s));
  EXPECT_EQ(gateway->component("target2.tld").received[0].id, "i1");
}

// AB-122, ROUTE-02: errors, iq results and iqs without id are never answered.
TEST_F(Links, WhatMayNotBeAnswered_IsNot) {
  start();
  Component& component = gateway->component("target1.tld");
  component.send("<message type='error' from='b@target1.tld' to='a@nowhere.tld' id='1'/>");
  component.send("<iq type='result' from='b@target1.tld' to='a@nowhere.tld' id='2'/>");
  component.send("<iq type='get' from='b@target1.tld' to='a@nowhere.tld'><x xmlns='y'/></iq>");
  world.run_for(120s);
  EXPECT_TRUE(component.received.empty());
}

// AB-120, AB-121, P5: what waits for a domain is bounded in bytes; its link waits for a second, and then each stanza over it is
// answered.
TEST_F(Links, QueueOfAPair_IsBoundedAndNothingVanishes) {
  config::Limits limits;
  limits.queue_per_pair = 20000;
  start(limits);
  world.weather.dns_takes = 5s;
  Component& component = gateway->component("target1.tld");
  const std::string body(1000, 'x');
  const Instant sent_at = world.now();
  const auto is_full = [](const Received& received) {
    return received.bytes.find("resource-constraint") != std::string::npos;
  };
  for (int i = 0; i < 50; ++i)
    component.send(
        fmt::format("<message from='b@target1.tld' to='a@evil.tld' id='q{}'><body>{}</body></message>", i, body));
  ASSERT_TRUE(world.run_until([&] { return !component.received.empty(); }, 120s));
  EXPECT_GE(world.now() - sent_at, 1s);
  EXPECT_TRUE(is_full(component.received[0]));
  ASSERT_TRUE(world.run_until([&] { return component.received.size() == 50; }, 120s));
  const auto full =
      static_cast<std::size_t>(std::count_if(component.received.begin(), component.received.end(), is_full));
  EXPECT_GT(full, 20u);
  EXPECT_LT(full, 50u);
}

// AB-144, AB-143, ADDR-01 are the dialer's; AB-110's escaping is the log's.

// AB-210, COMP-05: what passes between hosted domains stays inside, the errors too: a hosted domain is no target of an out pair.
TEST_F(Links, ErrorOfAnInternalStanza_StaysInside) {
  config::Policy policy;
  policy.internal = true;
  start({}, policy);
  Component& sender = gateway->component("target1.tld");
  ASSERT_TRUE(world.run_until([&] { return sender.is_up && gateway->component("target2.tld").is_up; }, 5s));
  gateway->component("target2.tld").disconnect();
  world.run_for(5s);
  sender.send("<iq from='a@target1.tld' to='b@target2.tld' id='q' type='get'><query xmlns='urn:x'/></iq>");
  ASSERT_TRUE(world.run_until([&] { return sender.received.size() == 1; }, 5s));
  EXPECT_EQ(sender.received[0].id, "q");
  EXPECT_EQ(sender.received[0].type, "error");
  world.run_for(60s);
  EXPECT_TRUE(gateway->gateway->pairs().empty());
}

}  // namespace
}  // namespace ligase::sim
