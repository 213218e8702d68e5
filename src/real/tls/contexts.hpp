// Whose certificate we show: the gateway's own, and others by domain ([[tls.for]], TLS-02), each with the settings of
// RFC 9325 and TLS-01: TLS 1.2 or later, forward-secret AEAD suites, security level 2, no compression, renegotiation,
// tickets, early data or session cache (AB-043, AB-044, AB-047). Immutable; replaced as a whole at reload.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"
#include "name/domain.hpp"

struct ssl_ctx_st;

namespace ligase::tls {

// PEM texts: the certificate first, its intermediates behind it; the key unencrypted.
struct Credential {
  std::string certificate_pem, private_key_pem;
  std::string where;  // for messages: the file's name
};

// Is this credential usable? Reason::config_invalid: bad PEM, encrypted key, key of another certificate, weaker than
// security level 2 allows. Each says what to do. Its dates are the caller's to judge: a peer that matches the key takes
// an expired certificate.
Result<void> check(const Credential& credential);

// OCSP responses for certificates of ours, stapled to each handshake that asks for one (RFC 6066 §8, RFC 8446 §4.4.2.1).
// Replaced at run time, which Contexts are not, and kept when those are replaced. One loop's object, not locked.
class Staples {
 public:
  // Of the leaf with this fingerprint (SHA-256, lower-case hex); DER, empty: none.
  void set(const std::string& fingerprint, std::string der) { by_leaf_[fingerprint] = std::move(der); }
  std::string_view find(const std::string& fingerprint) const {  // until the next set()
    const auto found = by_leaf_.find(fingerprint);
    return found == by_leaf_.end() ? std::string_view() : std::string_view(found->second);
  }

 private:
  std::unordered_map<std::string, std::string> by_leaf_;  // as many as there are credentials
};

enum class MinimumVersion : std::uint8_t { tls12, tls13 };

class Contexts {
 public:
  struct For {
    std::vector<Domain> domains;
    Credential credential;
  };
  // The first unusable credential's error, as check() words it.
  static Result<std::shared_ptr<const Contexts>> make(const Credential& own, const std::vector<For>& others,
                                                      MinimumVersion minimum,
                                                      std::shared_ptr<const Staples> staples = nullptr);
  ~Contexts();

  // The identity's if it has one, else the gateway's own.
  ssl_ctx_st* choose(const std::optional<Domain>& identity) const noexcept;
  bool has_own_for(const std::optional<Domain>& identity) const noexcept;
  // By a client's SNI, any case, perhaps with a trailing dot; null: no [[tls.for]] names it.
  ssl_ctx_st* by_server_name(std::string_view name) const;

  // What a session of this context staples; "": nothing.
  static std::string_view staple_of(ssl_ctx_st* context);

 private:
  struct Free {
    void operator()(ssl_ctx_st* context) const noexcept;
  };
  using Context = std::unique_ptr<ssl_ctx_st, Free>;

  Contexts() = default;
  Result<ssl_ctx_st*> add(const Credential& credential, MinimumVersion minimum);

  std::shared_ptr<const Staples> staples_;
  struct Shown {  // what a context is reached by
    Context context;
    std::string fingerprint;  // of its leaf
    std::shared_ptr<const Staples> staples;
  };
  std::vector<std::unique_ptr<const Shown>> shown_;  // the gateway's own first
  std::unordered_map<std::string, ssl_ctx_st*> by_domain_;
};

}  // namespace ligase::tls
