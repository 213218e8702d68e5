#include "lab/dns/zone.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace ligase::lab::dns {
namespace {

constexpr std::uint32_t kTtl = 3600, kNegativeTtl = 60;

std::uint32_t seconds(WallTime time) { return static_cast<std::uint32_t>(time.time_since_epoch().count()); }

std::string lower(std::string_view label) {
  std::string out(label);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return out;
}

KeyList make_key(const NameKey& apex) {
  ldns_key* key = ldns_key_new_frm_algorithm(LDNS_SIGN_ECDSAP256SHA256, 256);
  ldns_key_set_pubkey_owner(key, apex.dname().release());
  ldns_key_set_flags(key, LDNS_KEY_ZONE_KEY | LDNS_KEY_SEP_KEY);
  ldns_key_set_origttl(key, kTtl);
  KeyList keys(ldns_key_list_new());
  ldns_key_list_push_key(keys.get(), key);
  return keys;
}

}  // namespace

NameKey NameKey::of(const ldns_rdf* dname) {
  const std::uint8_t* bytes = ldns_rdf_data(dname);
  NameKey key;
  for (std::size_t at = 0; at < ldns_rdf_size(dname) && bytes[at] != 0; at += bytes[at] + 1u) {
    const std::string label = lower({reinterpret_cast<const char*>(bytes + at + 1), bytes[at]});
    key.text_ = key.text_.empty() ? label : label + '\0' + key.text_;
  }
  return key;
}

std::optional<NameKey> NameKey::parse(std::string_view name) {
  const Rdf dname(ldns_dname_new_frm_str(name.empty() ? "." : std::string(name).c_str()));
  if (!dname) return std::nullopt;
  return of(dname.get());
}

NameKey NameKey::parent() const {
  NameKey key;
  const std::size_t cut = text_.rfind('\0');
  if (cut != text_.npos) key.text_ = text_.substr(0, cut);
  return key;
}

NameKey NameKey::child(std::string_view label) const {
  NameKey key;
  key.text_ = text_.empty() ? lower(label) : text_ + '\0' + lower(label);
  return key;
}

NameKey NameKey::moved(const NameKey& from, const NameKey& to) const {
  NameKey key;
  const std::string_view rest = std::string_view(text_).substr(from.is_root() ? 0 : from.text_.size() + 1);
  key.text_ = to.text_ + (to.is_root() ? "" : std::string(1, '\0')) + std::string(rest);
  return key;
}

bool NameKey::is_below(const NameKey& ancestor) const noexcept {
  if (ancestor.is_root()) return true;
  return text_.starts_with(ancestor.text_) &&
         (text_.size() == ancestor.text_.size() || text_[ancestor.text_.size()] == '\0');
}

Rdf NameKey::dname() const {
  std::string wire(1, '\0');
  for (std::string_view rest = text_; !rest.empty();) {
    const std::size_t cut = rest.find('\0');
    const std::string_view label = rest.substr(0, cut);
    wire = static_cast<char>(label.size()) + std::string(label) + wire;
    rest = cut == rest.npos ? std::string_view() : rest.substr(cut + 1);
  }
  return Rdf(ldns_dname_new_frm_data(static_cast<std::uint16_t>(wire.size()), wire.data()));
}

std::string NameKey::text() const {
  std::string name;
  for (std::string_view rest = text_; !rest.empty();) {
    const std::size_t cut = rest.find('\0');
    name = std::string(rest.substr(0, cut)) + (name.empty() ? "" : ".") + name;
    rest = cut == rest.npos ? std::string_view() : rest.substr(cut + 1);
  }
  return name;
}

Zone::Zone(NameKey apex, bool is_signed) : apex_(std::move(apex)) {
  const std::string name = apex_.text() + ".", ns = "ns." + (apex_.is_root() ? "" : name);
  const auto line = [&](const std::string& owner, std::uint32_t ttl, const std::string& rest) {
    add(ligase::dns::parse_record(owner + " " + std::to_string(ttl) + " IN " + rest));
  };
  line(name, kTtl, "SOA " + ns + " hostmaster." + ns + " 1 7200 900 1209600 " + std::to_string(kNegativeTtl));
  line(name, kTtl, "NS " + ns);
  line(ns, kTtl, "A 127.0.0.1");
  if (!is_signed) return;
  keys_ = make_key(apex_);
  ldns_key* key = ldns_key_list_key(keys_.get(), 0);
  dnskey_.reset(ldns_key2rr(key));
  ldns_rr_set_ttl(dnskey_.get(), kTtl);
  ldns_key_set_keytag(key, ldns_calc_keytag(dnskey_.get()));  // before signing, or the RRSIGs name no key
  add(clone(dnskey_.get()));
}

