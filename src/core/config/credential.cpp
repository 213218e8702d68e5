// Do a certificate and a private key, as PEM, hold what they should, and do they belong together (AB-164)?
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <memory>

#include "config/sections.hpp"

namespace ligase::config {
namespace {

template <auto free>
struct Freed {
  template <class T>
  void operator()(T* object) const noexcept {
    free(object);
  }
};
using Bio = std::unique_ptr<BIO, Freed<BIO_free_all>>;
using Certificate = std::unique_ptr<X509, Freed<X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;

Bio reading(std::string_view text) { return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))); }

// No terminal is ever asked: a gateway starts alone.
int no_passphrase(char*, int, int, void* was_asked) {
  *static_cast<bool*>(was_asked) = true;
  return -1;
}

}  // namespace

std::optional<CredentialFault> check_credential(std::string_view certificate_pem, std::string_view key_pem) {
  const Bio certificate_bio = reading(certificate_pem), key_bio = reading(key_pem);
  const Certificate leaf(PEM_read_bio_X509(certificate_bio.get(), nullptr, nullptr, nullptr));
  bool is_encrypted = false;
  const Key key(PEM_read_bio_PrivateKey(key_bio.get(), nullptr, no_passphrase, &is_encrypted));
  const bool do_match = leaf && key && X509_check_private_key(leaf.get(), key.get()) == 1;
  ERR_clear_error();
  if (!leaf) return CredentialFault{false, "holds no PEM certificate", "put the chain there, leaf first"};
  if (!key && is_encrypted) {
    return CredentialFault{true, "is encrypted, and nobody is there to type a passphrase",
                           "decrypt it (openssl pkey -in OLD -out NEW) and protect it by its modes"};
  }
  if (!key) return CredentialFault{true, "holds no PEM private key", "put the certificate's private key there"};
  if (!do_match) {
    return CredentialFault{true, "is not the key of the first certificate in the certificate file",
                           "put the leaf first there, or name the key that belongs to it"};
  }
  return std::nullopt;
}

}  // namespace ligase::config
