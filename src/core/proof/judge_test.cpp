#include "proof/judge.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "support/truth_table.hpp"

namespace ligase::proof {
namespace {

using test::CertificateSpec;
using test::MadeCertificate;
using test::policy_of;
using test::split;
using test::TruthRow;
using test::Words;
using test::words;
using testing::HasSubstr;
using testing::Not;
using namespace std::chrono;

const WallTime kNow = test::day(2026, 11, 24);
const WallTime kNotAfter = test::day(2046, 1, 1);
const Domain& kD = test::kTruthDomain;
const HostName& kT = test::kTruthHost;

using Shown = test::Shown;

class World {
 public:
  const TrustAnchors& anchors() const { return *certificates_.anchors(); }
  const Shown& show(const std::string& chain, const std::string& names) { return certificates_.show(chain, names); }

  // Signatures end in 7 hours, TTL is 2 hours.
  static Answer answer(Security security, std::vector<Bytes> rdata, seconds ttl = hours(2)) {
    Answer made;
    made.security = security;
    made.rdata = std::move(rdata);
    made.ttl = ttl;
    if (security == Security::secure) made.signatures_expire = kNow + hours(7);
    if (security == Security::bogus) made.why = "signature \"expired\"";
    return made;
  }

  std::optional<TlsaSet> tlsa(const std::string& cell, const std::string& owner, const Shown& shown) const {
    if (cell == "-") return std::nullopt;
    for (const Security security : {Security::insecure, Security::bogus, Security::indeterminate})
      if (cell == name_of(security)) return read_tlsa(owner, answer(security, {}), kNow);
    const std::vector<Bytes> rdata = cell == "denial" ? std::vector<Bytes>{} : certificates_.tlsa_records(cell, shown);
    return read_tlsa(owner, answer(Security::secure, rdata, hours(1)), kNow);
  }

