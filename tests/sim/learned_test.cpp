// What a gateway learns of its peers, and that a restart does not make it forget.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/provider.hpp"
#include "sim/raw_peer.hpp"
#include "support/certificates.hpp"

namespace ligase::sim {
namespace {

using proof::Security;

std::shared_ptr<const proof::Chain> chain_of(const test::MadeCertificate& made) {
  return *proof::Chain::parse({made.der});
}

// One gateway with sender1.tld; target1.tld … are served at mx.tld by whoever the test puts there.
class Learned : public testing::Test {
 protected:
  Learned() {
    world.add_address("mx.tld", "198.51.100.8");
    for (const char* domain : {"target1.tld", "target2.tld", "target3.tld"})
      world.add_srv(domain, "mx.tld", 5269, Security::insecure);
    world.chains[*Address::parse("198.51.100.8")] = chain_of(test::make_leaf(authority, {"unrelated.tld"}));
    start();
  }
  void start() {
    gateway.reset();
    gateway.emplace(world, ProviderSpec{"xmpp1.originating.tld",
                                        "192.0.2.1",
                                        {"sender1.tld", "sender2.tld"},
                                        own,
                                        *proof::TrustAnchors::parse_pem(authority.pem + second.pem),
                                        policy,
                                        {}});
    world.run_for(5s);
  }
  void send(const std::string& to, const std::string& from = "sender1.tld") {
    gateway->component(from).send(fmt::format("<message from='a@{}' to='b@{}' id='1'/>", from, to));
  }
  std::size_t proven() const {
    std::size_t count = 0;
    for (const report::PairRow& row : gateway->gateway->pairs()) count += row.state == "proven" ? 1 : 0;
    return count;
  }
  std::string reason_of_the_refusal() const {
    const auto refused = std::ranges::find(gateway->log.events, std::string_view("pair_refused"), &report::Event::name);
    std::string text;
    for (const auto& [key, value] : refused->fields)
      if (key == "reason" || key == "detail") text += value + " ";
    return text;
  }
  const SimStore& memory() { return world.stores[*Address::parse("192.0.2.1")]; }

