// Pairs proven by POSH, in both roles: providers whose certificates name their hosts alone, unsigned zones, and customers
// who say at their own web sites whose certificate speaks for them.
#include <gmock/gmock.h>

#include "sim/lab.hpp"
#include "sim/one_gateway.hpp"
#include "sim/raw_peer.hpp"
#include "sim/times.hpp"
#include "sim/web_server.hpp"

namespace ligase::sim {
namespace {

using std::chrono::seconds;
using testing::HasSubstr;
using testing::StartsWith;

constexpr std::string_view kJson = "Content-Type: application/json\r\n";

config::Policy only(std::vector<ProofType> proofs) {
  config::Policy policy = one_way();
  policy.defaults.proofs = std::move(proofs);
  return policy;
}

std::string served(const proof::Chain& chain, seconds expires = 1h) {
  return http_answer("200 OK", kJson, proof::write_posh({proof::posh_descriptor(chain)}, expires));
}

std::shared_ptr<const proof::Chain> web_chain(const std::string& name) {
  return *proof::Chain::parse({test::make_leaf(identities().authority, {name}).der});
}

config::Limits patient() {
  config::Limits limits;
  limits.idle_timeout = std::chrono::hours(240);
  return limits;
}

// sender1.tld at provider one and target1.tld at two; each has a web site.
struct PoshLab : Lab {
  explicit PoshLab(World& w, config::Policy policy, ProofType zones = ProofType::dialback)
      : Lab(w, 1, 1, {zones}, patient(), std::move(policy)) {
    world.add_address("sender1.tld", "192.0.2.101");
    world.add_address("target1.tld", "192.0.2.102");
    world.add_address("hosting.tld", "192.0.2.103");
    sender.emplace(world, "192.0.2.101:443", web_chain("sender1.tld"), answers(served(*identities().one)));
    target.emplace(world, "192.0.2.102:443", web_chain("target1.tld"), answers(served(*identities().two)));
    hosting.emplace(world, "192.0.2.103:443", web_chain("hosting.tld"), answers(served(*identities().two)));
  }
  bool exchange() {
    const std::size_t before = arrived();
    send_all(1);
    return world.run_until([&] { return arrived() == before + 2; }, 60s);
  }
  report::PairRow out_of_one() {
    for (const report::PairRow& row : one->gateway->pairs())
      if (row.direction == "out") return row;
    return {};
  }
  std::optional<WebServer> sender, target, hosting;
};

TEST(PoshPairs, BothRolesAreProvenByIt) {  // O-16, I-08
  World world(51);
  PoshLab lab(world, only({ProofType::posh}));
  ASSERT_TRUE(lab.exchange());
  EXPECT_EQ(lab.proofs(), (std::map<std::string, std::size_t>{{"posh", 4}}));
  const report::PairRow pair = lab.out_of_one();
  EXPECT_THAT(
      pair.evidence.value_or(""),
      HasSubstr("the POSH document https://target1.tld:443/.well-known/posh/xmpp-server.json lists certificate"));
  EXPECT_LE(*pair.expires_at - world.wall(), 1h);
  // Once a domain and provider, whatever rides on it.
  EXPECT_EQ(lab.sender->requests.size(), 1u);
  EXPECT_EQ(lab.target->requests.size(), 1u);
}

TEST(PoshPairs, ThroughARedirect_AndThroughAReference) {  // POSH-02
  const std::string there = "https://hosting.tld/posh/target1.tld.json";
  for (const std::string& at_target : {http_answer("302 Found", "Location: " + there + "\r\n", ""),
                                       http_answer("200 OK", kJson, proof::write_posh_reference(there, 30min))}) {
    World world(52);
    PoshLab lab(world, only({ProofType::posh}));
    lab.target->answer = answers(at_target);
    ASSERT_TRUE(lab.exchange());
    EXPECT_EQ(lab.proofs(), (std::map<std::string, std::size_t>{{"posh", 4}}));
    EXPECT_THAT(lab.out_of_one().evidence.value_or(""), HasSubstr("https://hosting.tld:443/posh/target1.tld.json"));
  }
}

// POSH-05, D-10: for most peers it costs nothing.
TEST(PoshPairs, WhereSomethingBetterProves_NobodyIsAsked) {  // POSH-05
  for (const ProofType better : {ProofType::dnssec, ProofType::dane}) {
    World world(53);
    PoshLab lab(world, one_way(), better);
    ASSERT_TRUE(lab.exchange());
    EXPECT_EQ(lab.proofs(), (std::map<std::string, std::size_t>{{std::string(name_of(better)), 4}}));
    EXPECT_EQ(lab.sender->connections + lab.target->connections, 0u);
  }
}

TEST(PoshPairs, AUsableTlsaThatDoesNotMatch_LeavesItUnasked) {  // O-11, I-04
  World world(54);
  PoshLab lab(world, one_way(), ProofType::dnssec);
  world.add_tlsa("xmpp1.receiving.tld", 5269, *identities().one);
  lab.send_all(1);
  world.run_for(60s);
  EXPECT_EQ(lab.proofs(), (std::map<std::string, std::size_t>{}));
  EXPECT_THAT(lab.out_of_one().last_error.value_or(""), StartsWith("dane.mismatch: "));
  EXPECT_EQ(lab.sender->connections + lab.target->connections, 0u);
}

TEST(PoshPairs, ADocumentThatDoesNotListTheCertificate_ProvesNothing) {  // AB-156
  World world(55);
  PoshLab lab(world, only({ProofType::posh}));
  lab.target->answer = answers(served(*identities().one));
  lab.send_all(1);
  world.run_for(60s);
  EXPECT_EQ(lab.out_of_one().state, "refused");
  EXPECT_THAT(lab.out_of_one().last_error.value_or(""), StartsWith("posh.mismatch: "));
  EXPECT_TRUE(lab.two->component("target1.tld").received.empty() ||
              lab.two->component("target1.tld").received[0].type == "error");
}

// O-17: what POSH said stays in the evidence of the weaker proof.
TEST(PoshPairs, WithoutADocument_DialbackFollows) {  // O-17
  World world(56);
  PoshLab lab(world, one_way());
  lab.target.reset();
  lab.sender->answer = answers(http_answer("404 Not Found", "", ""));
  ASSERT_TRUE(lab.exchange());
  EXPECT_EQ(lab.proofs(), (std::map<std::string, std::size_t>{{"dialback", 4}}));
  EXPECT_THAT(lab.out_of_one().evidence.value_or(""),
              HasSubstr("no posh: the POSH document of target1.tld cannot be had"));
}

// POSH withdrawn: the document lists another key. Within its own lifetime the pair ends; the next one is of the new key.
TEST(PoshPairs, Withdrawn_ThePairEndsWithinTheDocumentsLifetime) {  // POSH-02
  World world(57);
  PoshLab lab(world, only({ProofType::posh}));
  ASSERT_TRUE(lab.exchange());
  const WallTime end = *lab.out_of_one().expires_at;
  lab.target->answer = answers(served(*web_chain("elsewhere.tld")));
  world.run_for(end - world.wall());
  lab.one->component("sender1.tld").send("<message from='a@sender1.tld' to='b@target1.tld' id='late'/>");
  ASSERT_TRUE(world.run_until([&] { return lab.one->component("sender1.tld").received.back().type == "error"; }, 60s));
  EXPECT_EQ(lab.out_of_one().state, "refused");
  EXPECT_THAT(lab.out_of_one().last_error.value_or(""), StartsWith("posh.mismatch: "));
  EXPECT_EQ(lab.one->log.count("posh_changed"), 1u);
}

// Begun at each twelfth of the document's hour: what is removed serves to its own end, and no longer.
TEST(PoshPairs, Removed_ThePairEndsWithinTheDocumentsLifetime) {  // POSH-02
  std::vector<double> seconds;
  for (int phase = 0; phase < 12; ++phase) {
    World world(80 + static_cast<std::uint64_t>(phase));
    PoshLab lab(world, only({ProofType::posh}));
    ASSERT_TRUE(lab.exchange());
    world.run_for(phase * 5min);
    lab.target->answer = answers(http_answer("404 Not Found", "", ""));
    const Instant removed = world.now();
    ASSERT_TRUE(world.run_until([&] { return lab.out_of_one().state != "proven"; }, 2h));
    seconds.push_back(std::chrono::duration<double>(world.now() - removed).count());
  }
  print_times("POSH document removed, expires 3600 s", seconds);
  EXPECT_LE(*std::ranges::max_element(seconds), 3601);
}

// The document stays: the pair is proven anew before it ends, without a gap.
TEST(PoshPairs, ProvenAnewBeforeTheDocumentEnds) {  // POSH-02
  World world(58);
  PoshLab lab(world, only({ProofType::posh}));
  for (int i = 0; i < 24; ++i) {
    ASSERT_TRUE(lab.exchange()) << i;
    world.run_for(10min);
    EXPECT_EQ(lab.out_of_one().state, "proven") << i;
  }
  EXPECT_EQ(lab.one->log.count("pair_expired"), 0u);
  EXPECT_GE(lab.target->requests.size(), 4u);
  EXPECT_LE(lab.target->requests.size(), 8u);
}

// STR-10: features come within 5 s, whatever somebody's web server does; the claim that follows has its answer.
TEST(PoshPairs, ASlowWebServer_HoldsNoFeaturesUp) {  // STR-10
  World world(59);
  PoshLab lab(world, one_way());
  lab.sender->answer = nullptr;      // it never answers
  RawPeer peer(world, "192.0.2.1");  // with provider one's certificate
  const Instant start = world.now();
  ASSERT_TRUE(peer.negotiate(lab.two->endpoint, "sender1.tld", "target1.tld"));
  EXPECT_LT(world.now() - start, 6s);
  EXPECT_FALSE(peer.has("EXTERNAL"));
  EXPECT_TRUE(peer.has("<dialback"));
  peer.say("<db:result from='sender1.tld' to='target1.tld'>key</db:result>");
  EXPECT_TRUE(peer.wait_for("type='invalid'", 20s));  // its authority, which never made this key, was asked
}

// One host serves many domains. It proves honest.tld by its certificate; slow0.tld … have web servers that take a connection and
// say nothing.
class SlowWebServers : public OneGateway {
 protected:
  SlowWebServers() : OneGateway(60, "evil.tld") {}
  void lead_there(const std::string& domain) {
    world.add_srv(domain, "mx.evil.tld", 5269, proof::Security::insecure);
    world.add_address(domain, "198.51.100.80");
  }
  void start(config::Policy policy = {}) {
    OneGateway::start({}, std::move(policy));
    world.chains[*Address::parse("198.51.100.8")] = chain_for("honest.tld");
    start_authority();
    authority_server->answer_result = [](const std::string& from, const std::string& to) {
      return fmt::format("<db:result from='{}' to='{}' type='valid'/>", to, from);
    };
    for (int i = 0; i < 12; ++i) lead_there(fmt::format("slow{}.tld", i));
    lead_there("honest.tld");
  }
  void send(const std::string& to, const std::string& from = "target1.tld") {
    gateway->component(from).send(fmt::format("<message from='a@{}' to='b@{}' id='1'/>", from, to));
  }
  bool is_proven(const std::string& remote) const {
    for (const report::PairRow& row : gateway->gateway->pairs())
      if (row.remote == remote && row.state == "proven") return true;
    return false;
  }
  // From now on, until it is proven; the others are not, for they wait for their web servers.
  Duration time_of_the_honest_pair() {
    const Instant before = world.now();
    send("honest.tld");
    EXPECT_TRUE(world.run_until([&] { return is_proven("honest.tld"); }, 60s));
    EXPECT_FALSE(is_proven("slow0.tld"));
    return world.now() - before;
  }
  WebServer silent{world, "198.51.100.80:443", chain_for("slow0.tld"), nullptr, true};
};

// P8, AB-091: whoever waits for a web server holds no connection that others want.
TEST_F(SlowWebServers, OfAStrangersClaims_HoldNobodysConnection) {
  start();
  ASSERT_TRUE(stranger.negotiate(door(), "evil.tld", "target1.tld"));
  const std::string key(200, 'k');  // long enough to pay for its questions (AB-196)
  for (int i = 0; i < 12; ++i)
    stranger.say(fmt::format("<db:result from='slow{}.tld' to='target1.tld'>{}</db:result>", i, key));
  ASSERT_TRUE(world.run_until([&] { return silent.connections > 0; }, 10s));
  EXPECT_LT(time_of_the_honest_pair(), 2s);
}

TEST_F(SlowWebServers, OfOurOwnUsersStanzas_HoldNobodysConnection) {  // P8, AB-091
  start();
  for (int i = 0; i < 6; ++i) send(fmt::format("slow{}.tld", i));
  ASSERT_TRUE(world.run_until([&] { return silent.connections > 0; }, 10s));
  EXPECT_LT(time_of_the_honest_pair(), 2s);
  // Nor is one held for each of them: what the host showed tells that the others will have to wait, too.
  EXPECT_LE(authority_server->connections, 3u);
  EXPECT_TRUE(world.run_until([&] { return is_proven("slow5.tld"); }, 60s)) << "by dialback, in the end";
}

// MUX-04: pairs that wait for the same web server go on waiting for the one connection.
TEST_F(SlowWebServers, PairsOfOneSlowDomain_MakeOneConnection) {
  start();
  for (const char* sender : {"target1.tld", "target2.tld"}) send("slow0.tld", sender);
  ASSERT_TRUE(world.run_until([&] { return is_proven("slow0.tld"); }, 60s));
  world.run_for(1s);
  EXPECT_EQ(authority_server->connections, 1u);
}

}  // namespace
}  // namespace ligase::sim
