// Credentials that must be refused before the gateway starts with them (AB-164), and the choice by domain.
#include "tls/contexts.hpp"

#include <gmock/gmock.h>

#include "support/certificates.hpp"

namespace ligase::tls {
namespace {

using ::testing::HasSubstr;

const test::MadeCertificate& gateway() {
  static const auto made = test::make_self_signed({"gw.tld"});
  return made;
}
Credential credential(const test::MadeCertificate& made) { return {made.pem, made.key_pem, "gw.pem"}; }

TEST(Contexts, GoodCredential_IsUsable) { EXPECT_TRUE(check(credential(gateway()))); }

// AB-164
TEST(Contexts, KeyOfAnotherCertificate_IsRefused) {
  auto mixed = credential(gateway());
  mixed.private_key_pem = test::make_self_signed({"other.tld"}).key_pem;
  const auto result = check(mixed);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().reason, Reason::config_invalid);
  EXPECT_THAT(result.error().detail, HasSubstr("gw.pem: the private key is not the certificate's"));
}

// AB-164: a date is for whoever judges the whole configuration; peers that match keys take it all the same.
TEST(Contexts, Expired_IsUsable) {
  test::CertificateSpec spec;
  spec.dns = {"gw.tld"};
  spec.not_after = test::day(2026, 1, 2);
  EXPECT_TRUE(check(credential(test::make_certificate(spec))));
}

// AB-164
TEST(Contexts, BadPem_IsRefused) {
  EXPECT_THAT(check({"", gateway().key_pem, "gw.pem"}).error().detail, HasSubstr("no readable certificate"));
  EXPECT_THAT(check({"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", gateway().key_pem, "gw.pem"})
                  .error()
                  .detail,
              HasSubstr("no readable certificate"));
  // A good first certificate with rubbish behind it: the chain would be missing.
  EXPECT_FALSE(check(
      {gateway().pem + "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", gateway().key_pem, "gw.pem"}));
  EXPECT_THAT(check({gateway().pem, "no key", "gw.pem"}).error().detail, HasSubstr("no readable private key"));
}

// AB-164
TEST(Contexts, EncryptedKey_IsRefusedAndNamed) {
  const auto key = test::detail::read_key(gateway().key_pem);
  const test::detail::BioPtr bio(BIO_new(BIO_s_mem()));
  ASSERT_EQ(PEM_write_bio_PKCS8PrivateKey(bio.get(), key.get(), EVP_aes_128_cbc(), "secret", 6, nullptr, nullptr), 1);
  const auto result = check({gateway().pem, test::detail::take(bio.get()), "gw.pem"});
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().detail, HasSubstr("its private key is encrypted"));
  EXPECT_THAT(result.error().detail, ::testing::Not(HasSubstr("secret")));
}

// AB-043
TEST(Contexts, WeakKey_IsRefused) {
  test::CertificateSpec spec;
  spec.dns = {"gw.tld"};
  spec.key = test::MadeKey::rsa1024;
  const auto result = check(credential(test::make_certificate(spec)));
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().detail, HasSubstr("key too small"));
}

// TLS-02
TEST(Contexts, DomainWithItsOwn_IsChosen_OthersGetTheGateways) {
  const auto other = test::make_self_signed({"target1.tld"});
  const Domain domain = *Domain::parse("target1.tld");
  const auto contexts = *Contexts::make(credential(gateway()), {{{domain}, credential(other)}}, MinimumVersion::tls12);
  EXPECT_NE(contexts->choose(domain), contexts->choose(std::nullopt));
  EXPECT_EQ(contexts->choose(*Domain::parse("target2.tld")), contexts->choose(std::nullopt));
  EXPECT_EQ(contexts->by_server_name("Target1.TLD."), contexts->choose(domain));
  EXPECT_EQ(contexts->by_server_name("target2.tld"), nullptr);
  EXPECT_EQ(contexts->by_server_name(std::string(300, 'a')), nullptr);
}

}  // namespace
}  // namespace ligase::tls
