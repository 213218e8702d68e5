#include "dns/answer.hpp"

#include <algorithm>
#include <limits>
#include <vector>

#include "dns/ldns_handles.hpp"

namespace ligase::dns {
namespace {

constexpr std::size_t kMostAliases = 8;

std::string take(char* text) {
  std::string copy = text == nullptr ? "" : text;
  std::free(text);
  return copy;
}

std::string plain_name(const ldns_rdf* dname) {  // lower case, no last dot
  std::string name = take(ldns_rdf2str(dname));
  if (!name.empty() && name.back() == '.') name.pop_back();
  for (char& c : name) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return name;
}

Bytes rdata_of(const ldns_rr* record) {
  Bytes bytes;
  for (std::size_t i = 0; i < ldns_rr_rd_count(record); ++i) {
    const ldns_rdf* field = ldns_rr_rdf(record, i);
    bytes.insert(bytes.end(), ldns_rdf_data(field), ldns_rdf_data(field) + ldns_rdf_size(field));
  }
  return bytes;
}

// What the answer rests on, record by record.
class Reading {
 public:
  Reading(const ldns_pkt* packet, WallTime now) : packet_(packet), now_(now) {}

  // The records of one set in the answer section; they, and their signatures, then count.
  std::vector<const ldns_rr*> use(const ldns_rdf* owner, ldns_rr_type type) {
    std::vector<const ldns_rr*> found;
    const ldns_rr_list* section = ldns_pkt_answer(packet_);
    for (std::size_t i = 0; i < ldns_rr_list_rr_count(section); ++i) {
      const ldns_rr* record = ldns_rr_list_rr(section, i);
      if (ldns_dname_compare(ldns_rr_owner(record), owner) != 0) continue;
      if (ldns_rr_get_type(record) == type) {
        found.push_back(record);
        note_ttl(ldns_rr_ttl(record));
      }
    }
    for (std::size_t i = 0; !found.empty() && i < ldns_rr_list_rr_count(section); ++i) {
      const ldns_rr* record = ldns_rr_list_rr(section, i);
      if (ldns_rr_get_type(record) == LDNS_RR_TYPE_RRSIG && ldns_dname_compare(ldns_rr_owner(record), owner) == 0 &&
          ldns_rdf2rr_type(ldns_rr_rrsig_typecovered(record)) == type) {
        note_signature(record);
      }
    }
    return found;
  }

  // The DNAME that a CNAME at `name` was made from, if the answer has one.
  const ldns_rr* dname_above(const ldns_rdf* name) {
    const ldns_rr_list* section = ldns_pkt_answer(packet_);
    for (std::size_t i = 0; i < ldns_rr_list_rr_count(section); ++i) {
      const ldns_rr* record = ldns_rr_list_rr(section, i);
      if (ldns_rr_get_type(record) != LDNS_RR_TYPE_DNAME) continue;
      if (!ldns_dname_is_subdomain(name, ldns_rr_owner(record))) continue;
      use(ldns_rr_owner(record), LDNS_RR_TYPE_DNAME);
      return record;
    }
    return nullptr;
  }

  // The authority section's part: a denial's SOA bounds the time (RFC 2308 §5), and every signature there counts, as
  // it stands for the proof of the denial or of a wildcard.
  void use_authority(bool is_denial) {
    bool has_soa = false;
    const ldns_rr_list* section = ldns_pkt_authority(packet_);
    for (std::size_t i = 0; i < ldns_rr_list_rr_count(section); ++i) {
      const ldns_rr* record = ldns_rr_list_rr(section, i);
      if (ldns_rr_get_type(record) == LDNS_RR_TYPE_RRSIG) note_signature(record);
      if (is_denial && ldns_rr_get_type(record) == LDNS_RR_TYPE_SOA && ldns_rr_rd_count(record) == 7) {
        has_soa = true;
        note_ttl(ldns_rr_ttl(record));
        note_ttl(ldns_rdf2native_int32(ldns_rr_rdf(record, 6)));
      }
    }
    if (is_denial && !has_soa) note_ttl(0);
  }

  std::chrono::seconds ttl() const { return std::chrono::seconds(ttl_.value_or(0)); }
  std::optional<WallTime> signatures_expire() const { return expires_ ? expires_ : expired_; }

 private:
  void note_ttl(std::uint32_t ttl) { ttl_ = std::min(ttl_.value_or(std::numeric_limits<std::uint32_t>::max()), ttl); }

