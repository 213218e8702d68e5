// The lab's certification authority and the providers' certificates. Keys are P-256 and never leave the
// lab's folder. Whose names a certificate bears is the point of the lab: the provider's host only, but for `pkix` and `mixed`.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "base/time.hpp"

namespace ligase::lab {

struct Wanted {
  std::vector<std::string> hosts;              // dNSNames; the first is the subject's common name too
  std::vector<std::string> xmpp_domains = {};  // SRVNames _xmpp-server.D (RFC 4985)
  Duration lifetime = std::chrono::hours(90 * 24);
  bool for_clients = true;  // false: its extended key usage is serverAuth alone, as public CAs have it
};

struct Identity {
  std::string certificate = {};  // PEM, one certificate
  std::string private_key = {};  // PEM, PKCS #8
  Bytes spki_sha256 = {};  // SHA-256 of its SubjectPublicKeyInfo: the data of a TLSA 3 1 1 record (RFC 6698 §2.1)
  WallTime not_after{};
};

class Authority {
 public:
  static Result<Authority> make();
  Authority(Authority&&) noexcept;
  ~Authority();

  const std::string& certificate() const noexcept;  // PEM: the trust anchor
  // At least one host.
  Result<Identity> issue(const Wanted& wanted) const;
  // What it has revoked, a minute ago: a list (RFC 5280 §5) in PEM, good for a day. `certificates`: in PEM, of its own.
  Result<std::string> revocation_list(const std::vector<std::string>& certificates) const;

 private:
  struct State;
  explicit Authority(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// Nobody vouches for it: `dane` and `dialback` need no authority.
Result<Identity> self_signed(const Wanted& wanted);

}  // namespace ligase::lab