Rr Zone::ds(bool of_another_key) const {
  Rr key = clone(dnskey_.get());
  if (of_another_key) {
    const KeyList other = make_key(apex_);
    key.reset(ldns_key2rr(ldns_key_list_key(other.get(), 0)));
  }
  Rr ds(ldns_key_rr2ds(key.get(), LDNS_SHA256));
  ldns_rr_set_ttl(ds.get(), kTtl);
  return ds;
}

void Zone::add(Rr record) {
  const NameKey owner = NameKey::of(ldns_rr_owner(record.get()));
  const ldns_rr_type type = ldns_rr_get_type(record.get());
  RrSet& set = nodes_[owner][type];
  const bool is_single = type == LDNS_RR_TYPE_SOA || type == LDNS_RR_TYPE_CNAME || type == LDNS_RR_TYPE_DNAME;
  if (is_single) set.records.clear();
  if (!set.records.empty()) ldns_rr_set_ttl(record.get(), ldns_rr_ttl(set.records.front().get()));
  set.records.push_back(std::move(record));
  set.signature.reset();
  is_chained_ = false;
}

Node* Zone::find(const NameKey& name) {
  chain();
  const auto found = nodes_.find(name);
  return found == nodes_.end() ? nullptr : &found->second;
}

bool Zone::exists(const NameKey& name) {
  const auto found = nodes_.lower_bound(name);
  return found != nodes_.end() && found->first.is_below(name);
}

RrSet* Zone::find(const NameKey& name, ldns_rr_type type) {
  Node* node = find(name);
  if (node == nullptr) return nullptr;
  const auto found = node->find(type);
  return found == node->end() ? nullptr : &found->second;
}

NameKey Zone::before(const NameKey& name) { return std::prev(nodes_.lower_bound(name))->first; }

bool Zone::is_cut(const NameKey& name) const {
  const auto node = nodes_.find(name);
  return name != apex_ && node != nodes_.end() && node->second.contains(LDNS_RR_TYPE_NS);
}

const ldns_rr* Zone::signature(const NameKey& owner, RrSet& set) {
  const ldns_rr_type type = ldns_rr_get_type(set.records.front().get());
  if (!is_signed() || set.is_stripped || (type == LDNS_RR_TYPE_NS && is_cut(owner))) return nullptr;
  if (!set.signature) {
    const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    ldns_key* key = ldns_key_list_key(keys_.get(), 0);
    ldns_key_set_inception(key, seconds(set.inception.value_or(now - 1h)));
    ldns_key_set_expiration(key, seconds(set.expiration.value_or(now + std::chrono::days(30))));
    const ligase::dns::BorrowingRrList list(ldns_rr_list_new());
    for (const Rr& record : set.records) ldns_rr_list_push_rr(list.get(), record.get());
    const ligase::dns::RrList made(ldns_sign_public(list.get(), keys_.get()));
    set.signature.reset(ldns_rr_list_pop_rr(made.get()));
    ++signatures_made_;
  }
  return set.signature.get();
}

void Zone::chain() {
  if (is_chained_ || !is_signed()) return;
  is_chained_ = true;
  for (auto node = nodes_.begin(); node != nodes_.end(); ++node) {
    const auto next = std::next(node) == nodes_.end() ? nodes_.begin() : std::next(node);
    node->second[LDNS_RR_TYPE_NSEC];
    std::vector<ldns_rr_type> types{LDNS_RR_TYPE_RRSIG};
    for (const auto& [type, set] : node->second) types.push_back(type);
    std::ranges::sort(types);  // ldns takes the last one's number for the bitmap's length
    Rr nsec(ldns_rr_new());
    ldns_rr_set_type(nsec.get(), LDNS_RR_TYPE_NSEC);
    ldns_rr_set_owner(nsec.get(), node->first.dname().release());
    ldns_rr_set_ttl(nsec.get(), kNegativeTtl);
    ldns_rr_push_rdf(nsec.get(), next->first.dname().release());
    ldns_rr_push_rdf(nsec.get(), ldns_dnssec_create_nsec_bitmap(types.data(), types.size(), LDNS_RR_TYPE_NSEC));
    RrSet& set = node->second[LDNS_RR_TYPE_NSEC];
    set.records.clear();
    set.records.push_back(std::move(nsec));
    set.signature.reset();
  }
}

}  // namespace ligase::lab::dns