  World world{69};
  config::Policy policy;
  test::MadeCertificate authority = test::make_root("First CA"), second = test::make_root("Second CA");
  std::shared_ptr<const proof::Chain> own = chain_of(test::make_leaf(authority, {"xmpp1.originating.tld"}));
  std::optional<Provider> gateway;
};

std::string valid(const std::string& from, const std::string& to) {
  return fmt::format("<db:result from='{}' to='{}' type='valid'/>", to, from);
}

// MUX-08: a domain that is hosted no more since a restart costs the stanza, not the stream that others share; after an hour it is
// as any other that is not hosted.
TEST_F(Learned, DomainThatWasHostedLately_CostsTheStanzaAlone) {
  RawAuthority peer(world, "198.51.100.8");
  peer.answer_result = valid;
  peer.answer = [](const auto& from, const auto& to, const auto& id) { return verify_answer(from, to, id, "valid"); };
  gateway->stop();
  gateway.reset();
  gateway.emplace(world, ProviderSpec{"xmpp1.originating.tld",
                                      "192.0.2.1",
                                      {"sender1.tld"},
                                      own,
                                      *proof::TrustAnchors::parse_pem(authority.pem),
                                      policy,
                                      {}});
  world.run_for(1s);
  const auto speak = [&](RawPeer& stranger) {
    ASSERT_TRUE(stranger.negotiate(gateway->endpoint, "target1.tld", "sender1.tld"));
    stranger.say("<db:result from='target1.tld' to='sender1.tld'>key</db:result>");
    ASSERT_TRUE(stranger.wait_for("type='valid'"));
    stranger.say("<message from='b@target1.tld' to='a@sender2.tld' id='gone'/>");
    stranger.say("<message from='b@target1.tld' to='a@sender1.tld' id='here'/>");
    world.run_for(2s);
  };
  RawPeer first(world, "198.51.100.8"), second_peer(world, "198.51.100.8");
  speak(first);
  EXPECT_FALSE(first.is_closed);
  EXPECT_EQ(gateway->component("sender1.tld").received.size(), 1u);
  EXPECT_EQ(gateway->log.count("dropped"), 1u);
  world.run_for(std::chrono::hours(1));
  speak(second_peer);
  EXPECT_TRUE(second_peer.has("host-unknown"));
}

// MUX-06: a peer that ends the stream when a second target is asked for is not asked again for a day, restart or not; then
// it is.
TEST_F(Learned, PeerThatBreaksOnAnExtraTarget_IsRememberedOverARestartForADay) {
  RawAuthority peer(world, "198.51.100.8");
  std::size_t extra_targets = 0;
  std::string first;
  peer.answer_result = [&](const std::string& from, const std::string& to) -> std::string {
    if (first.empty() || first == to) {
      first = to;
      return valid(from, to);
    }
    ++extra_targets;
    first.clear();
    return "</stream:stream>";
  };
  send("target1.tld");
  ASSERT_TRUE(world.run_until([&] { return proven() == 1; }, 30s));
  send("target2.tld");
  const auto is_remembered = [&] {
    const seams::Memo* memo = memory().find("peer", "mx.tld:5269");
    return memo != nullptr && memo->value.find("no-extra-targets=") != std::string::npos;
  };
  ASSERT_TRUE(world.run_until(is_remembered, 30s));
  EXPECT_EQ(peer.connections, 1u) << "before anything is tried anew";
  world.run_for(60s);
  ASSERT_EQ(extra_targets, 1u) << "learned at once, in memory";

  gateway->stop();
  first.clear();
  peer.answer_result = valid;
  start();
  const std::size_t before = peer.connections;
  send("target1.tld");
  send("target2.tld");
  ASSERT_TRUE(world.run_until([&] { return proven() == 2; }, 30s));
  EXPECT_EQ(peer.connections - before, 2u) << "a stream each";

  gateway->stop();
  world.wall_offset += std::chrono::hours(25);
  start();
  const std::size_t later = peer.connections;
  send("target1.tld");
  ASSERT_TRUE(world.run_until([&] { return proven() == 1; }, 30s));
  send("target2.tld");
  ASSERT_TRUE(world.run_until([&] { return proven() == 2; }, 30s));
  EXPECT_EQ(peer.connections - later, 1u) << "tried anew";
}

// AB-275: learned while the clock is years ahead, it is for a day all the same.
TEST_F(Learned, PeerThatBreaksOnAnExtraTargetWhileTheClockIsAhead_IsTriedAnewAfterADay) {
  world.wall_offset = std::chrono::hours(24 * 3650);
  world.run_for(5s);
  RawAuthority peer(world, "198.51.100.8");
  std::size_t extra_targets = 0;
  std::string first;
  peer.answer_result = [&](const std::string& from, const std::string& to) -> std::string {
    if (first.empty() || first == to) {
      first = to;
      return valid(from, to);
    }
    ++extra_targets;
    first.clear();
    return "</stream:stream>";
  };
  send("target1.tld");
  ASSERT_TRUE(world.run_until([&] { return proven() == 1; }, 30s));
  send("target2.tld");
  world.run_for(60s);
  ASSERT_EQ(extra_targets, 1u);
  world.wall_offset = {};
  peer.answer_result = valid;
  world.run_for(std::chrono::hours(25));
  const std::size_t before = peer.connections;
  send("target1.tld");
  send("target2.tld");
  world.run_for(30s);
  EXPECT_EQ(proven(), 2u);
  EXPECT_LE(peer.connections - before, 1u) << "tried anew";
}

constexpr const char* kExternalAndDialback =
    "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>EXTERNAL</mechanism></mechanisms>"
    "<dialback xmlns='urn:xmpp:features:dialback'><errors/></dialback>";

// EXT-01: a server that dies of our certificate (ejabberd 23 of an XmppAddr) is spoken to again at once, and from then on
// without EXTERNAL, restart or not; what waits is delivered.
TEST_F(Learned, PeerThatIsCutAtExternal_IsReachedWithoutItAtOnce) {
  RawAuthority peer(world, "198.51.100.8");
  std::size_t cuts = 0;
  peer.features = kExternalAndDialback;
  peer.answer_auth = [&](const std::string&) {  // it closes its stream, or has no time for that
    return std::string(++cuts == 1 ? "</stream:stream>" : "");
  };
  peer.answer_result = valid;
  const Instant before = world.now();
  send("target1.tld");
  ASSERT_TRUE(world.run_until([&] { return proven() == 1; }, 30s));
  EXPECT_LT(world.now() - before, 5s);
  EXPECT_EQ(cuts, 1u);
  EXPECT_EQ(peer.connections, 2u);
  const seams::Memo* memo = memory().find("peer", "mx.tld:5269");
  ASSERT_NE(memo, nullptr);
  EXPECT_THAT(memo->value, testing::HasSubstr("no-external="));

  gateway->stop();
  world.wall_offset += std::chrono::days(6);
  start();
  send("target1.tld");
  ASSERT_TRUE(world.run_until([&] { return proven() == 1; }, 30s));
  EXPECT_EQ(cuts, 1u) << "known for a week";
  gateway->stop();
  world.wall_offset += std::chrono::days(2);
  start();
  send("target1.tld");
  ASSERT_TRUE(world.run_until([&] { return proven() == 1; }, 30s));
  EXPECT_EQ(cuts, 2u) << "tried anew";
}

constexpr const char* kNotAuthorized =
    "<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><not-authorized/></failure></stream:stream>";

// EXT-01: XEP-0178 had it so until 2020: a server that refuses EXTERNAL ends the stream. By dialback it takes us.
TEST_F(Learned, PeerThatRefusesExternalAndEndsTheStream_IsReachedByDialbackAtOnce) {
  RawAuthority peer(world, "198.51.100.8");
  std::size_t refusals = 0;
  peer.features = kExternalAndDialback;
  peer.answer_auth = [&](const std::string&) {
    ++refusals;
    return std::string(kNotAuthorized);
  };
  peer.answer_result = valid;
  const Instant before = world.now();
  send("target1.tld");
  ASSERT_TRUE(world.run_until([&] { return proven() == 1; }, 30s));
  EXPECT_LT(world.now() - before, 5s);
  EXPECT_EQ(peer.connections, 2u);
  gateway->stop();
  start();
  send("target1.tld");
  ASSERT_TRUE(world.run_until([&] { return proven() == 1; }, 30s));
  EXPECT_EQ(refusals, 1u) << "known over a restart";
}

// STR-07, EXT-01: where there is nothing else, it is what the operator is told.
TEST_F(Learned, PeerThatRefusesExternalAndOffersNothingElse_IsRefusedForThat) {
  RawAuthority peer(world, "198.51.100.8");
  peer.features = "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>EXTERNAL</mechanism></mechanisms>";
  peer.answer_auth = [&](const std::string&) { return std::string(kNotAuthorized); };
  send("target1.tld");
  ASSERT_TRUE(world.run_until([&] { return gateway->log.count("pair_refused") == 1; }, 30s));
  EXPECT_THAT(reason_of_the_refusal(),
              testing::AllOf(testing::HasSubstr("external.refused"), testing::HasSubstr("not-authorized")));
  EXPECT_LE(peer.connections, 2u);
}

// EXT-01: a server whose TLS judges our certificate inside the handshake, in TLS 1.2 within it, in 1.3 behind it, where a reset may
// swallow the alert. Without a certificate it takes us by dialback, inside TLS.
class RefusedInTls : public Learned, public testing::WithParamInterface<World::Bears> {
 protected:
  RefusedInTls() { world.bears[address] = GetParam(); }
  const Address address = *Address::parse("198.51.100.8");
};
INSTANTIATE_TEST_SUITE_P(Alerts, RefusedInTls,
                         testing::Values(World::Bears::alert_within, World::Bears::alert_behind,
                                         World::Bears::reset_behind));

TEST_P(RefusedInTls, OurCertificateIsNotShownAgain) {
  RawAuthority peer(world, "198.51.100.8");
  peer.features = kExternalAndDialback;  // some offer it to everybody
  std::size_t asked_by_external = 0;
  peer.answer_auth = [&](const std::string&) {
    ++asked_by_external;
    return std::string();
  };
  peer.answer_result = valid;
  const Instant before = world.now();
  send("target1.tld");
  ASSERT_TRUE(world.run_until([&] { return proven() == 1; }, 30s));
  EXPECT_LT(world.now() - before, 5s);
  EXPECT_EQ(peer.connections, 2u);
  EXPECT_EQ(peer.certificates_seen, 0u);
  EXPECT_EQ(asked_by_external, 0u);
  for (const report::StreamRow& row : gateway->gateway->streams())
    EXPECT_TRUE(row.kind != "s2s" || row.tls) << "never without TLS";
  gateway->stop();
  start();
  send("target1.tld");
  ASSERT_TRUE(world.run_until([&] { return proven() == 1; }, 30s));
  EXPECT_EQ(peer.connections, 3u) << "known over a restart";
  gateway->stop();
  world.bears.clear();
  world.wall_offset += std::chrono::days(8);
  start();
  send("target1.tld");
  ASSERT_TRUE(world.run_until([&] { return proven() == 1 || asked_by_external > 0; }, 30s));
  EXPECT_EQ(asked_by_external, 1u) << "shown anew";
}

// STR-07: the certificate is what the record names, where the peer takes nothing else.
TEST_P(RefusedInTls, WithoutDialback_IsRefusedForThat) {
  RawAuthority peer(world, "198.51.100.8");
  peer.features = "";
  peer.declares_dialback = false;
  send("target1.tld");
  ASSERT_TRUE(world.run_until([&] { return gateway->log.count("pair_refused") == 1; }, 30s));
  EXPECT_THAT(reason_of_the_refusal(),
              testing::AllOf(testing::HasSubstr("external.refused"), testing::HasSubstr("certificate inside TLS")));
  EXPECT_EQ(peer.connections, 2u);
  world.bears.clear();
  peer.features = "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>EXTERNAL</mechanism></mechanisms>";
  peer.answer_auth = [](const std::string&) { return "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>"; };
  world.run_for(60s);
  send("target1.tld");
  EXPECT_TRUE(world.run_until([&] { return proven() == 1; }, 30s)) << "a certificate that is needed is shown again";
}

// A cut that came by chance where the certificate could have been judged: who takes us by nothing else gets it again at once.
TEST_F(Learned, PeerThatTakesNoneWithoutACertificate_SeesItAgain) {  // EXT-01
  RawAuthority peer(world, "198.51.100.8");
  world.bears[*Address::parse("198.51.100.8")] = World::Bears::reset_behind;
  peer.features = kExternalAndDialback;
  peer.answer_auth = [](const std::string&) { return "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>"; };
  peer.answer_result = [&](const std::string& from, const std::string& to) {
    world.bears.clear();
    return fmt::format("<db:result from='{}' to='{}' type='error'/>", to, from);
  };
  send("target1.tld");
  ASSERT_TRUE(world.run_until([&] { return proven() == 1; }, 30s));
  EXPECT_EQ(peer.connections, 3u);
}

// A peer that ends every connection has nothing against our certificate.
TEST_F(Learned, PeerThatEndsEverything_TeachesNothing) {  // EXT-01
  RawAuthority peer(world, "198.51.100.8");
  peer.features = kExternalAndDialback;
  peer.ends_at_tls = true;
  send("target1.tld");
  ASSERT_TRUE(world.run_until([&] { return gateway->log.count("pair_refused") == 1; }, 30s));
  EXPECT_EQ(peer.connections, 2u);
  const seams::Memo* memo = memory().find("peer", "mx.tld:5269");
  EXPECT_TRUE(memo == nullptr || memo->value.find("no-certificate") == std::string::npos) << memo->value;
}

// AB-215: a server that looks a domain up by its text knows it in the other spelling. Tried once, at once, and remembered.
class OneSpelling : public Learned, public testing::WithParamInterface<bool> {
 protected:
  OneSpelling() {
    world.add_srv(kAscii, "mx.tld", 5269, Security::insecure);
    peer.hosts = [this](const std::string& to) {
      asked.push_back(to);
      return to == known;
    };
    peer.answer_result = [this](const std::string& from, const std::string& to) {
      return to == known || to == "target1.tld"
                 ? valid(from, to)
                 : fmt::format(
                       "<db:result from='{}' to='{}' type='error'><error type='cancel'><item-not-found "
                       "xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></db:result>",
                       to, from);
    };
  }
  const std::string kAscii = "xn--mnchen-3ya.tld", kUnicode = "m\u00fcnchen.tld";
  RawAuthority peer{world, "198.51.100.8"};
  std::string known = GetParam() ? kAscii : kUnicode;
  std::vector<std::string> asked;
};
INSTANTIATE_TEST_SUITE_P(Labels, OneSpelling, testing::Bool());

TEST_P(OneSpelling, OfTheHeadersTarget_IsFoundAndRemembered) {  // AB-215
  send(kUnicode);
  ASSERT_TRUE(world.run_until([&] { return proven() == 1; }, 30s));
  EXPECT_EQ(peer.connections, GetParam() ? 2u : 1u);
  EXPECT_EQ(asked.back(), known);
  gateway->stop();
  asked.clear();
  start();
  send(kUnicode);
  ASSERT_TRUE(world.run_until([&] { return proven() == 1; }, 30s));
  EXPECT_THAT(asked, testing::Each(known)) << "over a restart";
  // It changes its mind.
  gateway->stop();
  known = GetParam() ? kUnicode : kAscii;
  asked.clear();
  start();
  send(kUnicode);
  ASSERT_TRUE(world.run_until([&] { return proven() == 1; }, 30s));
  EXPECT_EQ(asked.back(), known);
  EXPECT_EQ(memory().find("labels", kAscii) != nullptr, known == kAscii);
}

TEST_P(OneSpelling, OfAFurtherTarget_IsFoundOnTheStreamAtHand) {  // AB-215
  peer.hosts = nullptr;
  send("target1.tld");
  ASSERT_TRUE(world.run_until([&] { return proven() == 1; }, 30s));
  send(kUnicode);
  ASSERT_TRUE(world.run_until([&] { return proven() == 2; }, 30s));
  EXPECT_EQ(peer.connections, 1u);
}

TEST_P(OneSpelling, ThatNobodyKnows_IsAskedForTwice) {  // AB-215
  known = "elsewhere.tld";
  send(kUnicode);
  ASSERT_TRUE(world.run_until([&] { return gateway->log.count("pair_refused") == 1; }, 30s));
  EXPECT_EQ(asked, (std::vector<std::string>{kUnicode, kAscii}));
  EXPECT_THAT(reason_of_the_refusal(), testing::HasSubstr("host-unknown"));
  EXPECT_EQ(memory().find("labels", kAscii), nullptr);
  asked.clear();
  peer.hosts = nullptr;
  send("target1.tld");
  ASSERT_TRUE(world.run_until([&] { return proven() == 1; }, 30s));
  world.run_for(60s);
  send(kUnicode);
  ASSERT_TRUE(world.run_until([&] { return gateway->log.count("pair_refused") == 2; }, 30s));
  EXPECT_EQ(memory().find("labels", kAscii), nullptr);
}

// EXT-01: a connection that was cut by chance costs nobody the only way in: without dialback EXTERNAL is used all the same.
TEST_F(Learned, PeerCutAtExternalThatOffersNothingElse_IsAskedByExternalAgain) {
  RawAuthority peer(world, "198.51.100.8");
  bool is_cut = false;
  peer.features = "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>EXTERNAL</mechanism></mechanisms>";
  peer.answer_auth = [&](const std::string&) {
    return std::exchange(is_cut, true) ? std::string("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>") : "";
  };
  send("target1.tld");
  ASSERT_TRUE(world.run_until([&] { return proven() == 1; }, 30s));
  EXPECT_EQ(peer.connections, 2u);
}

// EXT-01: where an empty authzid is refused, the domain is spelled out next time; the stream at hand goes on by dialback (T-5).
TEST_F(Learned, PeerThatRefusesAnEmptyAuthzid_GetsTheDomainNextTime) {
  RawAuthority peer(world, "198.51.100.8");
  std::vector<std::string> authzids;
  peer.features = kExternalAndDialback;
  peer.answer_auth = [&](const std::string& authzid) {
    authzids.push_back(authzid);
    return authzid == "=" ? "<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><invalid-authzid/></failure>"
                          : "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>";
  };
  peer.answer_result = valid;
  send("target1.tld");
  ASSERT_TRUE(world.run_until([&] { return proven() == 1; }, 30s));
  EXPECT_EQ(peer.connections, 1u);
  gateway->stop();
  start();
  send("target1.tld");
  ASSERT_TRUE(world.run_until([&] { return proven() == 1; }, 30s));
  EXPECT_EQ(authzids, (std::vector<std::string>{"=", "c2VuZGVyMS50bGQ="}));  // base64 of sender1.tld
}

// EXT-01: a refused certificate is no refused authzid.
TEST_F(Learned, PeerThatRefusesTheCertificate_TeachesNothing) {
  RawAuthority peer(world, "198.51.100.8");
  peer.features = kExternalAndDialback;
  peer.answer_auth = [&](const std::string&) {
    return std::string("<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><not-authorized/></failure>");
  };
  peer.answer_result = valid;
  send("target1.tld");
  ASSERT_TRUE(world.run_until([&] { return proven() == 1; }, 30s));
  const seams::Memo* memo = memory().find("peer", "mx.tld:5269");
  ASSERT_NE(memo, nullptr);
  EXPECT_EQ(memo->value.find("authzid"), std::string::npos) << memo->value;
  EXPECT_EQ(memo->value.find("no-external"), std::string::npos) << memo->value;
}

// The file may be anybody's: no memo stops the gateway, or counts for longer than what is learned ever does.
TEST_F(Learned, MemosThatSayAnything_DoNoHarm) {
  gateway->stop();
  SimStore& store = world.stores[*Address::parse("192.0.2.1")];
  const WallTime far = world.wall() + std::chrono::days(10'000);
  const std::string forever = std::to_string(far.time_since_epoch().count());
  for (const char* key : {"mx.tld", "mx.tld:", "mx.tld:0", "mx.tld:99999", "mx.tld:52 69", ":5269", "..:5269", ""})
    store.put({"peer", key, "no-extra-targets=" + forever, far});
  store.put({"peer", "mx2.tld:5269",
             "takes-targets takes-targets= =1 no-extra-senders=-1 no-extra-senders=9999999999999"
             "9999999999 \xff\n\r  ===",
             far});
  store.put({"peer", "mx.tld:5269", "no-extra-targets=" + forever, far});
  RawAuthority peer(world, "198.51.100.8");
  peer.answer_result = valid;
  world.wall_offset += std::chrono::days(1);
  start();
  send("target1.tld");
  send("target2.tld");
  ASSERT_TRUE(world.run_until([&] { return proven() == 2; }, 30s));
  EXPECT_EQ(peer.connections, 2u);
  world.wall_offset += std::chrono::days(8);
  send("target3.tld");
  const auto is_proven = [&] {
    for (const report::PairRow& row : gateway->gateway->pairs())
      if (row.remote == "target3.tld" && row.state == "proven") return true;
    return false;
  };
  ASSERT_TRUE(world.run_until(is_proven, 30s));
  EXPECT_EQ(peer.connections, 2u) << "no fact lasts beyond a week";
}

// AB-069: a domain, or the host that its signed SRV leads to, shows another key from another CA than ever before. It is
// taken, as the policy trusts both CAs, and said once, also by a gateway that was restarted meanwhile.
class KeyChange : public Learned, public testing::WithParamInterface<Security> {
 protected:
  KeyChange() {
    world.add_srv("target1.tld", "mx.tld", 5269, GetParam());
    show(authority);
    peer.answer_result = valid;
  }
  test::MadeCertificate show(const test::MadeCertificate& issuer) {
    const test::MadeCertificate leaf =
        test::make_leaf(issuer, {GetParam() == Security::secure ? "mx.tld" : "target1.tld"});
    world.chains[*Address::parse("198.51.100.8")] = chain_of(leaf);
    return leaf;
  }
  // A restart of ours, and a stanza to the peer; what was said of keys.
  std::size_t changes_seen() {
    gateway->stop();
    start();
    send("target1.tld");
    EXPECT_TRUE(world.run_until([&] { return proven() == 1; }, 30s));
    return gateway->log.count("peer_key_changed");
  }
  RawAuthority peer{world, "198.51.100.8"};
};
INSTANTIATE_TEST_SUITE_P(PkixAndDnssec, KeyChange, testing::Values(Security::insecure, Security::secure));

TEST_P(KeyChange, AnotherKeyFromAnotherCa_IsTakenAndSaidOnce) {
  EXPECT_EQ(changes_seen(), 0u);
  show(authority);
  EXPECT_EQ(changes_seen(), 0u) << "the same CA renews";
  const auto mine = show(second);
  EXPECT_EQ(changes_seen(), 1u);
  const report::Event& event =
      *std::ranges::find(gateway->log.events, std::string_view("peer_key_changed"), &report::Event::name);
  EXPECT_THAT(event.fields, testing::IsSupersetOf(std::vector<std::pair<std::string_view, std::string>>{
                                {"remote", "target1.tld"},
                                {"name", GetParam() == Security::secure ? "mx.tld" : "target1.tld"},
                                {"key", chain_of(mine)->key_fingerprint()},
                                {"issuer", "CN=Second CA"},
                                {"known_issuer", "CN=First CA"}}));
  EXPECT_EQ(changes_seen(), 0u) << "known by now";
}

TEST_P(KeyChange, OnAStreamThatThePeerOpens_IsSaidToo) {
  EXPECT_EQ(changes_seen(), 0u);
  show(second);
  RawPeer stranger(world, "198.51.100.8");
  ASSERT_TRUE(stranger.negotiate(gateway->endpoint, "target1.tld", "sender1.tld"));
  EXPECT_THAT(stranger.received, testing::HasSubstr("EXTERNAL"));
  EXPECT_EQ(gateway->log.count("peer_key_changed"), 1u);
}

TEST_P(KeyChange, UnderATlsaThatMatches_IsTheHoldersOwnWord) {
  EXPECT_EQ(changes_seen(), 0u);
  world.add_srv("target1.tld", "mx.tld", 5269, Security::secure);
  world.add_tlsa("mx.tld", 5269, *chain_of(show(second)));
  EXPECT_EQ(changes_seen(), 0u);
}

}  // namespace
}  // namespace ligase::sim