 private:
  test::TruthCertificates certificates_{kNow};
};

World& world() {
  static World* const made = new World;
  return *made;
}

Bytes srv_record(std::string_view host, std::uint8_t priority = 0) {
  Bytes out{0, priority, 0, 0, 0x14, 0x95};  // port 5269
  for (const std::string& label : split(host, '.')) {
    out.push_back(static_cast<std::uint8_t>(label.size()));
    out.insert(out.end(), label.begin(), label.end());
  }
  out.push_back(0);
  return out;
}

Security security_of(const std::string& cell) {
  for (const Security security : {Security::secure, Security::insecure, Security::bogus, Security::indeterminate})
    if (cell == name_of(security)) return security;
  ADD_FAILURE() << "security: " << cell;
  return Security::indeterminate;
}

Delegation delegation_of(const std::string& cell) {
  if (cell == "none-secure") return read_delegation(kD, World::answer(Security::secure, {}), kNow);
  if (cell == "none-insecure") return read_delegation(kD, World::answer(Security::insecure, {}), kNow);
  if (cell == "dot") return read_delegation(kD, World::answer(Security::insecure, {{0, 0, 0, 0, 0x14, 0x95, 0}}), kNow);
  return read_delegation(kD, World::answer(security_of(cell), {srv_record(kT.text())}), kNow);
}

SrvTarget target_of(const Delegation& delegation) {
  return delegation.targets.empty() ? SrvTarget{kT, 5269, 0, 0} : delegation.targets.front();
}

std::string owner_of(const SrvTarget& target) {
  return "_" + std::to_string(target.port) + "._tcp." + std::string(target.host.text());
}

// "revoked,soft": what is known of the certificate's revocation, and the mode.
struct RevocationCell {
  std::optional<RevocationAnswer> answer;
  RevocationMode mode = RevocationMode::off;
  explicit RevocationCell(const std::string& cell) {
    using Status = RevocationAnswer::Status;
    for (const std::string& word : test::split(cell, ',')) {
      if (word == "good")
        answer = RevocationAnswer{Status::good, kNow + minutes(30), "OCSP says good"};
      else if (word == "good-over")
        answer = RevocationAnswer{Status::good, kNow, "OCSP said good"};
      else if (word == "revoked")
        answer = RevocationAnswer{Status::revoked, kNow + minutes(30), "OCSP says revoked"};
      else if (word == "silent")
        answer = not_known("the responder is silent");
      else if (word == "soft")
        mode = RevocationMode::soft;
      else if (word == "hard")
        mode = RevocationMode::hard;
      else if (!word.empty())
        ADD_FAILURE() << "revocation: " << cell;
    }
  }
  const RevocationAnswer* known() const { return answer ? &*answer : nullptr; }
};

// One true sentence, one line: no quote left open, no control character, no empty part.
void expect_sentence(const std::string& text) {
  EXPECT_FALSE(text.empty());
  EXPECT_EQ(text.find('\n'), std::string::npos) << text;
  EXPECT_THAT(text, Not(HasSubstr(": ;")));
  EXPECT_THAT(text, Not(HasSubstr("  ")));
}

// "": not asked.
std::optional<PoshAnswer> posh_of(const std::string& cell, const Shown& shown) {
  if (cell.empty()) return std::nullopt;
  PoshAnswer answer{{}, std::nullopt, kNow + hours(4), "https://target1.tld:443/.well-known/posh/xmpp-server.json"};
  if (cell == "failed") {
    answer.failure = Error{Reason::posh_failed,
                           "the POSH document of target1.tld cannot be had: https://target1.tld:443/: answers 404"};
    return answer;
  }
  EXPECT_TRUE(cell == "leaf" || cell == "other" || cell == "stale") << cell;
  answer.descriptors = {
      posh_descriptor(cell == "other" ? *world().show("private-short", "other").chain : *shown.chain)};
  if (cell == "stale") answer.expires = kNow;
  return answer;
}

// Asked is what could decide, and only that; `with` says what the judgement is with a document.
template <class Evidence, class Judge>
void expect_posh_is_asked_where_it_decides(const TruthRow& row, Evidence evidence, const Shown& shown, Judge judge) {
  const PeerPolicy policy = policy_of(row["policy"]);
  evidence.posh = nullptr;
  const bool is_worth_it = would_posh_decide(evidence, policy, kNow);
  EXPECT_TRUE(row["posh"].empty() || row["posh"] == "leaf" || is_worth_it) << "a document that is never fetched";
  if (!shown.chain) {
    EXPECT_FALSE(is_worth_it);
    return;
  }
  const std::optional<PoshAnswer> answer = posh_of("leaf", shown);
  evidence.posh = &*answer;
  const auto proof = judge(evidence, policy);
  EXPECT_EQ(is_worth_it, proof && proof->type == ProofType::posh);
}

TEST(JudgeServer, EveryRowOfTheTruthTable_DecidesAsWritten) {  // DANE-01, DNSSEC-01
  std::set<std::string> seen;
  for (const TruthRow& row : test::read_truth_table("outgoing.txt")) {
    SCOPED_TRACE(row.place);
    seen.insert(row.id);
    const Delegation delegation = delegation_of(row["srv"]);
    const SrvTarget target = target_of(delegation);
    const Shown& shown = world().show(row["chain"], row["names"]);
    const std::optional<TlsaSet> tlsa = world().tlsa(row["tlsa"], owner_of(target), shown);
    const RevocationCell revocation(row["revocation"]);
    const std::optional<PoshAnswer> posh = posh_of(row["posh"], shown);
    const ServerEvidence evidence{kD,
                                  delegation,
                                  target,
                                  security_of(row["addresses"]),
                                  tlsa ? &*tlsa : nullptr,
                                  shown.chain.get(),
                                  world().anchors(),
                                  kNow + hours(3),
                                  nullptr,
                                  revocation.known(),
                                  revocation.mode,
                                  posh ? &*posh : nullptr};
    expect_posh_is_asked_where_it_decides(row, evidence, shown, [](const auto& with, const PeerPolicy& policy) {
      return judge_server(with, policy, kNow);
    });
    const Result<Proof> proof = judge_server(evidence, policy_of(row["policy"]), kNow);
    const Words expected = words(row["expected"]);
    EXPECT_EQ(proof ? name_of(proof->type) : name_of(proof.error().reason), expected.word);
    const std::string sentence = proof ? proof->evidence : proof.error().detail;
    EXPECT_THAT(sentence, HasSubstr(expected.quote));
    expect_sentence(sentence);
    EXPECT_TRUE(!proof || proof->expires > kNow);
  }
  for (const char* const id :
       {"O-01", "O-02", "O-03", "O-04", "O-05", "O-06", "O-07", "O-08", "O-09", "O-10", "O-11", "O-12", "O-13",
        "O-14", "O-15", "O-16", "O-17", "O-18", "O-19", "O-20", "O-21", "O-22", "O-23", "O-24", "O-26"})
    EXPECT_TRUE(seen.contains(id)) << id;
}

TEST(JudgeClient, EveryRowOfTheTruthTable_DecidesAsWritten) {  // DANE-01, DNSSEC-01
  std::set<std::string> seen;
  for (const TruthRow& row : test::read_truth_table("incoming.txt")) {
    SCOPED_TRACE(row.place);
    seen.insert(row.id);
    const Shown& shown = world().show(row["chain"], row["names"]);
    const std::optional<TlsaSet> client = world().tlsa(row["client"], "_xmpp-server.target1.tld", shown);
    const Delegation delegation = delegation_of(row["srv"]);
    std::vector<TargetEvidence> targets;
    for (const SrvTarget& target : delegation.targets)
      targets.push_back({target, security_of(row["addresses"]), world().tlsa(row["tlsa"], owner_of(target), shown)});
    const RevocationCell revocation(row["revocation"]);
    const std::optional<PoshAnswer> posh = posh_of(row["posh"], shown);
    const ClientEvidence evidence{kD,
                                  client ? &*client : nullptr,
                                  delegation,
                                  targets,
                                  shown.chain.get(),
                                  world().anchors(),
                                  !row["policy"].ends_with('~'),
                                  nullptr,
                                  revocation.known(),
                                  revocation.mode,
                                  posh ? &*posh : nullptr};
    expect_posh_is_asked_where_it_decides(row, evidence, shown, [](const auto& with, const PeerPolicy& policy) {
      return judge_client(with, policy, kNow);
    });
    const auto proof = judge_client(evidence, policy_of(row["policy"]), kNow);
    const Words expected = words(row["expected"]);
    std::string got;
    if (proof) {
      got = name_of(proof->type);
    } else {
      const ClientRefusal& refusal = proof.error();
      got = std::string(name_of(refusal.error.reason)) + (refusal.is_temporary             ? " later"
                                                          : !refusal.may_dial_back         ? " nothing"
                                                          : refusal.authority_must_be_dane ? " dane-dialback"
                                                                                           : " dialback");
      EXPECT_FALSE(refusal.is_temporary && refusal.may_dial_back);
    }
    EXPECT_EQ(got, expected.word);
    const std::string sentence = proof ? proof->evidence : proof.error().error.detail;
    EXPECT_THAT(sentence, HasSubstr(expected.quote));
    expect_sentence(sentence);
  }
  for (const char* const id : {"I-01", "I-02", "I-03", "I-04", "I-05", "I-06", "I-07", "I-08", "I-09", "I-12", "I-13"})
    EXPECT_TRUE(seen.contains(id)) << id;
}

// One outgoing case with everything signed and valid, to be bent by each test.
struct Outgoing {
  Delegation delegation = delegation_of("secure");
  SrvTarget target = target_of(delegation);
  Security addresses = Security::secure;
  const Shown& shown;
  std::optional<TlsaSet> tlsa;
  PeerPolicy policy;
  WallTime addresses_expire = kNow + hours(3);
  const PoshAnswer* posh = nullptr;

