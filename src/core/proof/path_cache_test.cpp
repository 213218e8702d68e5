#include "proof/path_cache.hpp"

#include <gtest/gtest.h>

#include "proof/judge.hpp"
#include "support/certificates.hpp"

namespace ligase::proof {
namespace {

using namespace std::chrono;
using test::CertificateSpec;
using test::MadeCertificate;

const WallTime kNow = test::day(2026, 11, 24);

class Paths : public testing::Test {
 protected:
  static std::shared_ptr<const Chain> chain_of(const std::vector<MadeCertificate>& shown) {
    std::vector<Bytes> der;
    der.reserve(shown.size());
    for (const MadeCertificate& one : shown) der.push_back(one.der);
    return Chain::parse(der).value();
  }
  static std::string text_of(const Result<WallTime>& verdict) {
    return verdict ? rfc3339(*verdict) : std::string(name_of(verdict.error().reason)) + ": " + verdict.error().detail;
  }

  const MadeCertificate root = test::make_root();
  const std::shared_ptr<const TrustAnchors> anchors = TrustAnchors::parse_pem(root.pem).value();
  PathCache paths{anchors};
};

TEST_F(Paths, ChainSeenBefore_IsNotCheckedAgain) {  // PKIX-04
  const auto first = chain_of({test::make_leaf(root, {"a.tld"}), root});
  const auto same = Chain::parse({first->der(0), first->der(1)}).value();  // of another session
  const Result<WallTime> verdict = paths.verify(*first, Role::receiving, kNow);
  ASSERT_TRUE(verdict);
  EXPECT_EQ(paths.verify(*same, Role::receiving, kNow + hours(5)).value(), *verdict);
  EXPECT_EQ(paths.checks(), 1u);
}

TEST_F(Paths, WhatAClientMayShow_IsNoAnswerForAServer) {  // PKIX-04, AB-190
  CertificateSpec spec;
  spec.dns = {"a.tld"};
  spec.eku = {"clientAuth"};
  const auto chain = chain_of({test::make_certificate(spec, &root)});
  EXPECT_TRUE(paths.verify(*chain, Role::initiating, kNow));
  EXPECT_FALSE(paths.verify(*chain, Role::receiving, kNow));
  EXPECT_TRUE(paths.verify(*chain, Role::initiating, kNow));
  EXPECT_EQ(paths.checks(), 2u);
}

TEST_F(Paths, AnyTime_TheAnswerIsThatOfACheck) {  // PKIX-04, PKIX-05
  CertificateSpec middle;
  middle.common_name = "middle";
  middle.is_ca = true;
  middle.not_before = test::day(2026, 6, 1);
  middle.not_after = test::day(2027, 6, 1);
  const MadeCertificate intermediate = test::make_certificate(middle, &root);
  const auto chain = chain_of({test::make_leaf(intermediate, {"a.tld"}), intermediate});
  const WallTime begin = test::day(2026, 6, 1), end = test::day(2027, 6, 1);
  // Within first, so that there is something to remember at each of the others.
  for (const WallTime at : {kNow, begin, begin - 1s, kNow, end - 1s, end, end + 1s, kNow, end + hours(24 * 365)})
    EXPECT_EQ(text_of(paths.verify(*chain, Role::receiving, at)),
              text_of(verify_path(*chain, *anchors, Role::receiving, at)))
        << rfc3339(at);
}

TEST_F(Paths, SameLeafBehindOtherIntermediates_IsAnotherChain) {  // PKIX-04
  const MadeCertificate intermediate = test::make_intermediate(root);
  const MadeCertificate leaf = test::make_leaf(intermediate, {"a.tld"});
  EXPECT_FALSE(paths.verify(*chain_of({leaf}), Role::receiving, kNow));  // the path cannot be built without it
  EXPECT_TRUE(paths.verify(*chain_of({leaf, intermediate}), Role::receiving, kNow));
}

TEST_F(Paths, Failure_IsRememberedForAMinute) {  // PKIX-04
  const auto chain = chain_of({test::make_self_signed({"a.tld"})});
  const std::string why = text_of(paths.verify(*chain, Role::receiving, kNow));
  EXPECT_EQ(text_of(paths.verify(*chain, Role::receiving, kNow + 59s)), why);
  EXPECT_EQ(paths.checks(), 1u);
  EXPECT_EQ(text_of(paths.verify(*chain, Role::receiving, kNow + 60s)), why);
  EXPECT_EQ(paths.checks(), 2u);
  paths.verify(*chain, Role::receiving, kNow - 1s);  // a clock that was set back
  EXPECT_EQ(paths.checks(), 3u);
}

TEST_F(Paths, ManyChains_RememberTheLatestWithinTheBound) {  // AB-049
  PathCache few(anchors, 4);
  const auto kept = chain_of({test::make_leaf(root, {"kept.tld"})});
  few.verify(*kept, Role::receiving, kNow);
  for (int i = 0; i < 20; ++i) {
    few.verify(*chain_of({test::make_leaf(root, {"x" + std::to_string(i) + ".tld"})}), Role::receiving, kNow);
    few.verify(*kept, Role::receiving, kNow);
    EXPECT_LE(few.size(), 4u);
  }
  EXPECT_EQ(few.checks(), 21u);  // the one asked for each time was never forgotten
}

TEST_F(Paths, CacheOfOtherAnchors_IsNotAsked) {  // PKIX-04
  const auto chain = chain_of({test::make_leaf(root, {"target1.tld"}), root});
  ASSERT_TRUE(paths.verify(*chain, Role::receiving, kNow));
  const auto others = TrustAnchors::parse_pem(test::make_root("another root").pem).value();
  const Domain domain = Domain::parse("target1.tld").value();
  const SrvTarget target{HostName::parse("xmpp1.receiving.tld").value(), 5269, 0, 0};
  Delegation delegation;
  delegation.kind = Delegation::Kind::srv;
  delegation.security = Security::insecure;
  delegation.targets = {target};
  delegation.expires = kNow + hours(1);
  PeerPolicy policy;
  policy.proofs = {ProofType::pkix};
  const auto judge_by = [&](const TrustAnchors& trusted) {
    return judge_server(
        {domain, delegation, target, Security::insecure, nullptr, chain.get(), trusted, kNow + hours(1), &paths},
        policy, kNow);
  };
  EXPECT_TRUE(judge_by(*anchors));
  EXPECT_FALSE(judge_by(*others));
  EXPECT_EQ(paths.checks(), 1u);
}

}  // namespace
}  // namespace ligase::proof
