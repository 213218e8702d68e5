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

// Is this credential usable at `now`? Reason::config_invalid: bad PEM, encrypted key, key of another certificate,
// expired or not yet valid, weaker than security level 2 allows. Each says what to do.
Result<void> check(const Credential& credential, WallTime now);

enum class MinimumVersion : std::uint8_t { tls12, tls13 };

class Contexts {
 public:
  struct For {
    std::vector<Domain> domains;
    Credential credential;
  };
  // The first unusable credential's error, as check() words it.
  static Result<std::shared_ptr<const Contexts>> make(const Credential& own, const std::vector<For>& others,
                                                      MinimumVersion minimum, WallTime now);
  ~Contexts();

  // The identity's if it has one, else the gateway's own.
  ssl_ctx_st* choose(const std::optional<Domain>& identity) const noexcept;
  bool has_own_for(const std::optional<Domain>& identity) const noexcept;
  // By a client's SNI, any case, perhaps with a trailing dot; null: no [[tls.for]] names it.
  ssl_ctx_st* by_server_name(std::string_view name) const;

 private:
  struct Free {
    void operator()(ssl_ctx_st* context) const noexcept;
  };
  using Context = std::unique_ptr<ssl_ctx_st, Free>;

  Contexts() = default;
  static Result<Context> make_context(const Credential& credential, MinimumVersion minimum, WallTime now);

  std::vector<Context> contexts_;  // the gateway's own first
  std::unordered_map<std::string, ssl_ctx_st*> by_domain_;
};

}  // namespace ligase::tls