  void note_signature(const ldns_rr* signature) {
    if (ldns_rr_rd_count(signature) < 9) return;
    const auto now = static_cast<std::uint32_t>(now_.time_since_epoch().count());
    const std::uint32_t at = ldns_rdf2native_time_t(ldns_rr_rrsig_expiration(signature));
    const auto left = static_cast<std::int32_t>(at - now);  // serial numbers: RFC 4034 §3.1.5
    const WallTime when = now_ + std::chrono::seconds(left);
    std::optional<WallTime>& earliest = left > 0 ? expires_ : expired_;
    earliest = std::min(earliest.value_or(when), when);
  }

  const ldns_pkt* packet_;
  WallTime now_;
  std::optional<std::uint32_t> ttl_;
  std::optional<WallTime> expires_, expired_;
};

// Where an alias at `name` leads; null: there is none.
Rdf follow(Reading& reading, const ldns_rdf* name) {
  const ldns_rr* dname = reading.dname_above(name);
  const auto cname = reading.use(name, LDNS_RR_TYPE_CNAME);
  if (!cname.empty()) return Rdf(ldns_rdf_clone(ldns_rr_rdf(cname.front(), 0)));
  if (dname == nullptr) return nullptr;
  // The labels below the DNAME's owner move under its target (RFC 6672 §2.2).
  const int labels = ldns_dname_label_count(name) - ldns_dname_label_count(ldns_rr_owner(dname));
  Rdf moved(ldns_rdf_clone(ldns_rr_rdf(dname, 0)));
  for (int i = labels - 1; i >= 0; --i) {
    const Rdf label(ldns_dname_label(name, static_cast<std::uint8_t>(i)));
    moved.reset(ldns_dname_cat_clone(label.get(), moved.get()));
    if (!moved || ldns_rdf_size(moved.get()) > LDNS_MAX_DOMAINLEN) return nullptr;
  }
  return moved;
}

}  // namespace

proof::Answer no_answer(std::string why) {
  proof::Answer answer;
  answer.why = std::move(why);
  return answer;
}

proof::Answer read_answer(BytesView bytes, std::string_view asked, proof::RrType type, Verdict verdict,
                          std::string_view why_bogus, WallTime now) {
  if (verdict == Verdict::bogus) {
    proof::Answer answer = no_answer(why_bogus.empty() ? "validation failure" : std::string(why_bogus));
    answer.security = proof::Security::bogus;
    return answer;
  }
  ldns_pkt* parsed = nullptr;
  if (ldns_wire2pkt(&parsed, bytes.data(), bytes.size()) != LDNS_STATUS_OK) return no_answer("a malformed answer");
  const Packet packet(parsed);
  const ldns_pkt_rcode rcode = ldns_pkt_get_rcode(parsed);
  if (rcode != LDNS_RCODE_NOERROR && rcode != LDNS_RCODE_NXDOMAIN) {
    return no_answer("the resolver answers " + take(ldns_pkt_rcode2str(rcode)));
  }

  Rdf name(ldns_dname_new_frm_str(std::string(asked).c_str()));
  if (!name) return no_answer("not a domain name");
  Reading reading(parsed, now);
  proof::Answer answer;
  std::vector<std::string> met{plain_name(name.get())};
  const auto wanted = static_cast<ldns_rr_type>(type);
  for (;;) {
    const auto records = reading.use(name.get(), wanted);
    for (const ldns_rr* record : records) answer.rdata.push_back(rdata_of(record));
    if (!records.empty()) break;
    Rdf next = follow(reading, name.get());
    if (!next) break;
    std::string text = plain_name(next.get());
    if (std::ranges::find(met, text) != met.end()) return no_answer("its aliases run in a circle at " + text);
    if (met.size() > kMostAliases) return no_answer("more than 8 aliases, one after another");
    met.push_back(std::move(text));
    name = std::move(next);
  }
  reading.use_authority(answer.rdata.empty());
  answer.security = verdict == Verdict::secure ? proof::Security::secure : proof::Security::insecure;
  answer.is_aliased = met.size() > 1;
  answer.canonical_name = std::move(met.back());
  answer.ttl = reading.ttl();
  if (verdict == Verdict::secure) answer.signatures_expire = reading.signatures_expire();
  return answer;
}

}  // namespace ligase::dns
