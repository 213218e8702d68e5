// The rows of both truth tables between two gateways: real certificates, real signed zones that libunbound validates, and
// what the gateway says of the pair in the end. The gateway under test hosts sender1.tld; target1.tld is the domain it judges,
// as a target (outgoing) and as a sender (incoming).
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/provider.hpp"
#include "sim/raw_peer.hpp"
#include "sim/web_server.hpp"
#include "support/truth_table.hpp"
#include "truth/signed_dns.hpp"

namespace ligase::sim {
namespace {

using lab::dns::Delegation;
using test::TruthRow;
using testing::HasSubstr;

const std::string kD(test::kTruthDomain.text());
const std::string kT(test::kTruthHost.text());
constexpr const char* kNear = "192.0.2.1";
constexpr const char* kFar = "192.0.2.2";
constexpr const char* kWeb = "192.0.2.101";  // target1.tld's web site

WallTime machine_time() { return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now()); }

test::TruthCertificates& certificates() {
  static auto* const made = new test::TruthCertificates(machine_time());
  return *made;
}

// What the near gateway shows: good for everybody.
std::shared_ptr<const proof::Chain> near_chain() {
  static const auto chain = [] {
    const test::MadeCertificate& issuer = certificates().trusted_intermediate();
    return *proof::Chain::parse({test::make_leaf(issuer, {"sender1.tld", "xmpp1.originating.tld"}).der, issuer.der});
  }();
  return chain;
}

// The world around one row.
class Scene {
 public:
  Scene() {
    set_wall_to_now(world);
    dns.zone("tld");
    dns.zone("originating.tld");
    dns.add("_xmpp-server._tcp.sender1.tld. 3600 IN SRV 0 0 5269 xmpp1.originating.tld.");
    dns.add(fmt::format("xmpp1.originating.tld. 3600 IN A {}", kNear));
  }

  // The zones of target1.tld and of its host, as a row has them.
  void publish(const TruthRow& row, const test::Shown& shown) {
    const std::string srv = row["srv"], addresses = row["addresses"], client = row["client"], tlsa = row["tlsa"];
    const bool is_fallback = srv.starts_with("none"), is_unsigned = srv == "insecure" || srv == "none-insecure";
    const std::string host = is_fallback ? kD : kT, owner = "_xmpp-server._tcp." + kD;
    const bool has_client_record = !client.empty() && client != "-" && client != "denial";
    const bool is_alias_to_unsigned = srv == "none-secure" && addresses == "insecure";
    if (is_unsigned && (has_client_record || (is_fallback && addresses == "secure"))) {
      dns.zone(kD);  // signed itself, though its SRV is not
      dns.zone("_tcp." + kD, Delegation::insecure);
    } else if (!is_alias_to_unsigned) {
      dns.zone(kD, is_unsigned ? Delegation::insecure : Delegation::secure);
    }
    dns.zone("receiving.tld", addresses == "insecure" && !is_fallback ? Delegation::insecure : Delegation::secure);
    if (is_alias_to_unsigned) {
      dns.zone("unsigned.tld", Delegation::insecure);
      dns.add(kD + ". 3600 IN CNAME host.unsigned.tld.");
      dns.add(fmt::format("host.unsigned.tld. 3600 IN A {}", kFar));
    } else {
      dns.add(fmt::format("{}. 3600 IN A {}", host, kFar));
    }
    if (srv == "dot") dns.add(owner + ". 3600 IN SRV 0 0 5269 .");
    if (!is_fallback && srv != "dot") dns.add(fmt::format("{}. 3600 IN SRV 0 0 5269 {}.", owner, kT));
    if (srv == "bogus") spoil(fmt::format("{}. 3600 IN SRV 0 0 5269 evil.tld.", owner));
    if (srv == "indeterminate") dns.fail_at(owner);
    if (addresses == "bogus") spoil(fmt::format("{}. 3600 IN A 192.0.2.66", host));
    if (addresses == "indeterminate") dns.fail_at(host);
    publish_tlsa("_5269._tcp." + host, tlsa, shown);
    if (!client.empty()) publish_tlsa("_xmpp-server." + kD, client, shown);
    if (!row["posh"].empty()) publish_posh(row["posh"], shown);
  }

