#include "proof/certificate.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/certificates.hpp"

namespace ligase::proof {
namespace {

using test::CertificateSpec;
using test::MadeCertificate;
using test::make_certificate;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Domain domain(std::string_view text) { return Domain::parse(text).value(); }
HostName host(std::string_view text) { return HostName::parse(text).value(); }

std::shared_ptr<const Chain> chain_of(const CertificateSpec& spec) {
  return Chain::parse({make_certificate(spec).der}).value();
}
std::shared_ptr<const Chain> with_dns(std::vector<std::string> names) {
  CertificateSpec spec;
  spec.dns = std::move(names);
  return chain_of(spec);
}
std::shared_ptr<const Chain> with_srv(std::vector<std::string> names) {
  CertificateSpec spec;
  spec.srv = std::move(names);
  return chain_of(spec);
}
std::shared_ptr<const Chain> with_xmpp_addr(std::vector<std::string> names) {
  CertificateSpec spec;
  spec.xmpp_addr = std::move(names);
  return chain_of(spec);
}
std::vector<std::string> shown(const Chain& chain) {
  std::vector<std::string> out;
  for (const PresentedId& id : chain.names()) {
    const char* const form = id.form == NameForm::dns ? "dns:" : id.form == NameForm::srv ? "srv:" : "xmpp:";
    out.push_back(form + std::string(id.is_wildcard ? "*." : "") + id.name);
  }
  return out;
}

TEST(CertificateNames, ThreeForms_AreReadAndCompared) {  // PKIX-01, AB-050
  CertificateSpec spec;
  spec.dns = {"XMPP1.Originating.tld", "*.hosts.tld"};
  spec.srv = {"_xmpp-server.sender1.tld"};
  spec.xmpp_addr = {"sender2.tld"};
  const auto chain = chain_of(spec);
  EXPECT_THAT(shown(*chain),
              ElementsAre("dns:xmpp1.originating.tld", "dns:*.hosts.tld", "srv:sender1.tld", "xmpp:sender2.tld"));
  for (const char* const name : {"xmpp1.originating.tld", "a.hosts.tld", "sender1.tld", "sender2.tld"})
    EXPECT_TRUE(chain->names_domain(domain(name))) << name;
  for (const char* const name : {"originating.tld", "sender3.tld", "a.sender1.tld", "hosts.tld", "evilsender1.tld"})
    EXPECT_FALSE(chain->names_domain(domain(name))) << name;  // AB-051
}

TEST(CertificateNames, HostIsNamedByDnsNameOnly) {  // PKIX-01
  CertificateSpec spec;
  spec.dns = {"a.tld"};
  spec.srv = {"_xmpp-server.b.tld"};
  spec.xmpp_addr = {"c.tld"};
  const auto chain = chain_of(spec);
  EXPECT_TRUE(chain->names_host(host("a.tld")));
  EXPECT_FALSE(chain->names_host(host("b.tld")));
  EXPECT_FALSE(chain->names_host(host("c.tld")));
}

TEST(CertificateNames, Wildcard_IsTheWholeLeftMostLabelForOneLabel) {  // AB-055
  const auto chain = with_dns({"*.d.tld"});
  EXPECT_TRUE(chain->names_domain(domain("a.d.tld")));
  EXPECT_TRUE(chain->names_host(host("a.d.tld")));
  EXPECT_FALSE(chain->names_domain(domain("d.tld")));
  EXPECT_FALSE(chain->names_domain(domain("a.b.d.tld")));
  for (const char* const bad : {"*", "*.com", "a.*.d.tld", "*.*.d.tld", "*..d.tld", "**.d.tld", "*."})
    EXPECT_THAT(shown(*with_dns({bad})), IsEmpty()) << bad;
}

TEST(CertificateNames, PartialWildcard_IsNoName) {  // AB-056
  for (const char* const bad : {"r*.d.tld", "*r.d.tld", "r*s.d.tld", "xn--*bcher-kva.d.tld", "xn--*.d.tld"})
    EXPECT_THAT(shown(*with_dns({bad})), IsEmpty()) << bad;
  EXPECT_TRUE(with_dns({"*.xn--bcher-kva.tld"})
                  ->names_domain(domain("a.b\xC3\xBC"
                                        "cher.tld")));
}

TEST(CertificateNames, MalformedDnsName_IsIgnoredByItself) {  // AB-057
  const auto chain = with_dns({std::string("good.tld\0.evil.tld", 18), "bad.tld\n", "bad .tld", "bad.tld.", " bad.tld",
                               "b\xC3\xA4"
                               "d.tld",
                               "", ".", "bad..tld", "-bad.tld", std::string(64, 'a') + ".tld", "fine.tld"});
  EXPECT_THAT(shown(*chain), ElementsAre("dns:fine.tld"));
  EXPECT_FALSE(chain->names_domain(domain("good.tld")));
}

TEST(CertificateNames, CommonName_IsNeverAnIdentity) {  // AB-058
  CertificateSpec spec;
  spec.common_name = "sender1.tld";
  EXPECT_THAT(shown(*chain_of(spec)), IsEmpty());
  spec.dns = {"other.tld"};
  EXPECT_FALSE(chain_of(spec)->names_domain(domain("sender1.tld")));
  spec.common_name = "x, CN = sender1.tld";
  EXPECT_FALSE(chain_of(spec)->names_domain(domain("sender1.tld")));
}

TEST(CertificateNames, SrvNameOfAnotherService_DoesNotCount) {  // AB-059
  for (const char* const bad : {"_xmpp-client.d.tld", "_smtp.d.tld", "_xmpp-server._tcp.d.tld", "_xmpp-server.*.d.tld",
                                "_xmpp-server.*", "d.tld", "_xmpp-server.", "_xmpp-serverd.tld", "xmpp-server.d.tld",
                                "_xmpp-server.d.tld.", "_xmpp-server.d\xC3\xA4.tld"})
    EXPECT_THAT(shown(*with_srv({bad})), IsEmpty()) << bad;
  EXPECT_TRUE(with_srv({"_XMPP-Server.D.tld"})->names_domain(domain("d.tld")));
  EXPECT_FALSE(with_srv({"_xmpp-server.d.tld"})->names_domain(domain("a.d.tld")));
  CertificateSpec spec;
  spec.raw_names = {test::raw_other_name(test::kSrvNameOid, V_ASN1_UTF8STRING, "_xmpp-server.d.tld")};
  EXPECT_THAT(shown(*chain_of(spec)), IsEmpty());  // the wrong string type
}

TEST(CertificateNames, XmppAddrThatIsNoBareDomain_IsIgnored) {  // AB-060
  for (const char* const bad : {"user@d.tld", "d.tld/res", "", "\xFF\xFE.tld", "*.d.tld", "d..tld", "@d.tld", "d.tld/"})
    EXPECT_THAT(shown(*with_xmpp_addr({bad})), IsEmpty()) << bad;
  CertificateSpec spec;
  spec.raw_names = {test::raw_other_name(test::kXmppAddrOid, V_ASN1_IA5STRING, "d.tld"),
                    test::raw_other_name("1.3.6.1.5.5.7.8.9", V_ASN1_UTF8STRING, "d.tld")};
  EXPECT_THAT(shown(*chain_of(spec)), IsEmpty());
  EXPECT_TRUE(with_xmpp_addr({"B\xC3\xBC"
                              "cher.tld"})
                  ->names_domain(domain("xn--bcher-kva.tld")));
}

TEST(CertificateNames, AddressAndUri_NeverNameADomain) {  // AB-064
  CertificateSpec spec;
  spec.ip = {"192.0.2.1"};
  spec.uri = {"xmpp://d.tld", "d.tld"};
  spec.email = {"d.tld"};
  spec.dns = {"192.0.2.1", "127.1"};
  const auto chain = chain_of(spec);
  EXPECT_THAT(shown(*chain), IsEmpty());
  EXPECT_FALSE(chain->names_domain(domain("d.tld")));
}

TEST(CertificateNames, TenThousandNames_AThousandAreLookedAt) {  // AB-063
  CertificateSpec spec;
  for (int i = 0; i < 4000; ++i) spec.dns.push_back("n" + std::to_string(i) + ".tld");
  const auto chain = chain_of(spec);
  EXPECT_EQ(chain->names().size(), 1000u);
  EXPECT_TRUE(chain->names_domain(domain("n999.tld")));
  EXPECT_FALSE(chain->names_domain(domain("n1000.tld")));
  for (int i = 0; i < 6000; ++i) spec.dns.push_back("n" + std::to_string(i) + ".tld");
  EXPECT_EQ(Chain::parse({make_certificate(spec).der}).error().reason, Reason::pkix_chain);  // over 64 KiB
}

TEST(CertificateChain, ListOfNothing_IsNoCertificate) {  // AB-049
  EXPECT_EQ(Chain::parse({}).error().reason, Reason::certificate_none);
  EXPECT_EQ(Chain::parse_pem("").error().reason, Reason::certificate_none);
  EXPECT_EQ(Chain::parse_pem("no PEM").error().reason, Reason::certificate_none);
}

TEST(CertificateChain, MoreThanTenCertificatesOr64KiB_IsRefused) {  // AB-049
  const Bytes one = test::make_self_signed({"a.tld"}).der;
  EXPECT_TRUE(Chain::parse(std::vector<Bytes>(10, one)));
  EXPECT_EQ(Chain::parse(std::vector<Bytes>(11, one)).error().reason, Reason::pkix_chain);
  CertificateSpec big;
  for (int i = 0; i < 1000; ++i) big.dns.push_back("name" + std::to_string(i) + ".tld");
  const Bytes large = make_certificate(big).der;
  ASSERT_GT(large.size() * 6, 64u * 1024);
  EXPECT_EQ(Chain::parse(std::vector<Bytes>(6, large)).error().reason, Reason::pkix_chain);
}

TEST(CertificateChain, BytesThatAreNoCertificate_AreRefused) {  // AB-063
  const Bytes good = test::make_self_signed({"a.tld"}).der;
  Bytes longer = good, shorter = good;
  longer.push_back(0);
  shorter.pop_back();
  for (const Bytes& bad : {Bytes{}, Bytes{0x30}, Bytes{0x30, 0x80}, longer, shorter, Bytes(1000, 0x30)}) {
    EXPECT_EQ(Chain::parse({bad}).error().reason, Reason::pkix_chain);
    EXPECT_THAT(Chain::parse({good, bad}).error().detail, HasSubstr("certificate 2"));
  }
}

TEST(CertificateChain, EveryByteFlipped_IsRefusedOrHarmless) {  // AB-063
  CertificateSpec spec;
  spec.dns = {"a.tld"};
  spec.srv = {"_xmpp-server.b.tld"};
  spec.xmpp_addr = {"c.tld"};
  const Bytes good = make_certificate(spec).der;
  std::size_t parsed = 0;
  for (std::size_t i = 0; i < good.size(); ++i) {
    Bytes changed = good;
    changed[i] ^= 0x20;
    if (const auto chain = Chain::parse({changed})) {
      ++parsed;
      EXPECT_LE((*chain)->names().size(), 3u);
      EXPECT_FALSE((*chain)->subject().empty());
    }
  }
  EXPECT_GT(parsed, 0u);
}

TEST(CertificateChain, FactsOfTheLeaf_AreReadable) {
  CertificateSpec spec;
  spec.common_name = "line\nbreak \"quoted\"";
  spec.not_before = test::day(2026, 3, 1) + std::chrono::hours(5);
  spec.not_after = test::day(2061, 3, 1) + std::chrono::seconds(59);
  const MadeCertificate made = make_certificate(spec);
  const auto chain = Chain::parse({made.der}).value();
  EXPECT_EQ(chain->not_before(), spec.not_before);
  EXPECT_EQ(chain->not_after(), spec.not_after);
  EXPECT_EQ(chain->subject().find('\n'), std::string::npos);  // AB-110
  EXPECT_THAT(chain->subject(), HasSubstr("CN="));
  EXPECT_EQ(chain->fingerprint(), hex(test::sha256(made.der)));
  EXPECT_EQ(chain->der(0), made.der);
  const auto two = Chain::parse({made.der, test::make_root().der}).value();
  EXPECT_EQ(two->fingerprint(), chain->fingerprint());
  EXPECT_NE(two->chain_fingerprint(), chain->chain_fingerprint());
}

// AB-069: what is held against what was seen before.
TEST(CertificateChain, KeyAndIssuer_AreThoseOfTheLeaf) {
  CertificateSpec authority;
  authority.common_name = "R3";
  authority.organization = "Let \"us\" Encrypt";
  authority.is_ca = true;
  const MadeCertificate named = make_certificate(authority);
  const MadeCertificate leaf = test::make_leaf(named, {"target.tld"});
  const auto chain = Chain::parse({leaf.der, named.der}).value();
  EXPECT_EQ(chain->key_fingerprint(), hex(test::sha256(leaf.spki)));
  EXPECT_EQ(chain->issuer(), "Let \\\"us\\\" Encrypt");
  const auto other = Chain::parse({test::make_leaf(test::make_root("R4"), {"target.tld"}).der}).value();
  EXPECT_EQ(other->issuer(), "CN=R4");
  EXPECT_NE(other->key_fingerprint(), chain->key_fingerprint());
}

TEST(CertificateChain, PemWithKeyAndChain_IsReadLeafFirst) {
  const MadeCertificate root = test::make_root();
  const MadeCertificate leaf = test::make_leaf(root, {"a.tld"});
  const auto chain = Chain::parse_pem(leaf.key_pem + "comment\n" + leaf.pem + root.pem).value();
  ASSERT_EQ(chain->size(), 2u);
  EXPECT_EQ(chain->der(0), leaf.der);
  EXPECT_EQ(chain->der(1), root.der);
  std::string broken = leaf.pem + root.pem;
  broken[leaf.pem.size() + 60] = '!';
  EXPECT_FALSE(Chain::parse_pem(broken));
}

TEST(TrustAnchors, PemFile_GivesAllItsCertificates) {
  const auto anchors = TrustAnchors::parse_pem(test::make_root("a").pem + test::make_root("b").pem).value();
  EXPECT_EQ(anchors->size(), 2u);
  EXPECT_EQ(TrustAnchors::parse_pem("").error().reason, Reason::file_unreadable);
}

}  // namespace
}  // namespace ligase::proof
