#include "lab/dns/tree.hpp"

#include <algorithm>
#include <mutex>

#include "lab/dns/zone.hpp"

namespace ligase::lab::dns {
namespace {

constexpr int kMostAliases = 16;
constexpr std::size_t kMostOverUdp = 1232;

ldns_rr_type type_of(std::string_view name) { return ldns_get_rr_type_by_name(std::string(name).c_str()); }

ligase::dns::Packet parse_query(BytesView query) {
  ldns_pkt* parsed = nullptr;
  if (ldns_wire2pkt(&parsed, query.data(), query.size()) != LDNS_STATUS_OK) return nullptr;
  ligase::dns::Packet packet(parsed);
  return ldns_pkt_qr(parsed) || ldns_pkt_qdcount(parsed) != 1 ? nullptr : std::move(packet);
}

ligase::dns::Packet empty_reply(const ldns_pkt* query) {
  ligase::dns::Packet reply(ldns_pkt_new());
  ldns_pkt_set_id(reply.get(), ldns_pkt_id(query));
  ldns_pkt_set_qr(reply.get(), true);
  ldns_pkt_set_rd(reply.get(), ldns_pkt_rd(query));
  ldns_pkt_set_cd(reply.get(), ldns_pkt_cd(query));
  ldns_pkt_set_ra(reply.get(), true);
  ldns_pkt_push_rr(reply.get(), LDNS_SECTION_QUESTION, ldns_rr_clone(ldns_rr_list_rr(ldns_pkt_question(query), 0)));
  if (ldns_pkt_edns(query)) {
    ldns_pkt_set_edns_udp_size(reply.get(), kMostOverUdp);
    ldns_pkt_set_edns_do(reply.get(), ldns_pkt_edns_do(query));
  }
  return reply;
}

Bytes wire(const ldns_pkt* packet) {
  std::uint8_t* data = nullptr;
  std::size_t size = 0;
  Bytes bytes;
  if (ldns_pkt2wire(&data, packet, &size) == LDNS_STATUS_OK) bytes.assign(data, data + size);
  std::free(data);
  return bytes;
}

// One answer as it grows. Records are copied into the packet, which owns them.
struct Reply {
  ldns_pkt* packet;
  bool wants_dnssec;

  // `as`: the owner to write, where a wildcard's records answer for another name.
  void push(ldns_pkt_section section, Zone& zone, const NameKey& owner, RrSet& set, const NameKey* as = nullptr) {
    const auto put = [&](const ldns_rr* record) {
      ldns_rr* copy = ldns_rr_clone(record);
      if (as != nullptr) {
        ldns_rdf_deep_free(ldns_rr_owner(copy));
        ldns_rr_set_owner(copy, as->dname().release());
      }
      if (!ldns_pkt_safe_push_rr(packet, section, copy)) ldns_rr_free(copy);  // there already
    };
    for (const Rr& record : set.records) put(record.get());
    if (!wants_dnssec) return;
    if (const ldns_rr* signature = zone.signature(owner, set)) put(signature);
  }
  void push_nsec(Zone& zone, const NameKey& owner) {
    RrSet* nsec = wants_dnssec ? zone.find(owner, LDNS_RR_TYPE_NSEC) : nullptr;
    if (nsec != nullptr) push(LDNS_SECTION_AUTHORITY, zone, owner, *nsec);
  }
  void push_soa(Zone& zone) {
    push(LDNS_SECTION_AUTHORITY, zone, zone.apex(), *zone.find(zone.apex(), LDNS_RR_TYPE_SOA));
  }
};

}  // namespace

std::optional<Question> read_question(BytesView query) {
  const ligase::dns::Packet asked = parse_query(query);
  if (!asked) return std::nullopt;
  const ldns_rr* question = ldns_rr_list_rr(ldns_pkt_question(asked.get()), 0);
  return Question{NameKey::of(ldns_rr_owner(question)).text(), static_cast<std::uint16_t>(ldns_rr_get_type(question))};
}

class Tree::Impl {
 public:
  mutable std::mutex lock;
  std::map<NameKey, Zone> zones;

  Impl() { zones.emplace(NameKey(), Zone(NameKey(), true)); }

  Zone& zone_of(NameKey name) {  // the deepest that encloses it
    for (;; name = name.parent()) {
      const auto found = zones.find(name);
      if (found != zones.end()) return found->second;
    }
  }
  // The one that answers for it: a zone's DS stands in its parent.
  Zone& zone_for(const NameKey& name, ldns_rr_type type) {
    return type == LDNS_RR_TYPE_DS && !name.is_root() ? zone_of(name.parent()) : zone_of(name);
  }