  void start_near(const std::string& policy) {
    ProviderSpec spec{"xmpp1.originating.tld", kNear, {"sender1.tld"}, near_chain(), certificates().anchors(), {}, {}};
    spec.policy.defaults = test::policy_of(policy);
    spec.dnssec_is_on = !policy.ends_with('~');
    spec.dns = dns.answers(spec.dnssec_is_on ? SignedDns::Trust::anchored : SignedDns::Trust::none);
    near.emplace(world, spec);
  }
  // Shows `chain` as a client too, unless another address is given to dial from.
  void start_far(std::shared_ptr<const proof::Chain> chain, const std::string& dial_from = {}) {
    ProviderSpec spec{kT, kFar, {kD}, std::move(chain), certificates().anchors(), {}, {}};
    spec.dns = dns.answers();
    spec.dial_from = dial_from;
    far.emplace(world, spec);
  }

  // Until the near gateway's pair in this direction is decided.
  report::PairRow decide(const std::string& direction) {
    report::PairRow found;
    const auto is_decided = [&] {
      for (const report::PairRow& row : near->gateway->pairs())
        if (row.direction == direction && row.remote == kD && (row.state == "proven" || row.state == "refused"))
          found = row;
      return !found.state.empty();
    };
    EXPECT_TRUE(world.run_until(is_decided, 120s));
    return found;
  }
  report::PairRow send_out() {
    near->component("sender1.tld").send(fmt::format("<message from='a@sender1.tld' to='b@{}' id='m1'/>", kD));
    return decide("out");
  }
  report::PairRow send_in() {
    far->component(kD).send(fmt::format("<message from='b@{}' to='a@sender1.tld' id='m1'/>", kD));
    return decide("in");
  }
  // What was sent arrived, if and only if the pair is proven; else its sender is told.
  void expect_end(const report::PairRow& pair, Component& sender, Component& receiver) {
    ASSERT_TRUE(world.run_until([&] { return !sender.received.empty() || !receiver.received.empty(); }, 120s));
    EXPECT_EQ(receiver.received.size(), pair.state == "proven" ? 1u : 0u);
    EXPECT_EQ(sender.received.size(), pair.state == "proven" ? 0u : 1u);
  }

  World world{28};
  SignedDns dns;
  std::optional<Provider> near, far;
  std::optional<RawAuthority> clear_server;
  std::optional<WebServer> web_server;

