#include "proof/revocation_list.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/revocation.hpp"

namespace ligase::proof {
namespace {

using namespace std::chrono;
using test::CertificateSpec;
using test::CrlSpec;
using test::MadeCertificate;
using testing::HasSubstr;
using Status = RevocationAnswer::Status;

const WallTime kNow = test::day(2026, 11, 24) + hours(12);
constexpr const char* kPlace = "http://crl.ca.tld/1.crl";

class Crl : public testing::Test {
 protected:
  static MadeCertificate leaf_of(const MadeCertificate& issuer) {
    CertificateSpec spec;
    spec.dns = {"a.tld"};
    spec.crl = {kPlace};
    return test::make_certificate(spec, &issuer);
  }
  static std::shared_ptr<RevocationList> parse(const std::string& bytes) {
    return RevocationList::parse(bytes).value().front();
  }
  RevocationAnswer ask(const CrlSpec& spec, std::size_t i = 0, WallTime now = kNow) const {
    return parse(test::make_crl(i == 0 ? inter : root, spec))->look_up(*issued, i, now);
  }
  static void expect_absent(const RevocationAnswer& answer, std::string_view why) {
    EXPECT_EQ(answer.status, Status::unknown) << answer.evidence;
    EXPECT_THAT(answer.evidence, HasSubstr(std::string(why)));
  }