  struct Found {
    Zone& zone;
    NameKey owner;
    RrSet& set;
  };
  Result<Found> find(std::string_view owner, std::string_view type) {
    const auto name = NameKey::parse(owner);
    if (!name) return fail(Reason::config_invalid, "not a domain name: " + std::string(owner));
    Zone& zone = zone_for(*name, type_of(type));
    RrSet* set = zone.find(*name, type_of(type));
    if (set == nullptr) {
      return fail(Reason::config_invalid, "the lab's tree has no " + std::string(type) + " at " + std::string(owner));
    }
    return Found{zone, *name, *set};
  }

  void resolve(Reply& reply, NameKey name, ldns_rr_type type) {
    for (int hops = 0; hops <= kMostAliases; ++hops) {
      std::optional<NameKey> next = answer_once(reply, name, type);
      if (!next) return;
      name = std::move(*next);
    }
  }

 private:
  // Adds what one name has to say; an alias' target if it must be followed.
  std::optional<NameKey> answer_once(Reply& reply, const NameKey& name, ldns_rr_type type) {
    Zone& zone = zone_for(name, type);
    if (auto next = follow_dname(reply, zone, name)) return next;
    if (ldns_pkt_get_rcode(reply.packet) == LDNS_RCODE_YXDOMAIN) return std::nullopt;
    if (Node* node = zone.find(name)) return answer_at(reply, zone, name, *node, name, type);
    if (zone.exists(name)) {
      reply.push_soa(zone);
      reply.push_nsec(zone, zone.before(name));
      return std::nullopt;
    }
    NameKey encloser = name.parent();
    while (!zone.exists(encloser)) encloser = encloser.parent();
    const NameKey wildcard = encloser.child("*");
    if (Node* node = zone.find(wildcard)) {
      auto next = answer_at(reply, zone, wildcard, *node, name, type);
      reply.push_nsec(zone, zone.before(name));
      return next;
    }
    ldns_pkt_set_rcode(reply.packet, LDNS_RCODE_NXDOMAIN);
    reply.push_soa(zone);
    reply.push_nsec(zone, zone.before(name));
    reply.push_nsec(zone, zone.before(wildcard));
    return std::nullopt;
  }

  std::optional<NameKey> answer_at(Reply& reply, Zone& zone, const NameKey& owner, Node& node, const NameKey& name,
                                   ldns_rr_type type) {
    const NameKey* as = owner == name ? nullptr : &name;
    const auto wanted = node.find(type);
    if (wanted != node.end() && (type != LDNS_RR_TYPE_NSEC || reply.wants_dnssec)) {
      reply.push(LDNS_SECTION_ANSWER, zone, owner, wanted->second, as);
      return std::nullopt;
    }
    const auto alias = node.find(LDNS_RR_TYPE_CNAME);
    if (alias != node.end() && type != LDNS_RR_TYPE_DS) {
      reply.push(LDNS_SECTION_ANSWER, zone, owner, alias->second, as);
      return NameKey::of(ldns_rr_rdf(alias->second.records.front().get(), 0));
    }
    reply.push_soa(zone);
    reply.push_nsec(zone, owner);
    return std::nullopt;
  }

