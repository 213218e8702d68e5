#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proof/certificate.hpp"
#include "support/certificates.hpp"

namespace ligase::proof {
namespace {

using test::CertificateSpec;
using test::MadeCertificate;
using test::make_certificate;
using test::tlsa_rdata;
using testing::HasSubstr;

const WallTime kNow = test::day(2026, 11, 24);
const WallTime kNotAfter = test::day(2046, 1, 1);

// leaf <- inter <- root; the root is trusted by `with_root` only.
class MatchDane : public testing::Test {
 protected:
  const MadeCertificate root = test::make_root("root"), stranger = test::make_root("stranger");
  const MadeCertificate inter = test::make_intermediate(root, "inter");
  const MadeCertificate leaf = test::make_leaf(inter, {"a.tld"});
  const std::shared_ptr<const TrustAnchors> with_root = TrustAnchors::parse_pem(root.pem).value();
  const std::shared_ptr<const TrustAnchors> without = TrustAnchors::parse_pem(stranger.pem).value();

  static TlsaSet set(const std::vector<Bytes>& rdata) {
    Answer answer;
    answer.security = Security::secure;
    answer.rdata = rdata;
    answer.ttl = std::chrono::hours(1);
    return read_tlsa("_5269._tcp.a.tld", answer, kNow);
  }
  static std::shared_ptr<const Chain> chain(const std::vector<MadeCertificate>& shown) {
    std::vector<Bytes> der;
    for (const MadeCertificate& one : shown) der.push_back(one.der);
    return Chain::parse(der).value();
  }
  Result<DaneMatch> match(const std::vector<MadeCertificate>& shown, const std::vector<Bytes>& rdata,
                          bool names_ok = true, const TrustAnchors* anchors = nullptr) const {
    return match_dane(*chain(shown), set(rdata), anchors != nullptr ? *anchors : *without, Role::receiving, names_ok,
                      kNow);
  }
  static void expect(const Result<DaneMatch>& result, Reason reason, std::string_view text = "") {
    ASSERT_FALSE(result) << result->record.text();
    EXPECT_EQ(name_of(result.error().reason), name_of(reason)) << result.error().detail;
    EXPECT_THAT(result.error().detail, HasSubstr(std::string(text)));
  }
};

TEST_F(MatchDane, EverySelectorAndMatching_OfUsage3) {  // DANE-02
  for (int selector = 0; selector < 2; ++selector)
    for (int matching = 0; matching < 3; ++matching) {
      const Result<DaneMatch> found = match({leaf}, {tlsa_rdata(3, selector, matching, leaf)}, false);
      ASSERT_TRUE(found) << selector << matching;
      EXPECT_EQ(found->expires, WallTime::max());
      expect(match({leaf}, {tlsa_rdata(3, selector, matching, stranger)}), Reason::dane_mismatch,
             "the TLSA record at ");
    }
}

TEST_F(MatchDane, EverySelectorAndMatching_OfUsage2) {  // DANE-02, DANE-03
  for (const MadeCertificate* const anchor : {&root, &inter})
    for (int selector = 0; selector < 2; ++selector)
      for (int matching = 0; matching < 3; ++matching) {
        const Result<DaneMatch> found = match({leaf, inter, root}, {tlsa_rdata(2, selector, matching, *anchor)});
        ASSERT_TRUE(found) << selector << matching;
        EXPECT_EQ(found->expires, kNotAfter);
        expect(match({leaf, inter, root}, {tlsa_rdata(2, selector, matching, *anchor)}, false), Reason::dane_name);
      }
}

TEST_F(MatchDane, AnchorNotShown_OnlyFullRecordsHelp) {            // DANE-03, AB-133
  EXPECT_TRUE(match({leaf, inter}, {tlsa_rdata(2, 0, 0, root)}));  // the whole anchor
  EXPECT_TRUE(match({leaf, inter}, {tlsa_rdata(2, 1, 0, root)}));  // its bare key
  expect(match({leaf, inter}, {tlsa_rdata(2, 0, 1, root)}), Reason::dane_mismatch);
  expect(match({leaf, inter}, {tlsa_rdata(2, 1, 1, root)}), Reason::dane_mismatch);
  expect(match({leaf, inter}, {tlsa_rdata(2, 0, 0, stranger)}), Reason::dane_mismatch);
  expect(match({leaf, inter}, {tlsa_rdata(2, 1, 0, stranger)}), Reason::dane_mismatch);
  expect(match({leaf, inter}, {tlsa_rdata(2, 1, 0, root)}, false), Reason::dane_name);
  // The bare key may have signed the leaf itself, and dates still hold.
  EXPECT_TRUE(match({leaf}, {tlsa_rdata(2, 1, 0, inter)}));
  CertificateSpec old;
  old.dns = {"a.tld"};
  old.not_after = kNow - std::chrono::days(1);
  expect(match({make_certificate(old, &inter)}, {tlsa_rdata(2, 1, 0, inter)}), Reason::dane_chain, "expired");
  expect(match({make_certificate(old, &inter)}, {tlsa_rdata(2, 0, 0, inter)}), Reason::dane_chain, "expired");
}

TEST_F(MatchDane, LeafThatUsage2Names_IsNoAnchor) {  // AB-133
  const MadeCertificate self = test::make_self_signed({"a.tld"});
  for (int selector = 0; selector < 2; ++selector)
    expect(match({self}, {tlsa_rdata(2, selector, 1, self)}), Reason::dane_mismatch);
  EXPECT_TRUE(match({self}, {tlsa_rdata(3, 1, 1, self)}));  // AB-053
}

TEST_F(MatchDane, ShownAnchorThatDidNotSign_ProvesNothing) {  // AB-133
  expect(match({leaf, inter, stranger}, {tlsa_rdata(2, 0, 1, stranger)}), Reason::dane_chain);
  const MadeCertificate self = test::make_self_signed({"a.tld"});
  expect(match({self, root}, {tlsa_rdata(2, 0, 1, root)}), Reason::dane_chain);
  expect(match({self, root}, {tlsa_rdata(2, 1, 0, root)}), Reason::dane_chain);
}

TEST_F(MatchDane, AnchorThatIsNoAuthority_ProvesNothing) {  // AB-054
  CertificateSpec spec;
  spec.common_name = "end entity";
  const MadeCertificate no_ca = make_certificate(spec, &root);
  const MadeCertificate below = test::make_leaf(no_ca, {"a.tld"});
  expect(match({below, no_ca}, {tlsa_rdata(2, 0, 1, no_ca)}), Reason::dane_chain);
}

TEST_F(MatchDane, ConstraintsOfTheAnchor_Bind) {  // D-14
  CertificateSpec spec;
  spec.common_name = "constrained";
  spec.is_ca = true;
  spec.name_constraints = {"permitted;DNS:good.tld"};
  const MadeCertificate anchor = make_certificate(spec);
  CertificateSpec end;
  end.srv = {"_xmpp-server.evil.tld"};
  expect(match({make_certificate(end, &anchor), anchor}, {tlsa_rdata(2, 0, 1, anchor)}), Reason::dane_chain,
         "may not vouch");
}

TEST_F(MatchDane, UsagesZeroAndOne_NeedATrustedRoot) {  // DANE-02, AB-133
  const Bytes ta = tlsa_rdata(0, 0, 1, root), middle = tlsa_rdata(0, 1, 2, inter), ee = tlsa_rdata(1, 1, 1, leaf);
  for (const Bytes& record : {ta, middle, ee}) {
    const Result<DaneMatch> found = match({leaf, inter}, {record}, true, with_root.get());
    ASSERT_TRUE(found);
    EXPECT_EQ(found->expires, kNotAfter);
    expect(match({leaf, inter}, {record}, false, with_root.get()), Reason::dane_name);
    expect(match({leaf, inter, root}, {record}), Reason::dane_chain);
  }
  expect(match({leaf, inter}, {tlsa_rdata(0, 0, 1, leaf)}, true, with_root.get()), Reason::dane_mismatch);
  expect(match({leaf, inter}, {tlsa_rdata(1, 1, 1, inter)}, true, with_root.get()), Reason::dane_mismatch);
  expect(match({leaf, inter}, {tlsa_rdata(0, 0, 1, stranger)}, true, with_root.get()), Reason::dane_mismatch);
}

TEST_F(MatchDane, MixedRecords_AnyThatHoldsProves) {  // AB-132
  const Result<DaneMatch> found =
      match({leaf, inter}, {tlsa_rdata(3, 1, 1, stranger), tlsa_rdata(1, 1, 1, leaf), tlsa_rdata(2, 1, 1, inter)});
  ASSERT_TRUE(found);
  EXPECT_EQ(found->record.usage, TlsaUsage::dane_ta);
}

TEST_F(MatchDane, TheFailureThatCameFurthest_IsTold) {
  expect(match({leaf, inter}, {tlsa_rdata(3, 1, 1, stranger), tlsa_rdata(2, 1, 1, inter), tlsa_rdata(1, 1, 1, leaf)},
               false),
         Reason::dane_name);
  expect(match({leaf, inter}, {tlsa_rdata(1, 1, 1, leaf), tlsa_rdata(3, 1, 1, stranger)}), Reason::dane_chain,
         "TLSA 1 1 1 ");
}

TEST_F(MatchDane, WeakerDigestBesideAStronger_IsNotLookedAt) {  // DANE-02, AB-133
  expect(match({leaf}, {tlsa_rdata(3, 1, 1, leaf), tlsa_rdata(3, 1, 2, stranger)}), Reason::dane_mismatch);
}

TEST_F(MatchDane, RecordsThatAreNotSecure_AreNotUsed) {  // AB-130
  TlsaSet tlsa = set({tlsa_rdata(3, 1, 1, leaf)});
  for (const Security bad : {Security::insecure, Security::bogus, Security::indeterminate}) {
    tlsa.security = bad;
    EXPECT_FALSE(match_dane(*chain({leaf}), tlsa, *without, Role::receiving, true, kNow)) << name_of(bad);
  }
}

TEST_F(MatchDane, ThirtyTwoBareKeysAndALongChain_EndInBoundedWork) {  // AB-063, AB-133
  std::vector<MadeCertificate> shown{leaf, inter};
  while (shown.size() < 10) shown.push_back(test::make_intermediate(root, "inter"));
  std::vector<Bytes> records;
  for (int i = 0; i < 40; ++i) records.push_back(tlsa_rdata(2, 1, 0, test::make_root("r")));
  expect(match(shown, records), Reason::dane_mismatch, "none of 32 usable");
}

}  // namespace
}  // namespace ligase::proof
