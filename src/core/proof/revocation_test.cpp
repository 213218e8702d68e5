#include "proof/revocation.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/revocation.hpp"

namespace ligase::proof {
namespace {

using namespace std::chrono;
using test::CertificateSpec;
using test::MadeCertificate;
using test::OcspSpec;
using testing::HasSubstr;
using Status = RevocationAnswer::Status;

const WallTime kNow = test::day(2026, 11, 24) + hours(12);

class Ocsp : public testing::Test {
 protected:
  static MadeCertificate leaf_of(const MadeCertificate& issuer, bool must_staple = false) {
    CertificateSpec spec;
    spec.dns = {"a.tld"};
    spec.ocsp = {"http://ocsp.ca.tld/x", "ldap://ca.tld/", "http://ocsp2.ca.tld:8080"};
    spec.crl = {"http://crl.ca.tld/1.crl"};
    spec.must_staple = must_staple;
    return test::make_certificate(spec, &issuer);
  }
  std::shared_ptr<const Issued> find(const MadeCertificate& of, const std::vector<MadeCertificate>& shown) const {
    std::vector<Bytes> der{of.der};
    for (const MadeCertificate& one : shown) der.push_back(one.der);
    return Issued::find(*Chain::parse(der).value(), *anchors, kNow).value();
  }
  MadeCertificate responder(const MadeCertificate& issuer, const std::vector<std::string>& usages) const {
    CertificateSpec spec;
    spec.common_name = "responder";
    spec.eku = usages;
    spec.not_after = test::day(2026, 12, 24);
    return test::make_certificate(spec, &issuer);
  }
  RevocationAnswer read(const OcspSpec& spec, OcspOrigin origin = OcspOrigin::asked, WallTime now = kNow) const {
    return read_ocsp(*issued, test::make_ocsp(leaf, inter, spec), origin, now);
  }
  // AB-066: as absent, with a sentence that says why.
  static void expect_absent(const RevocationAnswer& answer, std::string_view why) {
    EXPECT_EQ(answer.status, Status::unknown) << answer.evidence;
    EXPECT_THAT(answer.evidence, HasSubstr(std::string(why)));
  }

