// The lab's certification authority and the providers' certificates. Keys are P-256, live 90 days, and never leave the
// lab's folder. Whose names a certificate bears is the point of the lab: the provider's host only, but for `pkix`.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace ligase::lab {

struct Identity {
  std::string certificate;  // PEM, one certificate
  std::string private_key;  // PEM, PKCS #8
  Bytes spki_sha256;        // SHA-256 of its SubjectPublicKeyInfo: the data of a TLSA 3 1 1 record (RFC 6698 §2.1)
};

class Authority {
 public:
  static Result<Authority> make();
  Authority(Authority&&) noexcept;
  ~Authority();

  const std::string& certificate() const noexcept;  // PEM: the trust anchor
  // For both TLS roles. `names`: dNSNames, at least one.
  Result<Identity> issue(const std::vector<std::string>& names) const;

 private:
  struct State;
  explicit Authority(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// Nobody vouches for it: `dane` and `dialback` need no authority.
Result<Identity> self_signed(const std::vector<std::string>& names);

}  // namespace ligase::lab