  Outgoing(const std::string& chain, const std::string& names, const std::string& records)
      : shown(world().show(chain, names)), tlsa(world().tlsa(records, owner_of(target), shown)) {}
  Result<Proof> judge(WallTime now = kNow) const {
    return judge_server({kD, delegation, target, addresses, tlsa ? &*tlsa : nullptr, shown.chain.get(),
                         world().anchors(), addresses_expire, nullptr, nullptr, RevocationMode::off, posh},
                        policy, now);
  }
};

TEST(ProofExpiry, IsTheEarliestOfEverythingUsed) {  // DNSSEC-03, PKIX-05, AB-140
  Outgoing dane("valid", "D+T", "3 1 1 leaf");
  EXPECT_EQ(dane.judge()->expires, kNow + hours(1));  // the TLSA's TTL
  dane.tlsa->expires = kNow + hours(9);
  EXPECT_EQ(dane.judge()->expires, kNow + hours(2));  // the SRV's TTL
  dane.delegation.expires = kNow + hours(9);
  EXPECT_EQ(dane.judge()->expires, kNow + hours(3));  // the addresses
  dane.addresses_expire = kNow + hours(10);
  EXPECT_EQ(dane.judge()->expires, kNow + hours(9));

  Outgoing by_anchor("private", "T", "2 0 1 root");
  by_anchor.tlsa->expires = by_anchor.delegation.expires = by_anchor.addresses_expire = WallTime::max();
  EXPECT_EQ(by_anchor.judge()->expires, kNotAfter);  // the chain's end counts for DANE-TA
  Outgoing by_leaf("expired", "T", "3 1 1 leaf");
  by_leaf.tlsa->expires = by_leaf.delegation.expires = by_leaf.addresses_expire = WallTime::max();
  EXPECT_EQ(by_leaf.judge()->expires, WallTime::max());  // and not for DANE-EE

  Outgoing dnssec("valid", "T", "denial");
  EXPECT_EQ(dnssec.judge()->expires, kNow + hours(2));
  dnssec.delegation.expires = WallTime::max();
  EXPECT_EQ(dnssec.judge()->expires, kNotAfter);
  const Outgoing pkix("valid", "D", "denial");
  EXPECT_EQ(pkix.judge()->expires, kNotAfter);
  const Outgoing dialback("self", "D", "denial");
  EXPECT_EQ(dialback.judge()->expires, WallTime::max());  // bounded by the caller
}

TEST(ProofExpiry, OfPosh_IsTheDocumentsOrTheCertificates) {  // POSH-02, D-02
  Outgoing self("self", "other", "denial");
  PoshAnswer answer = *posh_of("leaf", self.shown);
  self.posh = &answer;
  EXPECT_EQ(self.judge()->expires, kNow + hours(4));
  answer.expires = WallTime::max();
  EXPECT_EQ(self.judge()->expires, kNotAfter);
  EXPECT_EQ(self.judge(kNotAfter - seconds(1))->type, ProofType::posh);
  EXPECT_EQ(self.judge(kNotAfter)->type, ProofType::dialback);
}

TEST(ProofExpiry, EvidenceThatRanOut_ProvesNothing) {  // DNSSEC-03
  Outgoing dane("valid", "D+T", "3 1 1 leaf");
  dane.tlsa->expires = kNow;
  EXPECT_EQ(dane.judge().error().reason, Reason::proof_expired);  // and nothing weaker: the TLSA is still there
  Outgoing dnssec("valid", "T", "denial");
  dnssec.delegation.expires = kNow;
  EXPECT_EQ(dnssec.judge()->type, ProofType::dialback);
  const Outgoing pkix("valid", "D", "denial");
  EXPECT_EQ(pkix.judge(kNotAfter - seconds(1))->type, ProofType::pkix);
  EXPECT_EQ(pkix.judge(kNotAfter + seconds(1))->type, ProofType::dialback);  // AB-052
}

TEST(JudgeServer, BlockedPeer_IsRefusedWhateverItShows) {
  Outgoing good("valid", "D+T", "3 1 1 leaf");
  good.policy.is_blocked = true;
  EXPECT_EQ(good.judge().error().reason, Reason::policy_blocked);
}

TEST(JudgeServer, EmptyProofList_AllowsNothing) {
  Outgoing good("valid", "D+T", "3 1 1 leaf");
  good.policy.proofs.clear();
  EXPECT_EQ(good.judge().error().reason, Reason::policy_proof);
}

TEST(JudgeServer, TargetThatTheDelegationDoesNotName_IsRefused) {  // P2
  Outgoing good("valid", "D+T", "3 1 1 leaf");
  good.target.host = HostName::parse("elsewhere.tld").value();
  EXPECT_FALSE(good.judge());
  good.target = target_of(good.delegation);
  good.target.port = 5270;
  EXPECT_FALSE(good.judge());
}

TEST(JudgeServer, EachTarget_IsJudgedByItself) {  // O-29
  Outgoing two("valid", "T", "denial");
  two.delegation.targets.push_back({HostName::parse("xmpp2.receiving.tld").value(), 5269, 1, 0});
  EXPECT_EQ(two.judge()->type, ProofType::dnssec);
  two.target = two.delegation.targets[1];  // the certificate names the first only
  EXPECT_EQ(two.judge()->type, ProofType::dialback);
  two.tlsa = world().tlsa("3 1 1 other", owner_of(two.target), two.shown);
  EXPECT_EQ(two.judge().error().reason, Reason::dane_mismatch);
}

TEST(JudgeServer, TlsaAtTheExpandedName_TakesThatNameToo) {  // O-28
  CertificateSpec spec;
  spec.dns = {"expanded.receiving.tld"};
  Outgoing aliased("private", "T", "denial");
  const MadeCertificate leaf = test::make_certificate(spec, &aliased.shown.inter);
  Shown shown = aliased.shown;
  shown.leaf = leaf;
  shown.chain = Chain::parse({leaf.der, shown.inter.der, shown.root.der}).value();
  const auto judge = [&](const std::string& owner) {
    const std::optional<TlsaSet> tlsa = world().tlsa("2 0 1 root", owner, shown);
    return judge_server({kD, aliased.delegation, aliased.target, Security::secure, &*tlsa, shown.chain.get(),
                         world().anchors(), kNow + hours(3)},
                        {}, kNow);
  };
  EXPECT_EQ(judge("_5269._tcp.expanded.receiving.tld")->type, ProofType::dane);
  EXPECT_EQ(judge("_5269._tcp.xmpp1.receiving.tld").error().reason, Reason::dane_name);
  // O-21: without an SRV record the domain is the only name, wherever its alias leads (D-03).
  aliased.delegation = delegation_of("none-secure");
  aliased.target = target_of(aliased.delegation);
  EXPECT_EQ(judge("_5269._tcp.expanded.receiving.tld").error().reason, Reason::dane_name);
}

TEST(JudgeServer, StrengthNeverUpgradesAList) {  // O-26
  Outgoing all("valid", "D+T", "3 1 1 leaf");
  for (const auto& [list, expected] : std::map<std::string, ProofType>{{"dialback,dane", ProofType::dialback},
                                                                       {"pkix,dane", ProofType::pkix},
                                                                       {"dnssec,pkix,dane", ProofType::dnssec},
                                                                       {"posh,dane", ProofType::dane}}) {
    all.policy = policy_of(list);
    EXPECT_EQ(all.judge()->type, expected) << list;
  }
}

TEST(JudgeServer, WeakerProof_KeepsTheReasonsOfStrongerAttempts) {  // O-17
  const Outgoing self("self", "D+T", "denial");
  const std::string evidence = self.judge()->evidence;
  EXPECT_THAT(evidence, HasSubstr("only the signed SRV record says that xmpp1.receiving.tld:5269 is target1.tld"));
  EXPECT_THAT(evidence, HasSubstr("no dane: no TLSA record at _5269._tcp.xmpp1.receiving.tld"));
  EXPECT_THAT(evidence, HasSubstr("no dnssec, pkix: certificate "));
  EXPECT_THAT(evidence, HasSubstr("self-signed certificate"));
}

TEST(JudgeServer, FailureOnTheWay_NeverGivesAWeakerProof) {  // AB-130, AB-131, P3
  for (const Security bad : {Security::bogus, Security::indeterminate}) {
    Outgoing good("valid", "D+T", "3 1 1 leaf");
    good.delegation.security = bad;
    EXPECT_FALSE(good.judge());
    good.delegation.security = Security::secure;
    good.addresses = bad;
    EXPECT_FALSE(good.judge());
    good.addresses = Security::secure;
    good.tlsa->security = bad;
    EXPECT_FALSE(good.judge());
    good.tlsa->security = Security::secure;
    EXPECT_TRUE(good.judge());
  }
}

TEST(JudgeServer, HostCertificateForADomain_NeedsASignedSrv) {  // AB-067, AB-051
  Outgoing host("valid", "T", "denial");
  EXPECT_EQ(host.judge()->type, ProofType::dnssec);
  host.delegation = delegation_of("insecure");
  EXPECT_EQ(host.judge()->type, ProofType::dialback);
  host.policy = policy_of("dane,dnssec,pkix");
  EXPECT_EQ(host.judge().error().reason, Reason::pkix_name);
}

TEST(ProofExpiry, HardRevocation_BoundsByTheAnswer) {  // REV-03
  const RevocationAnswer good{RevocationAnswer::Status::good, kNow + minutes(30), "OCSP says good"};
  const auto judge = [&](const Outgoing& of, RevocationMode mode) {
    return judge_server({kD, of.delegation, of.target, of.addresses, of.tlsa ? &*of.tlsa : nullptr,
                         of.shown.chain.get(), world().anchors(), of.addresses_expire, nullptr, &good, mode},
                        of.policy, kNow)
        ->expires;
  };
  const Outgoing pkix("valid", "D", "denial"), dnssec("valid", "T", "denial"), anchor("private", "T", "2 0 1 root"),
      key("self", "T", "3 1 1 leaf"), must("valid+must", "D", "denial");
  EXPECT_EQ(judge(pkix, RevocationMode::hard), kNow + minutes(30));
  EXPECT_EQ(judge(dnssec, RevocationMode::hard), kNow + minutes(30));
  EXPECT_EQ(judge(anchor, RevocationMode::hard), kNow + minutes(30));
  EXPECT_EQ(judge(key, RevocationMode::hard), kNow + hours(1));  // DANE-EE knows no revocation
  EXPECT_EQ(judge(pkix, RevocationMode::soft), kNotAfter);
  EXPECT_EQ(judge(anchor, RevocationMode::soft), kNow + hours(1));
  EXPECT_EQ(judge(must, RevocationMode::off), kNow + minutes(30));
}

TEST(JudgeServer, RevocationIsAskedOnlyWhereAPathCounts) {  // REV-02
  const auto rests = [](const char* chain, const char* records) {
    const Outgoing of(chain, "D+T", records);
    return rests_on_path({kD, of.delegation, of.target, of.addresses, of.tlsa ? &*of.tlsa : nullptr,
                          of.shown.chain.get(), world().anchors(), of.addresses_expire},
                         kNow);
  };
  EXPECT_TRUE(rests("valid", "denial"));
  EXPECT_TRUE(rests("private", "2 0 1 root"));
  EXPECT_FALSE(rests("private", "3 1 1 leaf"));
  EXPECT_FALSE(rests("self", "denial"));
  EXPECT_FALSE(rests("cleartext", "denial"));
}

struct Incoming {
  Delegation delegation = delegation_of("secure");
  const Shown& shown;
  std::vector<TargetEvidence> targets;
  PeerPolicy policy;