  // RFC 6672 §3: a DNAME above the name answers with a CNAME made for it.
  std::optional<NameKey> follow_dname(Reply& reply, Zone& zone, const NameKey& name) {
    for (NameKey at = name; at != zone.apex();) {
      at = at.parent();
      RrSet* set = zone.find(at, LDNS_RR_TYPE_DNAME);
      if (set == nullptr) continue;
      reply.push(LDNS_SECTION_ANSWER, zone, at, *set);
      const NameKey target = name.moved(at, NameKey::of(ldns_rr_rdf(set->records.front().get(), 0)));
      if (target.is_too_long()) {
        ldns_pkt_set_rcode(reply.packet, LDNS_RCODE_YXDOMAIN);
        return std::nullopt;
      }
      Rr cname(ldns_rr_new());
      ldns_rr_set_type(cname.get(), LDNS_RR_TYPE_CNAME);
      ldns_rr_set_owner(cname.get(), name.dname().release());
      ldns_rr_set_ttl(cname.get(), ldns_rr_ttl(set->records.front().get()));
      ldns_rr_push_rdf(cname.get(), target.dname().release());
      ldns_pkt_push_rr(reply.packet, LDNS_SECTION_ANSWER, cname.release());
      return target;
    }
    return std::nullopt;
  }
};

Tree::Tree() : impl_(std::make_unique<Impl>()) {}
Tree::~Tree() = default;

Result<void> Tree::add_zone(std::string_view name, Delegation delegation) {
  const std::scoped_lock hold(impl_->lock);
  const auto apex = NameKey::parse(name);
  if (!apex || apex->is_root()) return fail(Reason::config_invalid, "not a zone's name: " + std::string(name));
  Zone& parent = impl_->zone_of(apex->parent());
  if (impl_->zones.contains(*apex) || parent.exists(*apex)) {
    return fail(Reason::config_invalid, "there is a zone, or there are records, at " + std::string(name) + " already");
  }
  const Zone& zone = impl_->zones.emplace(*apex, Zone(*apex, delegation == Delegation::secure)).first->second;
  parent.add(ligase::dns::parse_record(std::string(name) + ". 3600 IN NS ns." + std::string(name) + "."));
  if (delegation == Delegation::secure) parent.add(zone.ds(false));
  return {};
}

Result<void> Tree::add(const std::string& line) {
  const std::scoped_lock hold(impl_->lock);
  Rr record = ligase::dns::parse_record(line);
  if (!record) return fail(Reason::config_invalid, "not a DNS record: " + line);
  const NameKey owner = NameKey::of(ldns_rr_owner(record.get()));
  impl_->zone_for(owner, ldns_rr_get_type(record.get())).add(std::move(record));
  return {};
}

std::string Tree::trust_anchor() const {
  const std::scoped_lock hold(impl_->lock);
  const Rr ds = impl_->zones.at(NameKey()).ds(false);
  char* text = ldns_rr2str(ds.get());
  std::string line = text;
  std::free(text);
  return line.substr(0, line.find('\n')) + "\n";
}

Result<void> Tree::alter(const std::string& line) {
  const std::scoped_lock hold(impl_->lock);
  Rr record = ligase::dns::parse_record(line);
  if (!record) return fail(Reason::config_invalid, "not a DNS record: " + line);
  const NameKey owner = NameKey::of(ldns_rr_owner(record.get()));
  Zone& zone = impl_->zone_for(owner, ldns_rr_get_type(record.get()));
  RrSet* set = zone.find(owner, ldns_rr_get_type(record.get()));
  if (set == nullptr) return fail(Reason::config_invalid, "nothing there to alter: " + line);
  zone.signature(owner, *set);  // made of the old data, and kept
  set->records.clear();
  set->records.push_back(std::move(record));
  return {};
}

Result<void> Tree::strip(std::string_view owner, std::string_view type) {
  const std::scoped_lock hold(impl_->lock);
  auto found = impl_->find(owner, type);
  if (!found) return fail(found.error());
  found->set.is_stripped = true;
  return {};
}

Result<void> Tree::set_validity(std::string_view owner, std::string_view type, WallTime inception,
                                WallTime expiration) {
  const std::scoped_lock hold(impl_->lock);
  auto found = impl_->find(owner, type);
  if (!found) return fail(found.error());
  found->set.inception = inception;
  found->set.expiration = expiration;
  found->set.signature.reset();
  return {};
}

Result<void> Tree::set_wrong_ds(std::string_view zone) {
  const std::scoped_lock hold(impl_->lock);
  auto found = impl_->find(zone, "DS");
  if (!found) return fail(found.error());
  found->set.records.clear();
  found->set.records.push_back(impl_->zones.at(found->owner).ds(true));
  found->set.signature.reset();
  return {};
}

std::size_t Tree::signatures_made() const {
  const std::scoped_lock hold(impl_->lock);
  std::size_t sum = 0;
  for (const auto& [apex, zone] : impl_->zones) sum += zone.signatures_made();
  return sum;
}

Bytes Tree::answer(BytesView query, Transport transport) const {
  const ligase::dns::Packet asked = parse_query(query);
  if (!asked) return {};
  const ldns_rr* question = ldns_rr_list_rr(ldns_pkt_question(asked.get()), 0);
  const ligase::dns::Packet reply = empty_reply(asked.get());
  {
    const std::scoped_lock hold(impl_->lock);
    Reply growing{reply.get(), ldns_pkt_edns_do(asked.get())};
    impl_->resolve(growing, NameKey::of(ldns_rr_owner(question)), ldns_rr_get_type(question));
  }
  Bytes bytes = wire(reply.get());
  const std::size_t room = std::clamp<std::size_t>(ldns_pkt_edns_udp_size(asked.get()), 512, kMostOverUdp);
  if (transport == Transport::tcp || bytes.size() <= room) return bytes;
  const ligase::dns::Packet cut = empty_reply(asked.get());
  ldns_pkt_set_tc(cut.get(), true);
  return wire(cut.get());
}

}  // namespace ligase::lab::dns