 private:
  void publish_posh(const std::string& cell, const test::Shown& shown) {
    dns.add(fmt::format("{}. 3600 IN A {}", kD, kWeb));
    const test::MadeCertificate& issuer = certificates().trusted_intermediate();
    const auto site = *proof::Chain::parse({test::make_leaf(issuer, {kD}).der, issuer.der});
    const proof::Chain& listed = cell == "leaf" ? *shown.chain : *site;
    const std::string document = proof::write_posh({proof::posh_descriptor(listed)}, 1h);
    const bool is_there = cell == "leaf" || cell == "other";
    web_server.emplace(
        world, fmt::format("{}:443", kWeb), site,
        answers(http_answer(is_there ? "200 OK" : "404 Not Found", "Content-Type: application/json\r\n", document)));
  }
  void spoil(const std::string& line) { ASSERT_TRUE(dns.tree.alter(line)) << line; }
  void publish_tlsa(const std::string& owner, const std::string& cell, const test::Shown& shown) {
    if (cell == "-" || cell == "denial") return;
    // Something stands there, else a signed neighbour's NSEC would deny it without a question (RFC 8198).
    if (cell == "indeterminate") dns.fail_at(owner);
    const bool is_data = cell != "insecure" && cell != "bogus" && cell != "indeterminate";
    if (cell == "insecure") dns.zone(owner.substr(owner.find('.') + 1), Delegation::insecure);
    const std::vector<Bytes> records = certificates().tlsa_records(is_data ? cell : "3 1 1 other", shown);
    for (const Bytes& rdata : records) dns.add_tlsa(owner, rdata);
    if (cell == "bogus") spoil(owner + ". 3600 IN TLSA 3 1 1 " + std::string(64, '0'));
  }
};

// "proven dane", "refused dns.bogus".
std::string end_of(const report::PairRow& pair) {
  const std::string error = pair.last_error.value_or("");
  return pair.state + " " + (pair.state == "proven" ? pair.proof.value_or("") : error.substr(0, error.find(':')));
}
std::string expected_end(const std::string& word) {
  return (proof::parse_proof_type(word) ? "proven " : "refused ") + word;
}

std::string name_of_row(const testing::TestParamInfo<TruthRow>& info) {
  std::string name = info.param.id.substr(0, 1) + info.param.id.substr(2);
  const std::string& place = info.param.place;
  for (std::size_t i = place.find(':') + 1; i < place.size() && place[i] != ' '; ++i)
    name += (name.find('_') == std::string::npos ? "_" : "") + std::string(1, place[i]);
  return name;
}

std::vector<TruthRow> rows_of(const std::string& table) {
  std::vector<TruthRow> rows = test::read_truth_table(table);
  // What no part of the scene plays.
  static const std::set<std::string> played{"row",   "client", "srv",      "addresses", "tlsa", "chain",
                                            "names", "policy", "expected", "world",     "posh"};
  std::erase_if(rows, [](const TruthRow& row) {
    return row["world"] == "no" || std::ranges::any_of(row.cells, [](const auto& cell) {
             return !cell.second.empty() && !played.contains(cell.first);
           });
  });
  return rows;
}

class Outgoing : public testing::TestWithParam<TruthRow> {};
TEST_P(Outgoing, EndsAsWritten) {
  const TruthRow& row = GetParam();
  SCOPED_TRACE(row.place);
  const test::Shown& shown = certificates().show(row["chain"], row["names"]);
  Scene scene;
  scene.publish(row, shown);
  scene.start_near(row["policy"]);
  if (row["chain"] == "cleartext") {
    scene.clear_server.emplace(scene.world, kFar);
    scene.clear_server->offers_tls = false;
    scene.clear_server->answer_result = [](const std::string& from, const std::string& to) {
      return fmt::format("<db:result from='{}' to='{}' type='valid'/>", to, from);
    };
  } else {
    scene.start_far(shown.chain);
  }
  const report::PairRow pair = scene.send_out();
  const test::Words expected = test::words(row["expected"]);
  const std::string end = row["world"].empty() ? expected.word : row["world"];
  EXPECT_EQ(end_of(pair), expected_end(end)) << pair.last_error.value_or("") << pair.evidence.value_or("");
  if (pair.state == "proven") {
    EXPECT_THAT(pair.evidence.value_or(""), HasSubstr(expected.quote));
    EXPECT_GT(pair.expires_at.value(), scene.world.wall());
  }
  if (scene.far) scene.expect_end(pair, scene.near->component("sender1.tld"), scene.far->component(kD));
}
INSTANTIATE_TEST_SUITE_P(Truth, Outgoing, testing::ValuesIn(rows_of("outgoing.txt")), name_of_row);

class Incoming : public testing::TestWithParam<TruthRow> {};
TEST_P(Incoming, EndsAsWritten) {
  const TruthRow& row = GetParam();
  SCOPED_TRACE(row.place);
  const bool is_none = row["chain"] == "none";
  const test::Shown& shown = certificates().show(is_none ? "valid" : row["chain"], row["names"]);
  Scene scene;
  scene.publish(row, shown);
  scene.start_near(row["policy"]);
  scene.start_far(shown.chain, is_none ? "192.0.2.3" : "");
  const report::PairRow pair = scene.send_in();
  const test::Words expected = test::words(row["expected"]);
  const std::string reason = expected.word.substr(0, expected.word.find(' '));
  const std::string end = !row["world"].empty()                   ? row["world"]
                          : expected.word == reason + " dialback" ? "dialback"
                                                                  : reason;
  EXPECT_EQ(end_of(pair), expected_end(end)) << pair.last_error.value_or("") << pair.evidence.value_or("");
  if (end == "dialback") {
    EXPECT_THAT(pair.evidence.value_or(""), HasSubstr("not by certificate: " + reason));
  } else if (pair.state == "proven") {
    EXPECT_THAT(pair.evidence.value_or(""), HasSubstr(expected.quote));
  }
  scene.expect_end(pair, scene.far->component(kD), scene.near->component("sender1.tld"));
}
INSTANTIATE_TEST_SUITE_P(Truth, Incoming, testing::ValuesIn(rows_of("incoming.txt")), name_of_row);

// What no cell of a table says: aliases, several targets, and every way to spoil a zone.
class Zones : public testing::Test {
 protected:
  // Signed throughout, without TLSA, and a valid certificate that names both: what a test then bends.
  TruthRow row() const {
    return {"by hand", "O-14", {{"srv", "secure"}, {"addresses", "secure"}, {"tlsa", "denial"}, {"client", "denial"}}};
  }
  // T is an alias of real.hosting.tld; its own zone holds nothing but that.
  void publish_alias(Scene& scene, Delegation of_real) {
    scene.dns.zone(kD);
    scene.dns.zone("receiving.tld");
    scene.dns.zone("hosting.tld", of_real);
    scene.dns.add(fmt::format("_xmpp-server._tcp.{}. 3600 IN SRV 0 0 5269 {}.", kD, kT));
    scene.dns.add(kT + ". 3600 IN CNAME real.hosting.tld.");
    scene.dns.add(fmt::format("real.hosting.tld. 3600 IN A {}", kFar));
  }
  void add_tlsa(Scene& scene, const std::string& host, const std::string& cell, const test::Shown& shown) {
    for (const Bytes& rdata : certificates().tlsa_records(cell, shown)) scene.dns.add_tlsa("_5269._tcp." + host, rdata);
  }
  enum class Way : std::uint8_t { out, in };
  report::PairRow play(Scene& scene, Way way, std::shared_ptr<const proof::Chain> chain,
                       const std::string& policy = "default") {
    scene.start_near(policy);
    scene.start_far(std::move(chain));
    return way == Way::out ? scene.send_out() : scene.send_in();
  }
  static constexpr Way kWays[] = {Way::out, Way::in};
};

// O-28, I-03, AB-136: behind a signed alias the records at the expanded name count, not those beside the alias.
TEST_F(Zones, AliasedTarget_IsJudgedByTheRecordsAtItsExpandedName) {
  const test::Shown& self = certificates().show("self", "other");
  for (const Way way : kWays) {
    Scene scene;
    publish_alias(scene, Delegation::secure);
    add_tlsa(scene, kT, "3 1 1 other", self);
    add_tlsa(scene, "real.hosting.tld", "3 1 1 leaf", self);
    const report::PairRow pair = play(scene, way, self.chain);
    EXPECT_EQ(end_of(pair), "proven dane") << pair.last_error.value_or("");
    EXPECT_THAT(pair.evidence.value_or(""), HasSubstr("_5269._tcp.real.hosting.tld"));
  }
}

// O-28: the expanded name is then a name that the certificate may have.
TEST_F(Zones, CertificateOfTheExpandedName_IsEnoughForTheTlsaThatStandsThere) {
  const test::Shown& shown = certificates().show("private", "T");
  test::CertificateSpec spec;
  spec.dns = {"real.hosting.tld"};
  const test::MadeCertificate leaf = test::make_certificate(spec, &shown.inter);
  const auto chain = *proof::Chain::parse({leaf.der, shown.inter.der, shown.root.der});
  for (const Way way : kWays) {
    Scene scene;
    publish_alias(scene, Delegation::secure);
    add_tlsa(scene, "real.hosting.tld", "2 0 1 root", shown);
    EXPECT_EQ(end_of(play(scene, way, chain)), "proven dane");
  }
}

// O-28: without any there, those at the target's own name count, to the good and to the bad.
TEST_F(Zones, AliasedTargetWithoutRecordsAtTheExpandedName_IsJudgedByItsOwn) {
  const test::Shown& valid = certificates().show("valid", "D+T");
  for (const Way way : kWays) {
    Scene good, bad;
    publish_alias(good, Delegation::secure);
    add_tlsa(good, kT, "3 1 1 leaf", valid);
    EXPECT_EQ(end_of(play(good, way, valid.chain)), "proven dane");
    publish_alias(bad, Delegation::secure);
    add_tlsa(bad, kT, "3 1 1 other", valid);
    EXPECT_EQ(end_of(play(bad, way, valid.chain)), "refused dane.mismatch");
  }
}

// O-13, O-28: an alias into an unsigned zone is unsigned: no TLSA is looked at, the signed SRV still names the host.
TEST_F(Zones, TargetAliasedIntoAnUnsignedZone_HasNoTlsa) {
  const test::Shown& valid = certificates().show("valid", "T");
  for (const Way way : kWays) {
    Scene scene;
    publish_alias(scene, Delegation::insecure);
    add_tlsa(scene, kT, "3 1 1 other", valid);
    add_tlsa(scene, "real.hosting.tld", "3 1 1 other", valid);
    EXPECT_EQ(end_of(play(scene, way, valid.chain)), "proven dnssec");
  }
}

// O-27, AB-136: the SRV's verdict is that of its whole chain of aliases; a circle is a failure, never an absence.
TEST_F(Zones, AliasOnTheWayToTheSrv_BringsItsOwnVerdict) {
  const test::Shown& valid = certificates().show("valid", "T");
  const std::string owner = "_xmpp-server._tcp." + kD, srv = fmt::format(" 3600 IN SRV 0 0 5269 {}.", kT);
  const struct {
    const char* what;
    std::vector<std::string> lines;
    const char *out, *in;
  } cases[] = {
      {"signed",
       {owner + ". 3600 IN CNAME srv.hosting.tld.", "srv.hosting.tld." + srv},
       "proven dnssec",
       "proven dnssec"},
      {"by DNAME",
       {fmt::format("_tcp.{}. 3600 IN DNAME _tcp.hosting.tld.", kD), "_xmpp-server._tcp.hosting.tld." + srv},
       "proven dnssec",
       "proven dnssec"},
      {"unsigned",
       {owner + ". 3600 IN CNAME srv.unsigned.tld.", "srv.unsigned.tld." + srv},
       "proven dialback",
       "proven dialback"},
      {"a circle",
       {owner + ". 3600 IN CNAME a.hosting.tld.", fmt::format("a.hosting.tld. 3600 IN CNAME {}.", owner)},
       "refused dns.indeterminate",
       "refused dns.indeterminate"},
      {"to nothing",
       {owner + ". 3600 IN CNAME srv.hosting.tld.", fmt::format("{}. 3600 IN A {}", kD, kFar)},
       "proven dialback",
       "proven dialback"},
  };
  for (const auto& [what, lines, out, in] : cases)
    for (const Way way : kWays) {
      SCOPED_TRACE(what);
      Scene scene;
      for (const char* zone : {"hosting.tld", "receiving.tld"}) scene.dns.zone(zone);
      scene.dns.zone(kD);
      scene.dns.zone("unsigned.tld", Delegation::insecure);
      scene.dns.add(fmt::format("{}. 3600 IN A {}", kT, kFar));
      for (const std::string& line : lines) scene.dns.add(line);
      EXPECT_EQ(end_of(play(scene, way, valid.chain)), way == Way::out ? out : in);
    }
}

// O-29, O-11, O-25: of several targets each stands for itself: one that contradicts its TLSA, one at a forbidden address and
// one without a bogus-free address are passed over, and nothing of theirs is held against the next.
TEST_F(Zones, SeveralTargets_EachIsJudgedByItself) {
  const test::Shown& valid = certificates().show("valid", "D+T");
  Scene scene;
  scene.dns.zone(kD);
  scene.dns.zone("receiving.tld");
  for (int i = 1; i <= 4; ++i) {
    scene.dns.add(fmt::format("_xmpp-server._tcp.{}. 3600 IN SRV {} 0 5269 t{}.receiving.tld.", kD, i, i));
    scene.dns.add(fmt::format("t{}.receiving.tld. 3600 IN A 192.0.2.{}", i, 10 + i));
  }
  add_tlsa(scene, "t1.receiving.tld", "3 1 1 other", valid);
  ASSERT_TRUE(scene.dns.tree.alter("t2.receiving.tld. 3600 IN A 192.0.2.66"));
  scene.world.forbidden.insert(*Address::parse("192.0.2.13"));
  add_tlsa(scene, "t4.receiving.tld", "3 1 1 leaf", valid);
  RawAuthority first(scene.world, "192.0.2.11"), last(scene.world, "192.0.2.14");
  last.answer_result = [](const std::string& from, const std::string& to) {
    return fmt::format("<db:result from='{}' to='{}' type='valid'/>", to, from);
  };
  for (const char* address : {"192.0.2.11", "192.0.2.14"}) scene.world.chains[*Address::parse(address)] = valid.chain;
  scene.start_near("default");
  const report::PairRow pair = scene.send_out();
  EXPECT_EQ(end_of(pair), "proven dane") << pair.last_error.value_or("");
  EXPECT_THAT(pair.evidence.value_or(""), HasSubstr("_5269._tcp.t4.receiving.tld"));
  EXPECT_EQ(first.connections, 1u);
}

// AB-130, O-01, O-04, O-05, I-12, P2: whatever is spoilt in a signed zone, and whichever record it is, the domain is unreachable
// and nobody may speak for it, though the certificate is valid and names everything.
TEST_F(Zones, SpoiltInAnyWay_NothingWeakerFollows) {
  const test::Shown& valid = certificates().show("valid", "D+T");
  const std::string srv_owner = "_xmpp-server._tcp." + kD, tlsa_owner = "_5269._tcp." + kT;
  const struct {
    std::string owner, type, altered, reason;
  } records[] = {{srv_owner, "SRV", srv_owner + ". 3600 IN SRV 0 0 5269 evil.tld.", "dns.bogus"},
                 {kT, "A", kT + ". 3600 IN A 192.0.2.66", "dns.bogus"},
                 {tlsa_owner, "TLSA", tlsa_owner + ". 3600 IN TLSA 3 1 1 " + std::string(64, '0'), "dns.tlsa_bogus"}};
  for (const auto& record : records)
    for (const std::string fault : {"altered", "expired", "early", "stripped", "wrong DS", "denial without its proof"})
      for (const Way way : kWays) {
        SCOPED_TRACE(record.type + " " + fault);
        const bool is_denial = fault == "denial without its proof";
        if (is_denial && record.type != "TLSA") continue;
        Scene scene;
        TruthRow published = row();
        if (!is_denial) published.cells["tlsa"] = "3 1 1 leaf";
        scene.publish(published, valid);
        scene.dns.add(kT + ". 3600 IN AAAA 2001:db8::1");  // so that only the TLSA is denied
        lab::dns::Tree& tree = scene.dns.tree;
        const WallTime now = machine_time();
        Result<void> done;
        if (fault == "altered") done = tree.alter(record.altered);
        if (fault == "expired")
          done =
              tree.set_validity(record.owner, record.type, now - std::chrono::hours(48), now - std::chrono::hours(1));
        if (fault == "early")
          done =
              tree.set_validity(record.owner, record.type, now + std::chrono::hours(1), now + std::chrono::hours(48));
        if (fault == "stripped") done = tree.strip(record.owner, record.type);
        if (fault == "wrong DS") done = tree.set_wrong_ds(record.type == "SRV" ? kD : "receiving.tld");
        if (is_denial) done = tree.strip(kT, "NSEC");
        ASSERT_TRUE(done) << done.error().detail;
        const report::PairRow pair = play(scene, way, valid.chain);
        // A zone that its parent does not vouch for spoils S's own TLSA as well, which is looked at first.
        const bool is_own_tlsa = fault == "wrong DS" && record.type == "SRV" && way == Way::in;
        EXPECT_EQ(end_of(pair), "refused " + (is_own_tlsa           ? "dns.tlsa_bogus"
                                              : fault == "wrong DS" ? "dns.bogus"
                                                                    : record.reason));
        EXPECT_EQ(scene.world.connections_made, way == Way::out ? 0u : 1u) << "nobody was dialed";
      }
}

// DNSSEC-03, AB-140: the proof lives as long as the signature that ends first, whichever record it is over.
TEST_F(Zones, SignatureThatEndsFirst_EndsTheProof) {
  const test::Shown& valid = certificates().show("valid", "D+T");
  const WallTime soon = machine_time() + std::chrono::minutes(25);
  const struct {
    std::string owner, type;
  } records[] = {{"_xmpp-server._tcp." + kD, "SRV"}, {kT, "A"}, {"_5269._tcp." + kT, "TLSA"}};
  for (const auto& record : records)
    for (const Way way : kWays) {
      SCOPED_TRACE(record.type);
      Scene scene;
      TruthRow published = row();
      published.cells["tlsa"] = "3 1 1 leaf";
      scene.publish(published, valid);
      ASSERT_TRUE(scene.dns.tree.set_validity(record.owner, record.type, soon - std::chrono::hours(10), soon));
      const report::PairRow pair = play(scene, way, valid.chain);
      EXPECT_EQ(end_of(pair), "proven dane");
      EXPECT_EQ(pair.expires_at, soon);
    }
}

}  // namespace
}  // namespace ligase::sim