  Incoming(const std::string& chain, const std::string& names, const std::string& records)
      : shown(world().show(chain, names)) {
    for (const SrvTarget& target : delegation.targets)
      targets.push_back({target, Security::secure, world().tlsa(records, owner_of(target), shown), kNow + hours(3)});
  }
  void add_target(std::string_view host, Security addresses, const std::string& records) {
    const SrvTarget target{HostName::parse(host).value(), 5269, 1, 0};
    delegation.targets.push_back(target);
    targets.push_back({target, addresses, world().tlsa(records, owner_of(target), shown)});
  }
  tl::expected<Proof, ClientRefusal> judge() const {
    return judge_client({kD, nullptr, delegation, targets, shown.chain.get(), world().anchors()}, policy, kNow);
  }
};

TEST(ProofExpiry, OfTheClientsRecord_CountsTheSrvWhereOnlyThatNamesIt) {  // I-01, AB-191
  const auto expires = [](const std::string& names, const std::string& record, WallTime delegation) {
    Incoming of("private", names, "denial");
    of.delegation.expires = delegation;
    TlsaSet client = world().tlsa(record, "_xmpp-server.target1.tld", of.shown).value();
    client.expires = kNow + hours(5);
    const ClientEvidence evidence{kD, &client, of.delegation, of.targets, of.shown.chain.get(), world().anchors()};
    const auto proof = judge_client(evidence, of.policy, kNow);
    EXPECT_TRUE(proof && proof->type == ProofType::dane) << names << ' ' << record;
    return proof ? proof->expires : WallTime::min();
  };
  EXPECT_EQ(expires("T", "2 0 1 root", kNow + hours(4)), kNow + hours(4));
  EXPECT_EQ(expires("T", "2 0 1 root", kNow + hours(6)), kNow + hours(5));
  EXPECT_EQ(expires("D+T", "2 0 1 root", kNow + hours(4)), kNow + hours(5));  // its own name needs no SRV
  EXPECT_EQ(expires("T", "3 1 1 leaf", kNow + hours(4)), kNow + hours(5));    // and usage 3 needs no name
}

TEST(JudgeClient, AnyOfTheTargets_MayProve) {  // I-03
  Incoming two("self", "other", "denial");
  two.add_target("xmpp2.receiving.tld", Security::secure, "3 1 1 leaf");
  EXPECT_EQ(two.judge()->type, ProofType::dane);
  EXPECT_EQ(two.judge()->expires, kNow + hours(1));
  // A match outweighs a target that could not be asked, and another one's mismatch.
  Incoming unknown("self", "other", "3 1 1 leaf");
  unknown.add_target("xmpp2.receiving.tld", Security::indeterminate, "-");
  EXPECT_EQ(unknown.judge()->type, ProofType::dane);
  Incoming other("self", "other", "3 1 1 leaf");
  other.add_target("xmpp2.receiving.tld", Security::secure, "3 1 1 other");
  EXPECT_EQ(other.judge()->type, ProofType::dane);
}

TEST(JudgeClient, OneTargetWithKeysThatDoNotMatch_ClosesTheWeakerWays) {  // I-04
  Incoming two("valid", "D+T", "denial");
  EXPECT_TRUE(two.judge());
  two.add_target("xmpp2.receiving.tld", Security::secure, "3 1 1 other");
  const auto verdict = two.judge();
  ASSERT_FALSE(verdict);
  EXPECT_EQ(verdict.error().error.reason, Reason::dane_mismatch);
  EXPECT_TRUE(verdict.error().authority_must_be_dane);
}

TEST(JudgeClient, TargetsThatWereNotAsked_AreNoAbsence) {  // I-12, AB-131
  Incoming two("valid", "D+T", "denial");
  two.delegation.targets.push_back({HostName::parse("xmpp2.receiving.tld").value(), 5269, 1, 0});
  const auto verdict = two.judge();
  ASSERT_FALSE(verdict);
  EXPECT_TRUE(verdict.error().is_temporary);
}

TEST(JudgeClient, NoMoreTargetsThanAClaimIsWorth_AreLookedAt) {  // I-03, AB-195
  Incoming many("self", "other", "denial");
  for (std::size_t i = 2; i <= kMostSenderTargets; ++i)
    many.add_target("xmpp" + std::to_string(i) + ".receiving.tld", Security::secure, "denial");
  many.add_target("xmpp9.receiving.tld", Security::secure, "3 1 1 leaf");
  EXPECT_FALSE(many.judge());
}

TEST(JudgeClient, TargetThatIsNotOfTheDelegation_ProvesNothing) {  // P1
  Incoming one("self", "other", "denial");
  const SrvTarget foreign{HostName::parse("evil.tld").value(), 5269, 0, 0};
  one.targets.push_back({foreign, Security::secure, world().tlsa("3 1 1 leaf", owner_of(foreign), one.shown)});
  EXPECT_FALSE(one.judge());
}

TEST(JudgeClient, AnotherDomainsCertificate_ProvesNothing) {  // AB-051
  const Incoming other("valid", "other", "denial");
  const auto verdict = other.judge();
  ASSERT_FALSE(verdict);
  EXPECT_EQ(verdict.error().error.reason, Reason::pkix_name);
  EXPECT_TRUE(verdict.error().may_dial_back);
}

TEST(JudgeClient, BlockedPeer_MayNotEvenDialBack) {
  Incoming good("valid", "D+T", "3 1 1 leaf");
  good.policy.is_blocked = true;
  const auto verdict = good.judge();
  ASSERT_FALSE(verdict);
  EXPECT_EQ(verdict.error().error.reason, Reason::policy_blocked);
  EXPECT_FALSE(verdict.error().may_dial_back);
}

TEST(JudgeClient, DialbackInTheList_IsNotGrantedByACertificate) {
  Incoming self("self", "D+T", "denial");
  self.policy = policy_of("dialback");
  ASSERT_FALSE(self.judge());
  EXPECT_TRUE(self.judge().error().may_dial_back);
  Incoming good("valid", "D", "denial");
  good.policy = policy_of("dialback,pkix");
  EXPECT_EQ(good.judge()->type, ProofType::pkix);
}

TEST(JudgeDialback, AuthorityThatSaidValid_Proves) {  // I-10
  const Proof authority{ProofType::dane, kNow + hours(1), "TLSA 3 1 1 9f86…"};
  const auto proof = judge_dialback({authority, true, "xmpp1.originating.tld"}, false, {}, kNow);
  ASSERT_TRUE(proof);
  EXPECT_EQ(proof->type, ProofType::dialback);
  EXPECT_EQ(proof->expires, kNow + hours(1));
  EXPECT_EQ(proof->evidence,
            "the authority xmpp1.originating.tld, asked over TLS, said valid; it is proven by dane: TLSA 3 1 1 9f86…");
}

TEST(JudgeDialback, AuthorityThatMustBeDane_IsNothingElse) {  // I-04, I-10
  Proof authority{ProofType::dane, kNow + hours(1), "e"};
  EXPECT_TRUE(judge_dialback({authority, true, "a.tld"}, true, {}, kNow));
  for (const ProofType type : {ProofType::dnssec, ProofType::pkix, ProofType::posh, ProofType::dialback}) {
    authority.type = type;
    EXPECT_FALSE(judge_dialback({authority, true, "a.tld"}, true, {}, kNow)) << name_of(type);
    EXPECT_TRUE(judge_dialback({authority, true, "a.tld"}, false, {}, kNow)) << name_of(type);
  }
}

TEST(JudgeDialback, PolicyExpiryAndClearText_AreLookedAt) {  // I-14, O-26
  const Proof authority{ProofType::pkix, kNow + hours(1), "e"};
  EXPECT_EQ(judge_dialback({authority, true, "a.tld"}, false, policy_of("dane,pkix"), kNow).error().reason,
            Reason::policy_proof);
  EXPECT_EQ(judge_dialback({authority, false, "a.tld"}, false, {}, kNow).error().reason, Reason::policy_encryption);
  EXPECT_THAT(judge_dialback({authority, false, "a.tld"}, false, policy_of("default!"), kNow)->evidence,
              HasSubstr("without TLS"));
  EXPECT_EQ(judge_dialback({authority, true, "a.tld"}, false, {}, kNow + hours(1)).error().reason,
            Reason::proof_expired);
  PeerPolicy blocked;
  blocked.is_blocked = true;
  EXPECT_EQ(judge_dialback({authority, true, "a.tld"}, false, blocked, kNow).error().reason, Reason::policy_blocked);
}

TEST(ProofType, NamesAreTheContracts) {
  for (const char* const name : {"dane", "dnssec", "pkix", "posh", "dialback"})
    EXPECT_EQ(name_of(parse_proof_type(name).value()), name);
  EXPECT_FALSE(parse_proof_type("DANE"));
  EXPECT_FALSE(parse_proof_type(""));
}

}  // namespace
}  // namespace ligase::proof
