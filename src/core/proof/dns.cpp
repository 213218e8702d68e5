// Reads SRV (RFC 2782), A, AAAA and TLSA (RFC 6698 §2.1) rdata. Malformed records are skipped, each by itself; what a
// failed look-up would have said is never guessed.
#include "proof/dns.hpp"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <memory>
#include <set>
#include <utility>

namespace ligase::proof {
namespace {

constexpr std::size_t kMostTargets = 16;         // DNS-02
constexpr std::size_t kMostTlsa = 32;            // AB-133
constexpr std::size_t kMostAddresses = 16;       // of a family; who serves a domain has no more
constexpr std::uint16_t kXmppServerPort = 5269;  // RFC 6120 §14.7
constexpr auto kShortestLife = std::chrono::minutes(5);
constexpr auto kLongestLife = std::chrono::hours(24);
constexpr std::size_t kShownDigits = 16;

std::uint16_t number_at(const Bytes& rdata, std::size_t at) noexcept {
  return static_cast<std::uint16_t>(rdata[at] << 8 | rdata[at + 1]);
}

// An uncompressed wire name that fills the rest of `rdata` exactly; "." gives an empty text, bad wire nullopt.
std::optional<std::string> wire_name(const Bytes& rdata, std::size_t at) {
  std::string name;
  while (at < rdata.size()) {
    const std::size_t length = rdata[at++];
    if (length == 0) return at == rdata.size() ? std::optional(name) : std::nullopt;
    if (length > 63 || length > rdata.size() - at || name.size() + length > 254) return std::nullopt;
    if (!name.empty()) name += '.';
    for (const std::uint8_t byte : BytesView(rdata).subspan(at, length)) {
      if (byte == '.') return std::nullopt;  // a dot inside a label would read as two labels
      name += static_cast<char>(byte);
    }
    at += length;
  }
  return std::nullopt;
}

struct SrvRecords {
  std::vector<SrvTarget> targets;
  bool says_none = false;  // one record, target "."
  bool has_port_0 = false;
};

SrvRecords read_srv(const std::vector<Bytes>& all) {
  SrvRecords records;
  for (const Bytes& rdata : all) {
    if (rdata.size() < 7) continue;
    const std::optional<std::string> name = wire_name(rdata, 6);
    if (!name) continue;
    if (name->empty()) {
      records.says_none = all.size() == 1;
      continue;
    }
    const std::uint16_t port = number_at(rdata, 4);
    if (port == 0) {
      records.has_port_0 = true;
      continue;
    }
    if (Result<HostName> host = HostName::parse(*name))
      records.targets.push_back({*std::move(host), port, number_at(rdata, 0), number_at(rdata, 2)});
  }
  return records;
}

// By priority, each host and port once, and the first 16 of that. `target_of` gives what an element says.
template <class Element, class TargetOf>
void keep_best(std::vector<Element>& all, TargetOf target_of) {
  std::ranges::stable_sort(all, {}, [&](const Element& one) { return target_of(one).priority; });
  std::set<std::pair<std::string, std::uint16_t>> seen;
  std::vector<Element> kept;
  for (Element& one : all) {
    if (kept.size() == kMostTargets) break;
    const SrvTarget& target = target_of(one);
    if (seen.emplace(target.host.text(), target.port).second) kept.push_back(std::move(one));
  }
  all = std::move(kept);
}

// The records that read_delegation() would choose; where it would choose none, the first ones, which say why.
void keep_best_srv(std::vector<Bytes>& all) {
  using Record = std::pair<SrvTarget, Bytes>;
  std::vector<Record> usable;
  for (Bytes& rdata : all) {
    const std::vector<SrvTarget> target = read_srv({rdata}).targets;
    if (!target.empty()) usable.emplace_back(target.front(), std::move(rdata));
  }
  if (usable.empty()) return all.resize(kMostTargets);
  keep_best(usable, [](const Record& record) -> const SrvTarget& { return record.first; });
  all.clear();
  for (Record& record : usable) all.push_back(std::move(record.second));
}

Error failure_of(const Answer& answer, std::string_view question) {
  const bool is_bogus = answer.security == Security::bogus && !answer.blamed;
  std::string detail = fmt::format("{} {}", question, is_bogus ? "is bogus" : "could not be had");
  if (!answer.why.empty()) detail += ": " + escaped(answer.why);
  return Error{reason_of(answer), std::move(detail)};
}

struct Freed {
  void operator()(X509* p) const noexcept { X509_free(p); }
  void operator()(EVP_PKEY* p) const noexcept { EVP_PKEY_free(p); }
};

// Full(0) data must be what its selector says, whole.
bool is_whole(TlsaSelector selector, const Bytes& data) {
  const unsigned char* at = data.data();
  const auto size = static_cast<long>(data.size());
  bool is_read = false;
  switch (selector) {
    case TlsaSelector::cert:
      is_read = std::unique_ptr<X509, Freed>(d2i_X509(nullptr, &at, size)) != nullptr;
      break;
    case TlsaSelector::spki:
      is_read = std::unique_ptr<EVP_PKEY, Freed>(d2i_PUBKEY(nullptr, &at, size)) != nullptr;
      break;
  }
  ERR_clear_error();
  return is_read && at == data.data() + data.size();
}

bool is_well_formed(const TlsaRecord& record) {
  switch (record.matching) {
    case TlsaMatching::full:
      return is_whole(record.selector, record.data);
    case TlsaMatching::sha256:
      return record.data.size() == 32;
    case TlsaMatching::sha512:
      return record.data.size() == 64;
  }
  return false;
}

std::optional<TlsaRecord> read_tlsa_record(const Bytes& rdata) {
  if (rdata.size() < 4 || rdata[0] > 3 || rdata[1] > 1 || rdata[2] > 2) return std::nullopt;
  TlsaRecord record{static_cast<TlsaUsage>(rdata[0]), static_cast<TlsaSelector>(rdata[1]),
                    static_cast<TlsaMatching>(rdata[2]), Bytes(rdata.begin() + 3, rdata.end())};
  if (!is_well_formed(record)) return std::nullopt;
  return record;
}

// RFC 7671 §9: SHA2-512 beside SHA2-256 of the same usage and selector is the only digest that counts; Full(0) stays.
void drop_weaker_digests(std::vector<TlsaRecord>& records) {
  std::array<bool, 8> has_sha512{};
  const auto kind = [](const TlsaRecord& record) {
    return static_cast<std::size_t>(record.usage) * 2 + static_cast<std::size_t>(record.selector);
  };
  for (const TlsaRecord& record : records)
    if (record.matching == TlsaMatching::sha512) has_sha512[kind(record)] = true;
  std::erase_if(records, [&](const TlsaRecord& record) {
    return record.matching == TlsaMatching::sha256 && has_sha512[kind(record)];
  });
}

}  // namespace

bool is_failed(Security security) noexcept {
  switch (security) {
    case Security::secure:
    case Security::insecure:
      return false;
    case Security::bogus:
    case Security::indeterminate:
      return true;
  }
  return true;
}

std::string_view name_of(Security security) noexcept {
  switch (security) {
    case Security::secure:
      return "secure";
    case Security::insecure:
      return "insecure";
    case Security::bogus:
      return "bogus";
    case Security::indeterminate:
      return "indeterminate";
  }
  return "indeterminate";
}

WallTime evidence_expiry(const Answer& answer, WallTime now) noexcept {
  const std::chrono::seconds life = std::clamp<std::chrono::seconds>(answer.ttl, kShortestLife, kLongestLife);
  const WallTime by_ttl = now + life;
  return answer.signatures_expire ? std::min(by_ttl, *answer.signatures_expire) : by_ttl;
}

Reason reason_of(const Answer& failed) noexcept {
  return failed.blamed.value_or(failed.security == Security::bogus ? Reason::dns_bogus : Reason::dns_indeterminate);
}

void keep_what_is_used(RrType type, Answer& answer) {
  std::vector<Bytes>& all = answer.rdata;
  const auto keep_first = [&](std::size_t most) {
    if (all.size() > most) all.resize(most);
  };
  switch (type) {
    case RrType::a:
    case RrType::aaaa:
      keep_first(kMostAddresses);
      break;
    case RrType::srv:
      if (all.size() > kMostTargets) keep_best_srv(all);
      break;
    case RrType::tlsa:
      keep_first(kMostTlsa);
      break;
    case RrType::dnskey:  // whether they validate is all that is asked
      keep_first(1);
      break;
  }
  all.shrink_to_fit();
}

Delegation read_delegation(const Domain& domain, const Answer& srv, WallTime now) {
  Delegation delegation;
  delegation.security = srv.security;
  delegation.expires = evidence_expiry(srv, now);
  const std::string question = fmt::format("the SRV answer for {}", domain.text());
  if (is_failed(srv.security)) {
    delegation.failure = failure_of(srv, question);
    return delegation;
  }
  if (srv.is_denial()) {
    delegation.kind = Delegation::Kind::fallback;
    delegation.targets.push_back({HostName(domain), kXmppServerPort, 0, 0});
    return delegation;
  }
  SrvRecords records = read_srv(srv.rdata);
  keep_best(records.targets, [](const SrvTarget& target) -> const SrvTarget& { return target; });
  if (!records.targets.empty()) {
    delegation.kind = Delegation::Kind::srv;
    delegation.targets = std::move(records.targets);
  } else if (records.says_none || records.has_port_0) {
    // Records that name no service are an answer: no fall-back to the domain's addresses (AB-134).
    delegation.kind = Delegation::Kind::no_service;
    delegation.failure = Error{Reason::dns_no_service, fmt::format("{} {}", domain.text(),
                                                                   records.says_none ? "publishes SRV target \".\""
                                                                                     : "publishes only SRV port 0")};
  } else {
    delegation.failure = Error{Reason::dns_indeterminate, question + " holds no record that can be read"};
  }
  return delegation;
}

std::vector<Address> read_addresses(const Answer& answer) {
  std::vector<Address> addresses;
  if (is_failed(answer.security)) return addresses;
  for (const Bytes& rdata : answer.rdata) {
    if (rdata.size() != 4 && rdata.size() != 16) continue;
    Address address;
    std::ranges::copy(rdata, address.bytes.begin());
    address.is_v6 = rdata.size() == 16;
    addresses.push_back(address);
  }
  return addresses;
}

std::string TlsaRecord::text() const {
  const std::string digits = hex(BytesView(data).first(std::min(data.size(), kShownDigits / 2)));
  return fmt::format("{} {} {} {}{}", static_cast<int>(usage), static_cast<int>(selector), static_cast<int>(matching),
                     digits, data.size() > kShownDigits / 2 ? "…" : "");
}

TlsaSet read_tlsa(std::string owner, const Answer& answer, WallTime now) {
  TlsaSet set;
  set.security = answer.security;
  set.owner = std::move(owner);
  set.expires = evidence_expiry(answer, now);
  set.why = answer.why;
  if (is_failed(answer.security)) return set;
  set.has_records = !answer.rdata.empty();
  if (answer.security != Security::secure) return set;  // unsigned TLSA says nothing (RFC 6698 §4.1)
  for (std::size_t i = 0; i < answer.rdata.size() && i < kMostTlsa; ++i)
    if (std::optional<TlsaRecord> record = read_tlsa_record(answer.rdata[i])) set.usable.push_back(*std::move(record));
  drop_weaker_digests(set.usable);
  return set;
}

}  // namespace ligase::proof
