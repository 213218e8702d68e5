// Keys and CAs by which names were proven before (AB-069): a CA that was talked into a certificate for somebody else's name
// shows as another key from another CA where a renewal changes one of them. It never refuses anything: who wants that
// publishes a TLSA. A name has as many known keys as a cluster of servers may show.
#pragma once
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/time.hpp"

namespace ligase::proof {

struct KnownKey {
  std::string key;     // SHA-256 of the SubjectPublicKeyInfo, 64 hex digits
  std::string issuer;  // Chain::issuer()
  WallTime first_seen, last_seen;
  bool operator==(const KnownKey&) const = default;
};

class KnownKeys {
 public:
  // `most`: names. When it is full, newcomers are not remembered: a flood must not wash out whom we know for long.
  explicit KnownKeys(std::size_t most = 50'000) : most_(most) {}

  struct Noted {
    // Another key from another CA than all known ones: the one seen last before it.
    std::optional<KnownKey> before;
    bool is_worth_keeping = false;  // what text_of() says is new, or has moved on by a day
  };
  Noted note(std::string_view name, std::string_view key, std::string_view issuer, WallTime now);

  std::string text_of(std::string_view name) const;  // empty: unknown
  // A name seen for less than a day is forgotten after a week, any other after half a year without it.
  WallTime expires(std::string_view name) const;
  // What text_of() said; anything else, and what lies in the future, is passed over.
  void recall(std::string_view name, std::string_view text, WallTime now);
  void forget_expired(WallTime now);

  std::size_t size() const noexcept { return names_.size(); }

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept { return std::hash<std::string_view>{}(text); }
  };
  std::size_t most_;
  std::unordered_map<std::string, std::vector<KnownKey>, Hash, std::equal_to<>> names_;  // at most kMostKeys each
};

}  // namespace ligase::proof