  const MadeCertificate root = test::make_root(), inter = test::make_intermediate(root), leaf = leaf_of(inter);
  const std::shared_ptr<const TrustAnchors> anchors = TrustAnchors::parse_pem(root.pem).value();
  const std::shared_ptr<const Issued> issued = find(leaf, {inter});
};

TEST_F(Ocsp, PlacesToAsk_AreThoseThatCanBeFetched) {  // REV-02
  ASSERT_EQ(issued->responders().size(), 2u);
  EXPECT_EQ(issued->responders()[0].text(), "http://ocsp.ca.tld:80/x");
  EXPECT_EQ(issued->responders()[1].text(), "http://ocsp2.ca.tld:8080/");
  ASSERT_EQ(issued->lists().size(), 1u);
  EXPECT_EQ(issued->lists()[0].text(), "http://crl.ca.tld:80/1.crl");
}

TEST_F(Ocsp, MustStaple_IsRead) {  // REV-03
  EXPECT_FALSE(Chain::parse({leaf.der}).value()->must_staple());
  EXPECT_TRUE(Chain::parse({leaf_of(inter, true).der}).value()->must_staple());
}

TEST_F(Ocsp, IssuerIsFound_WhereverItIs) {  // REV-02
  const MadeCertificate direct = leaf_of(root);
  EXPECT_EQ(read_ocsp(*find(direct, {}), test::make_ocsp(direct, root), OcspOrigin::asked, kNow).status,
            Status::good);  // the anchor, which was not shown
  // DANE-TA: no path to our anchors, and the issuer is among the shown.
  const MadeCertificate own = test::make_root("own root"), under = leaf_of(own);
  EXPECT_EQ(read_ocsp(*find(under, {own}), test::make_ocsp(under, own), OcspOrigin::asked, kNow).status, Status::good);
  EXPECT_FALSE(Issued::find(*Chain::parse({under.der, inter.der}).value(), *anchors, kNow));
  EXPECT_FALSE(Issued::find(*Chain::parse({test::make_self_signed({"a.tld"}).der}).value(), *anchors, kNow));
}

TEST_F(Ocsp, Request_IsForThisCertificateWithoutNonce) {  // REV-02
  const std::string der = make_ocsp_request(*issued);
  const auto* at = reinterpret_cast<const unsigned char*>(der.data());
  OCSP_REQUEST* const request = d2i_OCSP_REQUEST(nullptr, &at, static_cast<long>(der.size()));
  ASSERT_NE(request, nullptr);
  EXPECT_EQ(OCSP_request_onereq_count(request), 1);
  EXPECT_EQ(OCSP_REQUEST_get_ext_count(request), 0);
  const test::detail::OcspIdPtr id(OCSP_cert_to_id(EVP_sha1(), test::detail::read_certificate(leaf.der).get(),
                                                   test::detail::read_certificate(inter.der).get()));
  EXPECT_EQ(OCSP_id_cmp(OCSP_onereq_get0_id(OCSP_request_onereq_get0(request, 0)), id.get()), 0);
  OCSP_REQUEST_free(request);
}

TEST_F(Ocsp, GoodAndRevoked_AreRead) {  // REV-02, AB-065
  for (const bool by_sha256 : {false, true}) {
    OcspSpec spec;
    spec.by_sha256 = by_sha256;
    const RevocationAnswer good = read(spec);
    EXPECT_EQ(good.status, Status::good);
    EXPECT_EQ(good.expires, test::day(2026, 11, 25));
    EXPECT_EQ(good.evidence, "OCSP says good, until 2026-11-25T00:00:00Z");
    spec.says = OcspSpec::Says::revoked;
    const RevocationAnswer revoked = read(spec, OcspOrigin::stapled);
    EXPECT_EQ(revoked.status, Status::revoked);
    EXPECT_EQ(revoked.evidence, "the stapled OCSP response says revoked since 2026-11-20T00:00:00Z (keyCompromise)");
    spec.says = OcspSpec::Says::unknown;
    expect_absent(read(spec), "does not know the certificate");
  }
}

TEST_F(Ocsp, Life_IsBoundedByADay) {  // REV-03
  OcspSpec spec;
  spec.next_update = kNow + days(7);
  EXPECT_EQ(read(spec).expires, kNow + hours(24));
  spec.next_update.reset();
  EXPECT_EQ(read(spec).expires, spec.this_update + hours(24));
  expect_absent(read(spec, OcspOrigin::asked, spec.this_update + hours(24)), "is over since 2026-11-25T00:00:00Z");
}

TEST_F(Ocsp, OutsideItsDates_IsAsAbsent) {  // AB-066
  expect_absent(read({}, OcspOrigin::asked, test::day(2026, 11, 25)), "is over since");
  EXPECT_EQ(read({}, OcspOrigin::asked, test::day(2026, 11, 25) - 1s).status, Status::good);
  EXPECT_EQ(read({}, OcspOrigin::asked, test::day(2026, 11, 24) - minutes(5)).status, Status::good);  // skew
  expect_absent(read({}, OcspOrigin::asked, test::day(2026, 11, 24) - minutes(5) - 1s), "is of the future");
  OcspSpec revoked;
  revoked.says = OcspSpec::Says::revoked;
  expect_absent(read(revoked, OcspOrigin::stapled, test::day(2026, 11, 25)), "is over since");
}

TEST_F(Ocsp, Delegate_MustBeMadeOneByTheIssuer) {  // AB-066
  const MadeCertificate good = responder(inter, {"OCSPSigning"});
  OcspSpec spec;
  spec.signer = &good;
  EXPECT_EQ(read(spec).status, Status::good);
  spec.brings_signer = false;
  expect_absent(read(spec), "signed by somebody else");
  spec.brings_signer = true;
  expect_absent(
      read_ocsp(*issued, test::make_ocsp(leaf, inter, spec), OcspOrigin::asked, test::day(2026, 11, 24) - minutes(6)),
      "of the future");

  const MadeCertificate without = responder(inter, {}), web = responder(inter, {"serverAuth"}),
                        any = responder(inter, {"anyExtendedKeyUsage"});
  for (const MadeCertificate* const other : {&without, &web, &any}) {
    spec.signer = other;
    expect_absent(read(spec), "may not sign OCSP responses");
  }
  const MadeCertificate of_root = responder(root, {"OCSPSigning"});
  spec.signer = &of_root;
  expect_absent(read(spec), "was not made a responder by the certificate's issuer");
  // The issuer's name, another key.
  const MadeCertificate impostor = test::make_root("test intermediate");
  const MadeCertificate forged = responder(impostor, {"OCSPSigning"});
  spec.signer = &forged;
  expect_absent(read(spec), "was not made a responder by the certificate's issuer");
  spec.signer = &impostor;
  expect_absent(read(spec), "does not count");
  const MadeCertificate self = test::make_self_signed({"a.tld"});
  spec.signer = &self;
  expect_absent(read(spec), "may not sign OCSP responses");

  CertificateSpec old;
  old.eku = {"OCSPSigning"};
  old.not_after = test::day(2026, 11, 23);
  const MadeCertificate expired = test::make_certificate(old, &inter);
  spec.signer = &expired;
  expect_absent(read(spec), "not within its dates");
  old.not_after = test::day(2046, 1, 1);
  old.signs_with_sha1 = true;
  const MadeCertificate weak = test::make_certificate(old, &inter);
  spec.signer = &weak;
  expect_absent(read(spec), "signed weakly");
}

TEST_F(Ocsp, AboutAnotherCertificate_IsAsAbsent) {  // AB-066
  const MadeCertificate other = leaf_of(inter);
  expect_absent(read_ocsp(*issued, test::make_ocsp(other, inter), OcspOrigin::stapled, kNow),
                "about another certificate");
  OcspSpec spec;
  spec.named_issuer = &root;
  expect_absent(read(spec), "about another certificate");
}

TEST_F(Ocsp, NonceThatNobodySent_IsAsAbsent) {  // AB-066
  OcspSpec spec;
  spec.has_nonce = true;
  expect_absent(read(spec), "a nonce that was not sent");
  EXPECT_EQ(read(spec, OcspOrigin::stapled).status, Status::good);  // of whoever fetched the staple
}

TEST_F(Ocsp, WeakSignature_IsAsAbsent) {  // AB-066
  OcspSpec spec;
  spec.signs_with_sha1 = true;
  expect_absent(read(spec), "signed weakly");
}

TEST_F(Ocsp, SpoiltBytes_AreAsAbsent) {  // AB-066
  const std::string good = test::make_ocsp(leaf, inter);
  expect_absent(read_ocsp(*issued, "", OcspOrigin::asked, kNow), "cannot be read");
  expect_absent(read_ocsp(*issued, "HTTP", OcspOrigin::asked, kNow), "cannot be read");
  expect_absent(read_ocsp(*issued, good + "x", OcspOrigin::asked, kNow), "cannot be read");
  expect_absent(read_ocsp(*issued, std::string(64 * 1024 + 1, '0'), OcspOrigin::asked, kNow), "larger than 64 KiB");
  expect_absent(read_ocsp(*issued, test::make_ocsp_error(OCSP_RESPONSE_STATUS_TRYLATER), OcspOrigin::asked, kNow),
                "trylater");
  // No flipped bit makes another certificate's, a longer or a better answer of it.
  OcspSpec spec;
  spec.says = OcspSpec::Says::revoked;
  const std::string revoked = test::make_ocsp(leaf, inter, spec);
  for (std::size_t i = 0; i < revoked.size(); ++i) {
    std::string spoilt = revoked;
    spoilt[i] = static_cast<char>(spoilt[i] ^ 1);
    EXPECT_NE(read_ocsp(*issued, spoilt, OcspOrigin::asked, kNow).status, Status::good) << i;
  }
}

}  // namespace
}  // namespace ligase::proof
