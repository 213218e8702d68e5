// What DNS answers are evidence of. The resolver seam gives Answers; this file reads them. An insecure answer says where
// to connect, never who it is; a failure is never an absence.
#pragma once
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "name/address.hpp"
#include "name/domain.hpp"

namespace ligase::proof {

enum class RrType : std::uint16_t { a = 1, aaaa = 28, srv = 33, dnskey = 48, tlsa = 52 };

// RFC 4035 §4.3; indeterminate: any failure other than a denial (time-out, SERVFAIL, refused, malformed).
enum class Security : std::uint8_t { secure, insecure, bogus, indeterminate };
std::string_view name_of(Security security) noexcept;
bool is_failed(Security security) noexcept;  // bogus or indeterminate: no answer, and never an absence

// One question's answer, aliases followed, as the validating resolver gives it.
struct Answer {
  Security security = Security::indeterminate;
  std::vector<Bytes> rdata;    // uncompressed, in the order received; empty with secure/insecure: a denial
  std::string canonical_name;  // where the records stood after CNAME/DNAME; lower case, no trailing dot
  bool is_aliased = false;
  std::chrono::seconds ttl{0};                // smallest of the chain; for a denial the SOA's
  std::optional<WallTime> signatures_expire;  // earliest RRSIG expiration over the chain, where secure
  std::string why;                            // reason of a bogus or indeterminate answer, for people
  std::optional<Reason> blamed;               // what it failed for, where that is not the zone's matter
  bool is_denial() const noexcept {
    return rdata.empty() && (security == Security::secure || security == Security::insecure);
  }
};

// Of a large record set, no more is kept than is ever used: SRV as read_delegation() chooses, 16 addresses, 32 TLSA records
// (AB-226).
void keep_what_is_used(RrType type, Answer& answer);

// Why a failed answer is none: of the zone, or of what is blamed instead.
Reason reason_of(const Answer& failed) noexcept;

// min(TTL clamped to 5 min…1 d, signature expiry): until when an answer may carry a proof (DNSSEC-03).
WallTime evidence_expiry(const Answer& answer, WallTime now) noexcept;

struct SrvTarget {
  HostName host;
  std::uint16_t port;
  std::uint16_t priority, weight;
  bool operator==(const SrvTarget&) const = default;
};

// Where a domain says it is served.
struct Delegation {
  enum class Kind : std::uint8_t {
    srv,         // `targets` from SRV records
    fallback,    // a denial of SRV: the domain itself, port 5269
    no_service,  // SRV target "."
    failed,      // bogus or indeterminate: `reason`, nothing may be tried
  };
  Kind kind = Kind::failed;
  Security security = Security::indeterminate;  // of the SRV answer or denial, alias chain included
  std::vector<SrvTarget> targets;               // unordered; at most 16, port 0 skipped, duplicates once
  WallTime expires{};
  std::optional<Error> failure;
};
Delegation read_delegation(const Domain& domain, const Answer& srv, WallTime now);

// RFC 2782: by priority, weighted random within. `draw(n)` gives a number in [0, n]: randomness from outside.
template <class Draw>
std::vector<SrvTarget> order_targets(std::vector<SrvTarget> targets, Draw&& draw);

std::vector<Address> read_addresses(const Answer& answer);  // A or AAAA rdata; malformed ones skipped

// TLSA (RFC 6698 §2.1), RFC 7218's words.
enum class TlsaUsage : std::uint8_t { pkix_ta = 0, pkix_ee = 1, dane_ta = 2, dane_ee = 3 };
enum class TlsaSelector : std::uint8_t { cert = 0, spki = 1 };
enum class TlsaMatching : std::uint8_t { full = 0, sha256 = 1, sha512 = 2 };
struct TlsaRecord {
  TlsaUsage usage;
  TlsaSelector selector;
  TlsaMatching matching;
  Bytes data;
  std::string text() const;  // "3 1 1 9f86d0…" cut for a log line
  bool operator==(const TlsaRecord&) const = default;
};
struct TlsaSet {
  Security security = Security::indeterminate;
  std::vector<TlsaRecord> usable;  // RFC 7671 §4, §9 (digest agility applied); at most 32 looked at
  bool has_records = false;        // present, even if none is usable (O-12)
  std::string owner;               // "_5269._tcp.xmpp1.receiving.tld"
  WallTime expires{};
  std::string why;
};
TlsaSet read_tlsa(std::string owner, const Answer& answer, WallTime now);

template <class Draw>
std::vector<SrvTarget> order_targets(std::vector<SrvTarget> targets, Draw&& draw) {
  std::vector<SrvTarget> ordered;
  ordered.reserve(targets.size());
  while (!targets.empty()) {
    std::uint16_t lowest = 65535;
    for (const SrvTarget& target : targets) lowest = std::min(lowest, target.priority);
    // Weight 0 first, so that it is seldom chosen while heavier ones remain (RFC 2782).
    std::stable_sort(targets.begin(), targets.end(), [](const SrvTarget& a, const SrvTarget& b) {
      return a.priority != b.priority ? a.priority < b.priority : (a.weight == 0) > (b.weight == 0);
    });
    std::uint32_t total = 0;
    std::size_t count = 0;
    while (count < targets.size() && targets[count].priority == lowest) total += targets[count++].weight;
    const std::uint32_t drawn = draw(total);
    std::uint32_t sum = 0;
    std::size_t chosen = 0;
    for (; chosen + 1 < count; ++chosen) {
      sum += targets[chosen].weight;
      if (sum >= drawn) break;
    }
    ordered.push_back(targets[chosen]);
    targets.erase(targets.begin() + static_cast<std::ptrdiff_t>(chosen));
  }
  return ordered;
}

}  // namespace ligase::proof
