// One zone of the lab's tree: its RRsets in canonical order (RFC 4034 §6.1), its key, its NSEC chain, and its
// signatures, each made when first needed. Only the Tree uses it, under the Tree's lock.
#pragma once
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.hpp"
#include "dns/ldns_handles.hpp"

namespace ligase::lab::dns {

using ligase::dns::clone;
using ligase::dns::KeyList;
using ligase::dns::Rdf;
using ligase::dns::Rr;

// A name by which maps sort canonically: labels in lower case from the root down, joined by NUL; the root is "".
// An ancestor is a prefix, and all names below one are neighbours.
class NameKey {
 public:
  NameKey() = default;
  static NameKey of(const ldns_rdf* dname);
  static std::optional<NameKey> parse(std::string_view name);  // without the last dot

  bool is_root() const noexcept { return text_.empty(); }
  NameKey parent() const;  // not of the root
  NameKey child(std::string_view label) const;
  NameKey moved(const NameKey& from, const NameKey& to) const;          // this name lies below `from`
  bool is_below(const NameKey& ancestor) const noexcept;                // or is it
  bool is_too_long() const noexcept { return text_.size() + 2 > 255; }  // RFC 1035 §2.3.4, only moved() can make one
  Rdf dname() const;
  std::string text() const;  // "a.tld", without the last dot
  auto operator<=>(const NameKey&) const = default;

 private:
  std::string text_;
};

struct RrSet {
  std::vector<Rr> records;
  Rr signature;                                   // null: not made yet
  bool is_stripped = false;                       // never signed
  std::optional<WallTime> inception, expiration;  // otherwise from an hour ago for 30 days
};
using Node = std::map<ldns_rr_type, RrSet>;

class Zone {
 public:
  Zone(NameKey apex, bool is_signed);  // makes the key (P-256) and the apex' SOA, NS and DNSKEY

  const NameKey& apex() const noexcept { return apex_; }
  bool is_signed() const noexcept { return keys_ != nullptr; }
  Rr ds(bool of_another_key) const;  // what the parent holds of us

  void add(Rr record);               // anything in the NSEC chain is made anew
  Node* find(const NameKey& name);   // with its NSEC; null: no records there
  bool exists(const NameKey& name);  // or something below it does: an empty non-terminal
  RrSet* find(const NameKey& name, ldns_rr_type type);
  // The owner of the NSEC that covers a name which has no records.
  NameKey before(const NameKey& name);

  // The set's RRSIG; null if the zone is not signed or the set was stripped or is a cut's NS or glue.
  const ldns_rr* signature(const NameKey& owner, RrSet& set);
  std::size_t signatures_made() const noexcept { return signatures_made_; }

 private:
  bool is_cut(const NameKey& name) const;
  void chain();

  NameKey apex_;
  KeyList keys_;  // one key, for the zone and for itself; null: not signed
  Rr dnskey_;
  std::map<NameKey, Node> nodes_;
  bool is_chained_ = false;
  std::size_t signatures_made_ = 0;
};

}  // namespace ligase::lab::dns
