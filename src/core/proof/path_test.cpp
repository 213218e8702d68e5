#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "proof/certificate.hpp"
#include "support/certificates.hpp"

namespace ligase::proof {
namespace {

using test::CertificateSpec;
using test::MadeCertificate;
using test::make_certificate;
using testing::HasSubstr;

const WallTime kNow = test::day(2026, 11, 24);

class VerifyPath : public testing::Test {
 protected:
  const MadeCertificate root = test::make_root("root");
  const std::shared_ptr<const TrustAnchors> anchors = TrustAnchors::parse_pem(root.pem).value();

  static CertificateSpec authority(const std::string& name) {
    CertificateSpec spec;
    spec.common_name = name;
    spec.is_ca = true;
    return spec;
  }
  static CertificateSpec leaf(std::vector<std::string> dns = {"a.tld"}) {
    CertificateSpec spec;
    spec.common_name = "leaf";
    spec.dns = std::move(dns);
    return spec;
  }
  Result<WallTime> verify(const std::vector<MadeCertificate>& shown, WallTime now = kNow,
                          Role shown_by = Role::initiating) const {
    std::vector<Bytes> der;
    for (const MadeCertificate& one : shown) der.push_back(one.der);
    return verify_path(*Chain::parse(der).value(), *anchors, shown_by, now);
  }
  // The leaf under one intermediate.
  Result<WallTime> verify_under(const CertificateSpec& intermediate, const CertificateSpec& end) const {
    const MadeCertificate middle = make_certificate(intermediate, &root);
    return verify({make_certificate(end, &middle), middle});
  }
  static void expect(const Result<WallTime>& result, Reason reason, std::string_view text = "") {
    ASSERT_FALSE(result);
    EXPECT_EQ(name_of(result.error().reason), name_of(reason)) << result.error().detail;
    EXPECT_THAT(result.error().detail, HasSubstr(std::string(text)));
  }
};

TEST_F(VerifyPath, ValidChain_EndsAtTheEarliestNotAfter) {  // PKIX-02, PKIX-05, AB-050
  CertificateSpec middle = authority("middle");
  middle.not_after = test::day(2030, 5, 5);
  EXPECT_EQ(verify_under(middle, leaf()).value(), test::day(2030, 5, 5));
  CertificateSpec end = leaf();
  end.not_after = test::day(2027, 1, 1);
  EXPECT_EQ(verify_under(middle, end).value(), test::day(2027, 1, 1));
}

TEST_F(VerifyPath, DatesAreHeldAgainstTheTimeThatIsTold) {  // AB-052
  CertificateSpec end = leaf();
  end.not_before = test::day(2026, 6, 1);
  end.not_after = test::day(2026, 12, 1);
  const MadeCertificate made = make_certificate(end, &root);
  EXPECT_TRUE(verify({made}));
  expect(verify({made}, test::day(2026, 12, 2)), Reason::pkix_expired, "until 2026-12-01");
  expect(verify({made}, test::day(2026, 5, 31)), Reason::pkix_expired, "not yet valid");
  CertificateSpec middle = authority("old middle");
  middle.not_after = kNow - std::chrono::days(1);
  expect(verify_under(middle, leaf()), Reason::pkix_expired, "old middle");
}

TEST_F(VerifyPath, UnknownAuthority_IsNoPath) {           // AB-053
  const MadeCertificate other = test::make_root("root");  // the same name, another key
  const MadeCertificate under_other = make_certificate(leaf(), &other);
  expect(verify({test::make_self_signed({"a.tld"})}), Reason::pkix_chain, "self-signed");
  expect(verify({under_other}), Reason::pkix_chain);
  expect(verify({under_other, other}), Reason::pkix_chain);
  const MadeCertificate middle = test::make_intermediate(root);
  expect(verify({make_certificate(leaf(), &middle)}), Reason::pkix_chain, "issuer");  // intermediate not sent
}

TEST_F(VerifyPath, OnlyAnAuthorityMayIssue) {  // AB-054
  CertificateSpec no_ca = leaf();
  no_ca.common_name = "end entity";
  expect(verify_under(no_ca, leaf()), Reason::pkix_chain);
  CertificateSpec no_sign = authority("no keyCertSign");
  no_sign.key_usage = "digitalSignature";
  expect(verify_under(no_sign, leaf()), Reason::pkix_chain);
  CertificateSpec only_usage = authority("no basic constraints");
  only_usage.says_basic_constraints = false;
  expect(verify_under(only_usage, leaf()), Reason::pkix_chain);
  CertificateSpec short_path = authority("pathlen 0");
  short_path.path_length = 0;
  EXPECT_TRUE(verify_under(short_path, leaf()));
  const MadeCertificate first = make_certificate(short_path, &root);
  const MadeCertificate second = make_certificate(authority("too deep"), &first);
  expect(verify({make_certificate(leaf(), &second), second, first}), Reason::pkix_chain, "path length");
}

TEST_F(VerifyPath, WeakKeysAndSignatures_AreRefused) {  // PKIX-02
  CertificateSpec weak = leaf();
  weak.key = test::MadeKey::rsa1024;
  expect(verify({make_certificate(weak, &root)}), Reason::pkix_chain, "key too weak");
  CertificateSpec good = leaf();
  good.key = test::MadeKey::rsa2048;
  EXPECT_TRUE(verify({make_certificate(good, &root)}));
  CertificateSpec sha1 = leaf();
  sha1.signs_with_sha1 = true;
  expect(verify({make_certificate(sha1, &root)}), Reason::pkix_chain, "digest algorithm too weak");
  CertificateSpec weak_middle = authority("weak middle");
  weak_middle.key = test::MadeKey::rsa1024;
  expect(verify_under(weak_middle, leaf()), Reason::pkix_chain, "key too weak");
}

// An RSA SubjectPublicKeyInfo of these sizes; nobody has its private key.
Bytes rsa_public_key(int modulus_bits, int exponent_bits) {
  const auto number = [](int bits) {
    Bytes value(static_cast<std::size_t>(bits / 8), 0xC5);
    Bytes der{0x02, 0x82, static_cast<std::uint8_t>((value.size() + 1) >> 8),
              static_cast<std::uint8_t>(value.size() + 1), 0};
    der.insert(der.end(), value.begin(), value.end());
    return der;
  };
  const auto wrapped = [](std::uint8_t tag, const Bytes& content) {
    Bytes der{tag, 0x82, static_cast<std::uint8_t>(content.size() >> 8), static_cast<std::uint8_t>(content.size())};
    der.insert(der.end(), content.begin(), content.end());
    return der;
  };
  Bytes numbers = number(modulus_bits);
  for (const std::uint8_t byte : number(exponent_bits)) numbers.push_back(byte);
  Bytes bits{0};
  for (const std::uint8_t byte : wrapped(0x30, numbers)) bits.push_back(byte);
  Bytes key{0x30, 0x0D, 0x06, 0x09, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x01, 0x05, 0x00};  // rsaEncryption
  for (const std::uint8_t byte : wrapped(0x03, bits)) key.push_back(byte);
  return wrapped(0x30, key);
}

TEST_F(VerifyPath, GiantRsaKeys_AreNotComputedWith) {  // AB-063
  CertificateSpec fine = leaf();
  fine.public_key = rsa_public_key(4096, 64);
  EXPECT_TRUE(verify({make_certificate(fine, &root)}));
  for (const auto& [modulus, exponent] :
       {std::pair{8256, 64}, std::pair{16384, 64}, std::pair{2048, 72}, std::pair{2048, 2048}}) {
    CertificateSpec end = leaf(), middle = authority("middle");
    end.public_key = middle.public_key = rsa_public_key(modulus, exponent);
    expect(verify({make_certificate(end, &root)}), Reason::pkix_chain, "RSA key");
    expect(verify_under(middle, leaf()), Reason::pkix_chain, "RSA key");
  }
}

TEST_F(VerifyPath, NegativeSerial_ChangesNothing) {  // AB-063
  CertificateSpec end = leaf();
  end.serial = -5;
  EXPECT_TRUE(verify({make_certificate(end, &root)}));
}

TEST_F(VerifyPath, ExtendedKeyUsage_EitherTlsRoleWillDo) {  // PKIX-03
  for (const std::vector<std::string>& good : {std::vector<std::string>{},
                                               {"serverAuth"},
                                               {"clientAuth"},
                                               {"serverAuth", "clientAuth"},
                                               {"anyExtendedKeyUsage"},
                                               {"emailProtection", "clientAuth"}}) {
    CertificateSpec end = leaf();
    end.eku = good;
    EXPECT_TRUE(verify({make_certificate(end, &root)})) << testing::PrintToString(good);
  }
  for (const std::vector<std::string>& bad :
       {std::vector<std::string>{"emailProtection"}, {"codeSigning", "timeStamping"}}) {
    CertificateSpec end = leaf();
    end.eku = bad;
    expect(verify({make_certificate(end, &root)}), Reason::pkix_purpose);
    CertificateSpec middle = authority("middle");
    middle.eku = bad;
    expect(verify_under(middle, leaf()), Reason::pkix_purpose, "middle");
  }
  CertificateSpec client = authority("clients only"), server = leaf();
  client.eku = {"clientAuth"};
  server.eku = {"serverAuth"};
  expect(verify_under(client, server), Reason::pkix_purpose);  // nothing is left in common
  CertificateSpec signer = leaf();
  signer.key_usage = "cRLSign";
  expect(verify({make_certificate(signer, &root)}), Reason::pkix_purpose);
}

TEST_F(VerifyPath, ExtendedKeyUsage_ByTheRoleOfWhoShowsIt) {  // PKIX-03, D-05, AB-190
  struct Row {
    std::vector<std::string> eku;
    bool initiating, receiving;
  };
  const Row rows[] = {{{}, true, true},
                      {{"serverAuth"}, true, true},
                      {{"clientAuth"}, true, false},
                      {{"serverAuth", "clientAuth"}, true, true},
                      {{"anyExtendedKeyUsage"}, true, true},
                      {{"clientAuth", "anyExtendedKeyUsage"}, true, true},
                      {{"clientAuth", "emailProtection"}, true, false},
                      {{"emailProtection"}, false, false}};
  for (const Row& row : rows) {
    CertificateSpec end = leaf(), middle = authority("middle");
    end.eku = middle.eku = row.eku;
    const std::vector<MadeCertificate> by_leaf{make_certificate(end, &root)};
    const MadeCertificate over = make_certificate(middle, &root);
    const std::vector<MadeCertificate> by_authority{make_certificate(leaf(), &over), over};
    for (const auto& shown : {by_leaf, by_authority}) {
      const Result<WallTime> client = verify(shown, kNow, Role::initiating),
                             server = verify(shown, kNow, Role::receiving);
      EXPECT_EQ(client.has_value(), row.initiating) << testing::PrintToString(row.eku);
      EXPECT_EQ(server.has_value(), row.receiving) << testing::PrintToString(row.eku);
      if (!row.initiating) expect(client, Reason::pkix_purpose);
      if (!row.receiving) expect(server, Reason::pkix_purpose);
    }
  }
}

TEST_F(VerifyPath, DnsConstraints_BindDnsNames) {  // PKIX-02, AB-054
  CertificateSpec middle = authority("constrained");
  middle.name_constraints = {"permitted;DNS:good.tld", "excluded;DNS:bad.good.tld"};
  EXPECT_TRUE(verify_under(middle, leaf({"good.tld", "a.good.tld"})));
  expect(verify_under(middle, leaf({"evil.tld"})), Reason::pkix_constraints);
  expect(verify_under(middle, leaf({"a.bad.good.tld"})), Reason::pkix_constraints);
}

TEST_F(VerifyPath, DnsConstraints_BindSrvNameAndXmppAddrToo) {  // PKIX-02 with D-14
  CertificateSpec middle = authority("constrained");
  middle.name_constraints = {"permitted;DNS:good.tld", "permitted;DNS:.below.tld", "excluded;DNS:bad.good.tld"};
  for (const auto& [name, is_good] : std::map<std::string, bool>{{"good.tld", true},
                                                                 {"a.good.tld", true},
                                                                 {"evil.tld", false},
                                                                 {"evilgood.tld", false},
                                                                 {"bad.good.tld", false},
                                                                 {"a.bad.good.tld", false},
                                                                 {"a.below.tld", true},
                                                                 {"below.tld", false}}) {
    CertificateSpec srv = leaf({}), xmpp = leaf({});
    srv.srv = {"_xmpp-server." + name};
    xmpp.xmpp_addr = {name};
    for (const CertificateSpec& end : {srv, xmpp}) {
      const Result<WallTime> result = verify_under(middle, end);
      EXPECT_EQ(result.has_value(), is_good) << name;
      if (!is_good) expect(result, Reason::pkix_constraints, "constrained may not vouch for " + name);
    }
  }
}

TEST_F(VerifyPath, ConstraintsHigherUp_BindAsWell) {  // D-14
  CertificateSpec top = authority("top");
  top.name_constraints = {"permitted;DNS:good.tld"};
  const MadeCertificate first = make_certificate(top, &root);
  const MadeCertificate second = make_certificate(authority("second"), &first);
  CertificateSpec end = leaf({});
  end.srv = {"_xmpp-server.evil.tld"};
  expect(verify({make_certificate(end, &second), second, first}), Reason::pkix_constraints);
}

TEST_F(VerifyPath, SrvNameConstraint_RefusesTheChain) {  // PKIX-02
  CertificateSpec middle = authority("constrained");
  middle.srv_constraint = "good.tld";
  expect(verify_under(middle, leaf({"good.tld"})), Reason::pkix_constraints);
  CertificateSpec end = leaf({});
  end.srv = {"_xmpp-server.good.tld"};
  expect(verify_under(middle, end), Reason::pkix_constraints);
}

TEST_F(VerifyPath, EightIntermediates_AreTheMost) {  // PKIX-02, AB-068
  std::vector<MadeCertificate> shown;
  const MadeCertificate* issuer = &root;
  std::vector<MadeCertificate> authorities;
  authorities.reserve(9);
  for (int i = 0; i < 9; ++i) {
    authorities.push_back(make_certificate(authority("middle " + std::to_string(i)), issuer));
    issuer = &authorities.back();
    std::vector<MadeCertificate> chain(authorities.rbegin(), authorities.rend());
    chain.insert(chain.begin(), make_certificate(leaf(), issuer));
    const Result<WallTime> result = verify(chain);
    EXPECT_EQ(result.has_value(), i < 8) << i + 1 << " intermediates";
  }
}

TEST_F(VerifyPath, CrossSignedLoop_Ends) {  // AB-068
  const MadeCertificate a_seed = test::make_root("A"), b_seed = test::make_root("B");
  const MadeCertificate a = make_certificate(authority("A"), &b_seed, &a_seed);  // A signed by B
  const MadeCertificate b = make_certificate(authority("B"), &a_seed, &b_seed);  // B signed by A
  expect(verify({make_certificate(leaf(), &a), a, b}), Reason::pkix_chain);
}

TEST_F(VerifyPath, OrderAndStrangers_DoNotMatter) {
  const MadeCertificate first = test::make_intermediate(root, "first");
  const MadeCertificate second = test::make_intermediate(first, "second");
  const MadeCertificate end = make_certificate(leaf(), &second);
  EXPECT_TRUE(verify({end, first, test::make_self_signed({"stranger.tld"}), second}));
}

TEST_F(VerifyPath, AnAnchorWithoutRoot_TheShownRootIsNoAnchor) {  // AB-053
  const MadeCertificate unknown = test::make_root("unknown");
  expect(verify({make_certificate(leaf(), &unknown), unknown}), Reason::pkix_chain);
}

}  // namespace
}  // namespace ligase::proof