  const MadeCertificate root = test::make_root(), inter = test::make_intermediate(root), leaf = leaf_of(inter),
                        other = leaf_of(inter);
  const std::shared_ptr<const TrustAnchors> anchors = TrustAnchors::parse_pem(root.pem).value();
  const std::shared_ptr<const Issued> issued =
      Issued::find(*Chain::parse({leaf.der, inter.der}).value(), *anchors, kNow).value();
};

TEST_F(Crl, ListedOrNot_IsSaid) {  // REV-02
  const RevocationAnswer good = ask({.lists = {&other}, .more = 1000});
  EXPECT_EQ(good.status, Status::good);
  EXPECT_EQ(good.expires, test::day(2026, 11, 25));
  EXPECT_EQ(good.evidence, "the CRL says good, until 2026-11-25T00:00:00Z");
  EXPECT_EQ(ask({}).status, Status::good);  // lists nothing at all
  const RevocationAnswer revoked = ask({.lists = {&other, &leaf}, .more = 1000});
  EXPECT_EQ(revoked.status, Status::revoked);
  EXPECT_EQ(revoked.evidence, "the CRL says revoked since 2026-11-20T00:00:00Z (keyCompromise)");
  EXPECT_EQ(ask({.next_update = kNow + days(90)}).expires, kNow + hours(24));  // REV-03
}

TEST_F(Crl, OutsideItsDates_IsAsAbsent) {  // AB-066
  expect_absent(ask({.lists = {&leaf}}, 0, test::day(2026, 11, 25)), "is over since 2026-11-25T00:00:00Z");
  expect_absent(ask({.lists = {&leaf}}, 0, test::day(2026, 11, 24) - minutes(6)), "is of the future");
  EXPECT_EQ(ask({.next_update = std::nullopt}).status, Status::good);
  expect_absent(ask({.next_update = std::nullopt}, 0, kNow + days(1)), "is over since");
}

TEST_F(Crl, NotTheIssuersOwn_IsAsAbsent) {  // AB-066
  expect_absent(parse(test::make_crl(root, {.lists = {&leaf}}))->look_up(*issued, 0, kNow), "is another issuer's");
  expect_absent(ask({.lists = {&leaf}, .signer = &root}), "signature is wrong");
  const MadeCertificate namesake = test::make_intermediate(root);  // the same name, another key
  expect_absent(parse(test::make_crl(namesake))->look_up(*issued, 0, kNow), "signature is wrong");
  expect_absent(ask({.lists = {&leaf}, .signs_with_sha1 = true}), "signature is wrong, or weak");
  std::string spoilt = test::make_crl(inter);
  spoilt[spoilt.size() - 1] = static_cast<char>(spoilt[spoilt.size() - 1] ^ 1);
  const auto list = parse(spoilt);
  for (int i = 0; i < 2; ++i) expect_absent(list->look_up(*issued, 0, kNow), "signature is wrong");  // remembered so

  CertificateSpec spec;
  spec.common_name = "no lists";
  spec.is_ca = true;
  spec.key_usage = "keyCertSign";
  const MadeCertificate authority = test::make_certificate(spec, &root), under = leaf_of(authority);
  const auto issued_there = Issued::find(*Chain::parse({under.der, authority.der}).value(), *anchors, kNow).value();
  expect_absent(parse(test::make_crl(authority))->look_up(*issued_there, 0, kNow), "may not sign lists");
}

TEST_F(Crl, Scope_MustHoldTheCertificate) {  // AB-066
  EXPECT_EQ(ask({.scope = "onlyuser=TRUE"}).status, Status::good);
  expect_absent(ask({.scope = "onlyCA=TRUE"}), "certificates of another kind");
  EXPECT_EQ(ask({.scope = "onlyCA=TRUE"}, 1).status, Status::good);
  expect_absent(ask({.scope = "onlyuser=TRUE"}, 1), "certificates of another kind");
  expect_absent(ask({.scope = "onlyAA=TRUE"}), "not for all");
  expect_absent(ask({.scope = "indirectCRL=TRUE"}), "not for all");
  expect_absent(ask({.scope = "onlysomereasons=keyCompromise"}), "not for all");
  EXPECT_EQ(ask({.part_url = kPlace}).status, Status::good);
  // One part of an authority's list put in the place of another would know nothing of the leaf, and say "good".
  expect_absent(ask({.part_url = "http://crl.ca.tld/2.crl"}), "another part");
  expect_absent(ask({.part_url = kPlace}, 1), "another part");
  expect_absent(ask({.is_delta = true}), "changes only");
}

TEST_F(Crl, File_MayBeDerOrPem) {  // REV-02
  const std::string der = test::make_crl(inter), second = test::make_crl(root);
  EXPECT_EQ(RevocationList::parse(der)->size(), 1u);
  EXPECT_EQ(RevocationList::parse("a comment\n" + test::pem_of_crl(der) + test::pem_of_crl(second))->size(), 2u);
  EXPECT_EQ(parse(test::make_crl(inter, {.more = 7}))->entries(), 7u);
}

TEST_F(Crl, OtherBytes_AreNoList) {  // AB-066
  const std::string der = test::make_crl(inter, {.lists = {&leaf}});
  for (std::size_t i = 0; i < der.size(); ++i) EXPECT_FALSE(RevocationList::parse(der.substr(0, i))) << i;
  EXPECT_FALSE(RevocationList::parse(der + "x"));
  EXPECT_FALSE(RevocationList::parse("words"));
  EXPECT_FALSE(RevocationList::parse(as_text(leaf.der)));
  EXPECT_FALSE(RevocationList::parse(leaf.pem));
  EXPECT_FALSE(RevocationList::parse(test::pem_of_crl(der) + leaf.pem));
  EXPECT_FALSE(RevocationList::parse(test::pem_of_crl(der) + "-----BEGIN X509 CRL-----\nAAAA\n"));
  EXPECT_EQ(RevocationList::parse(std::string(kLargestList + 1, '0')).error().detail,
            "the revocation list is larger than 10 MiB");
  for (std::size_t i = 0; i < der.size(); ++i) {  // no flipped bit turns a revoked certificate into a good one
    std::string spoilt = der;
    spoilt[i] = static_cast<char>(spoilt[i] ^ 4);
    if (const auto lists = RevocationList::parse(spoilt)) {
      EXPECT_NE(lists->front()->look_up(*issued, 0, kNow).status, Status::good) << i;
    }
  }
}

TEST_F(Crl, WholePath_IsLookedUp) {  // REV-02
  const auto of = [](const std::string& der) { return RevocationList::parse(der)->front(); };
  const auto leaf_good = of(test::make_crl(inter)), leaf_bad = of(test::make_crl(inter, {.lists = {&leaf}}));
  const auto inter_good = of(test::make_crl(root)), inter_bad = of(test::make_crl(root, {.lists = {&inter}}));
  const auto old = of(test::make_crl(inter, {.next_update = test::day(2026, 11, 24) + hours(1)}));
  const auto status = [&](std::vector<std::shared_ptr<RevocationList>> lists) {
    return look_up(lists, *issued, kNow).status;
  };
  EXPECT_EQ(status({leaf_good}), Status::good);
  EXPECT_EQ(status({leaf_good, inter_good}), Status::good);
  EXPECT_EQ(status({inter_good}), Status::unknown);  // nobody spoke of the leaf
  EXPECT_EQ(status({leaf_good, inter_bad}), Status::revoked);
  EXPECT_EQ(status({inter_bad}), Status::revoked);
  EXPECT_EQ(status({leaf_good, leaf_bad}), Status::revoked);
  EXPECT_EQ(status({old, leaf_good}), Status::good);
  EXPECT_EQ(status({leaf_good, old}), Status::good);
  expect_absent(look_up(std::vector{old}, *issued, kNow), "is over since");
  expect_absent(look_up({}, *issued, kNow), "no CRL of its issuer is at hand");
  const std::vector bad{inter_bad};
  EXPECT_THAT(look_up(bad, *issued, kNow).evidence, HasSubstr("the CRL for CN=test intermediate says revoked"));
}

}  // namespace
}  // namespace ligase::proof
