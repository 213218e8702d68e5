#include "lab/authority.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "proof/certificate.hpp"

namespace ligase::lab {
namespace {

using ::testing::ElementsAre;

struct Read {
  explicit Read(const std::string& pem) {
    BIO* text = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
    x509 = PEM_read_bio_X509(text, nullptr, nullptr, nullptr);
    BIO_free(text);
  }
  ~Read() { X509_free(x509); }
  std::vector<std::string> dns_names() const {
    std::vector<std::string> names;
    auto* all = static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(x509, NID_subject_alt_name, nullptr, nullptr));
    for (int i = 0; i < sk_GENERAL_NAME_num(all); ++i) {
      const ASN1_STRING* name = sk_GENERAL_NAME_value(all, i)->d.ia5;
      names.emplace_back(reinterpret_cast<const char*>(ASN1_STRING_get0_data(name)), ASN1_STRING_length(name));
    }
    GENERAL_NAMES_free(all);
    return names;
  }
  X509* x509;
};

// Whether `leaf` is valid to `anchor` in these roles.
bool verifies(const Read& leaf, const Read& anchor,
              std::initializer_list<int> roles = {X509_PURPOSE_SSL_SERVER, X509_PURPOSE_SSL_CLIENT}) {
  for (const int purpose : roles) {
    X509_STORE* store = X509_STORE_new();
    X509_STORE_add_cert(store, anchor.x509);
    X509_STORE_CTX* context = X509_STORE_CTX_new();
    X509_STORE_CTX_init(context, store, leaf.x509, nullptr);
    X509_STORE_CTX_set_purpose(context, purpose);
    const bool fine = X509_verify_cert(context) == 1;
    X509_STORE_CTX_free(context);
    X509_STORE_free(store);
    if (!fine) return false;
  }
  return true;
}

TEST(LabAuthority, IssuedCertificate_IsGoodForBothRolesAndNamesOnlyWhatWasAsked) {
  const auto authority = Authority::make();
  ASSERT_TRUE(authority);
  const auto identity = authority->issue({.hosts = {"xmpp1.originating.tld"}});
  ASSERT_TRUE(identity);
  const Read leaf(identity->certificate), anchor(authority->certificate());
  EXPECT_THAT(leaf.dns_names(), ElementsAre("xmpp1.originating.tld"));
  EXPECT_TRUE(verifies(leaf, anchor));
}

TEST(LabAuthority, CertificateOfAnotherAuthority_IsNotGood) {
  const auto authority = Authority::make(), other = Authority::make();
  ASSERT_TRUE(authority && other);
  const auto identity = authority->issue({.hosts = {"xmpp1.originating.tld"}});
  ASSERT_TRUE(identity);
  EXPECT_FALSE(verifies(Read(identity->certificate), Read(other->certificate())));
}

TEST(LabAuthority, SelfSigned_IsVouchedForByNobody) {
  const auto authority = Authority::make();
  const auto identity = self_signed({.hosts = {"xmpp1.receiving.tld"}});
  ASSERT_TRUE(authority && identity);
  const Read leaf(identity->certificate);
  EXPECT_THAT(leaf.dns_names(), ElementsAre("xmpp1.receiving.tld"));
  EXPECT_FALSE(verifies(leaf, Read(authority->certificate())));
}

TEST(LabAuthority, CertificateForServersAlone_IsNoneForClients) {
  const auto authority = Authority::make();
  ASSERT_TRUE(authority);
  const auto identity = authority->issue({.hosts = {"xmpp1.receiving.tld"}, .for_clients = false});
  ASSERT_TRUE(identity);
  const Read leaf(identity->certificate), anchor(authority->certificate());
  EXPECT_TRUE(verifies(leaf, anchor, {X509_PURPOSE_SSL_SERVER}));
  EXPECT_FALSE(verifies(leaf, anchor, {X509_PURPOSE_SSL_CLIENT}));
}

TEST(LabAuthority, RevocationList_HasWhatWasRevokedAndNothingElse) {
  const auto authority = Authority::make();
  ASSERT_TRUE(authority);
  const auto revoked = authority->issue({.hosts = {"xmpp2.receiving.tld"}}),
             good = authority->issue({.hosts = {"xmpp1.receiving.tld"}});
  ASSERT_TRUE(revoked && good);
  const auto list = authority->revocation_list({revoked->certificate});
  ASSERT_TRUE(list) << list.error().detail;
  BIO* text = BIO_new_mem_buf(list->data(), static_cast<int>(list->size()));
  X509_CRL* crl = PEM_read_bio_X509_CRL(text, nullptr, nullptr, nullptr);
  BIO_free(text);
  ASSERT_NE(crl, nullptr);
  EXPECT_EQ(X509_CRL_verify(crl, X509_get0_pubkey(Read(authority->certificate()).x509)), 1);
  X509_REVOKED* entry = nullptr;
  EXPECT_EQ(X509_CRL_get0_by_cert(crl, &entry, Read(revoked->certificate).x509), 1);
  EXPECT_EQ(X509_CRL_get0_by_cert(crl, &entry, Read(good->certificate).x509), 0);
  X509_CRL_free(crl);
  EXPECT_FALSE(authority->revocation_list({"no certificate"}));
}

TEST(LabAuthority, XmppDomains_AreSrvNamesThatTheGatewayReads) {
  const auto authority = Authority::make();
  ASSERT_TRUE(authority);
  const auto identity = authority->issue({.hosts = {"xmpp1.receiving.tld"}, .xmpp_domains = {"target4.tld"}});
  ASSERT_TRUE(identity);
  const auto chain = proof::Chain::parse_pem(identity->certificate);
  ASSERT_TRUE(chain);
  EXPECT_TRUE((*chain)->names_domain(*Domain::parse("target4.tld")));
  EXPECT_FALSE((*chain)->names_host(*HostName::parse("target4.tld")));  // of no use to a web server
  EXPECT_EQ((*chain)->not_after(), identity->not_after);
}

TEST(LabAuthority, TlsaData_IsTheDigestOfTheKeyInTheCertificate) {
  const auto identity = self_signed({.hosts = {"xmpp1.receiving.tld"}});
  ASSERT_TRUE(identity);
  const Read leaf(identity->certificate);
  unsigned char* der = nullptr;
  const int size = i2d_PUBKEY(X509_get0_pubkey(leaf.x509), &der);  // re-encoded: the same for a named curve
  Bytes digest(32);
  EVP_Digest(der, size, digest.data(), nullptr, EVP_sha256(), nullptr);
  OPENSSL_free(der);
  EXPECT_EQ(identity->spki_sha256, digest);
}

TEST(LabAuthority, TheKey_BelongsToTheCertificate) {
  const auto identity = self_signed({.hosts = {"xmpp1.receiving.tld"}});
  ASSERT_TRUE(identity);
  BIO* text = BIO_new_mem_buf(identity->private_key.data(), static_cast<int>(identity->private_key.size()));
  EVP_PKEY* key = PEM_read_bio_PrivateKey(text, nullptr, nullptr, nullptr);
  BIO_free(text);
  EXPECT_EQ(X509_check_private_key(Read(identity->certificate).x509, key), 1);
  EVP_PKEY_free(key);
}

}  // namespace
}  // namespace ligase::lab
