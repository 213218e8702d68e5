// DNS look-ups, side by side where they do not need one another.
#include "dns/evidence.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/experimental/awaitable_operators.hpp>

namespace ligase::dns {
namespace {

using namespace boost::asio::experimental::awaitable_operators;
using proof::Answer;
using proof::RrType;
using proof::Security;

std::string tlsa_owner(std::uint16_t port, std::string_view host) { return fmt::format("_{}._tcp.{}", port, host); }

// The verdict on two answers together: the worse one.
Security worse(Security a, Security b) { return std::max(a, b); }
static_assert(Security::secure < Security::insecure && Security::insecure < Security::bogus &&
              Security::bogus < Security::indeterminate);

// Where T's addresses really stand; empty: it is no alias (O-28).
std::string expanded_name(const Answer& v6, const Answer& v4) {
  const Answer& holder = v4.rdata.empty() ? v6 : v4;
  return holder.is_aliased ? holder.canonical_name : std::string();
}

// RFC 7671 §7: behind signed aliases the records at the expanded name count, and T's own only where it has none. A
// failure is no absence, and unsigned records are as good as none (RFC 7673 §3.4).
Task<proof::TlsaSet> read_tlsa_of(seams::Resolver& resolver, proof::SrvTarget target, std::string expanded, Answer own,
                                  WallTime now) {
  if (!expanded.empty()) {
    const std::string owner = tlsa_owner(target.port, expanded);
    const Answer answer = co_await resolver.ask(owner, RrType::tlsa);
    proof::TlsaSet there = proof::read_tlsa(owner, answer, now);
    if (proof::is_failed(there.security) || (there.security == Security::secure && there.has_records)) co_return there;
  }
  co_return proof::read_tlsa(tlsa_owner(target.port, target.host.text()), own, now);
}

// The targets whose records are worth their questions (D-15): first the one that the certificate names, then by priority.
std::vector<proof::SrvTarget> chosen_of(std::vector<proof::SrvTarget> targets, const proof::Chain* chain) {
  std::ranges::stable_sort(targets, {}, &proof::SrvTarget::priority);
  if (chain != nullptr) {
    const auto named = std::ranges::find_if(targets, [&](const auto& at) { return chain->names_host(at.host); });
    if (named != targets.end()) std::rotate(targets.begin(), named, named + 1);
  }
  if (targets.size() > proof::kMostSenderTargets)
    targets.erase(targets.begin() + proof::kMostSenderTargets, targets.end());
  return targets;
}

// Nobody is dialed at a sender's target: one family says as well as both whether the name is signed, and what it stands for.
Task<proof::TargetEvidence> look_up_sender_target(seams::Resolver& resolver, proof::SrvTarget target, WallTime now) {
  Task<Answer> address_task = resolver.ask(std::string(target.host.text()), RrType::a);
  Task<Answer> tlsa_task = resolver.ask(tlsa_owner(target.port, target.host.text()), RrType::tlsa);
  auto [address, own] = co_await (std::move(address_task) && std::move(tlsa_task));
  proof::TargetEvidence found{target, address.security, std::nullopt};
  // That a host has no IPv4 address, with its zone's short negative TTL, bounds nothing.
  if (!address.rdata.empty()) found.addresses_expire = proof::evidence_expiry(address, now);
  if (address.security != Security::secure) co_return found;
  std::string expanded = expanded_name({}, address);
  found.tlsa = co_await read_tlsa_of(resolver, target, std::move(expanded), std::move(own), now);
  co_return found;
}

}  // namespace

Task<proof::Delegation> find_delegation(seams::Resolver& resolver, Domain domain, WallTime now) {
  const Answer srv = co_await resolver.ask(fmt::format("_xmpp-server._tcp.{}", domain.text()), RrType::srv);
  co_return proof::read_delegation(domain, srv, now);
}

Task<HostFacts> look_up_host(seams::Resolver& resolver, proof::SrvTarget target, Security delegation, WallTime now) {
  const std::string host(target.host.text());
  const std::string owner = tlsa_owner(target.port, host);
  const bool asks_tlsa = delegation == Security::secure;
  Task<Answer> v6_task = resolver.ask(host, RrType::aaaa);
  Task<Answer> v4_task = resolver.ask(host, RrType::a);
  Answer v6, v4, tlsa;
  if (asks_tlsa) {
    Task<Answer> tlsa_task = resolver.ask(owner, RrType::tlsa);
    std::tie(v6, v4, tlsa) = co_await (std::move(v6_task) && std::move(v4_task) && std::move(tlsa_task));
  } else {
    std::tie(v6, v4) = co_await (std::move(v6_task) && std::move(v4_task));
  }

  HostFacts facts;
  const std::vector<Address> six = proof::read_addresses(v6), four = proof::read_addresses(v4);
  for (std::size_t i = 0; i < std::max(six.size(), four.size()); ++i) {
    if (i < six.size()) facts.addresses.push_back(six[i]);
    if (i < four.size()) facts.addresses.push_back(four[i]);
  }
  // One failing family never fails the domain (AB-142), but a forged one is no reason to use the other (O-04).
  // A family that could not be asked is no family without addresses, either.
  const bool six_failed = v6.security == Security::indeterminate, four_failed = v4.security == Security::indeterminate;
  facts.addresses_security = facts.addresses.empty() || six_failed == four_failed ? worse(v6.security, v4.security)
                             : six_failed                                         ? v4.security
                                                                                  : v6.security;
  if (facts.addresses_security == Security::bogus) {
    facts.failure = Error{reason_of(v4.security == Security::bogus ? v4 : v6),
                          fmt::format("the addresses of {}: {}", host, v4.why.empty() ? v6.why : v4.why)};
  } else if (facts.addresses_security == Security::indeterminate) {
    facts.failure = Error{reason_of(v4.security == Security::indeterminate ? v4 : v6),
                          fmt::format("the addresses of {}: {}", host, v4.why.empty() ? v6.why : v4.why)};
  } else if (facts.addresses.empty()) {
    facts.failure = Error{Reason::address_none, fmt::format("{} has no address records", host)};
  }
  // Of the records used: that a host has no IPv6 address, with its zone's short negative TTL, bounds nothing.
  facts.addresses_expire = WallTime::max();
  for (const Answer* answer : {&v6, &v4})
    if (!answer->rdata.empty() || facts.addresses.empty())
      facts.addresses_expire = std::min(facts.addresses_expire, proof::evidence_expiry(*answer, now));
  // A host that is signed to have no address is no failure to a sender that names it: its TLSA counts all the same.
  if (!asks_tlsa || facts.addresses_security != Security::secure) co_return facts;
  facts.tlsa = co_await read_tlsa_of(resolver, target, expanded_name(v6, v4), std::move(tlsa), now);
  if (!facts.failure && proof::is_failed(facts.tlsa->security))
    facts.failure = Error{Reason::dns_tlsa_bogus, fmt::format("TLSA at {}: {}", facts.tlsa->owner, facts.tlsa->why)};
  co_return facts;
}

Task<SenderFacts> look_up_sender(seams::Resolver& resolver, Domain sender, std::shared_ptr<const proof::Chain> chain,
                                 bool dnssec_is_on, WallTime now) {
  SenderFacts facts;
  const std::string client_owner = fmt::format("_xmpp-server.{}", sender.text());
  Task<proof::Delegation> delegation_task = find_delegation(resolver, sender, now);
  if (dnssec_is_on) {
    Task<Answer> tlsa_task = resolver.ask(client_owner, RrType::tlsa);
    Answer tlsa;
    std::tie(facts.delegation, tlsa) = co_await (std::move(delegation_task) && std::move(tlsa_task));
    facts.client_tlsa = proof::read_tlsa(client_owner, tlsa, now);
  } else {
    facts.delegation = co_await std::move(delegation_task);
  }
  if (facts.delegation.security != Security::secure) co_return facts;  // then no target's record names anybody (I-07)
  const std::vector<proof::SrvTarget> chosen = chosen_of(facts.delegation.targets, chain.get());
  for (const proof::SrvTarget& target : chosen) {
    proof::TargetEvidence found = co_await look_up_sender_target(resolver, target, now);
    facts.targets.push_back(std::move(found));
  }
  co_return facts;
}

}  // namespace ligase::dns
