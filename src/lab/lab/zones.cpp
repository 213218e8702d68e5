// Zones and certificates of each way side by side, since they are two halves of one statement.
#include "lab/zones.hpp"

#include <fmt/format.h>

#include <chrono>

namespace ligase::lab {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kSrvOwner = "_xmpp-server._tcp.";

// The customers whose certificates are to name them for XMPP alone.
std::vector<std::string> named_for_xmpp(const Plan& plan, const Provider& provider) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < provider.customers.size(); ++i)
    if (plan.way_of(i) == Way::pkix) names.push_back(provider.customers[i]);
  return names;
}

Result<Identity> make_own(const Plan& plan, std::size_t which, const Authority& authority) {
  const Provider& provider = plan.providers[which];
  switch (plan.way) {
    case Way::dnssec:
      return authority.issue({.hosts = {provider.host}, .for_clients = which == 0 || !plan.has(Harm::no_eku)});
    case Way::dane:
    case Way::posh:
    case Way::dialback:
      return self_signed({.hosts = {provider.host}});
    case Way::pkix: {  // as the world does it without delegation: a certificate that names the customers
      Wanted wanted{.hosts = {provider.host}};
      wanted.hosts.insert(wanted.hosts.end(), provider.customers.begin(), provider.customers.end());
      return authority.issue(wanted);
    }
    case Way::mixed:  // by SRVNames, which are good for XMPP alone, those who want to be named
      return authority.issue(
          {.hosts = {provider.host, provider.other_host}, .xmpp_domains = named_for_xmpp(plan, provider)});
  }
  return fail(Reason::internal, "no certificates for this way");
}

Result<std::optional<Identity>> make_broken(const Plan& plan, const Authority& authority, Duration lifetime) {
  const std::string& host = plan.providers[1].other_host;
  Result<Identity> made = fail(Reason::internal, "nothing is broken");
  if (plan.has(Harm::tlsa) || plan.has(Harm::posh_mismatch))
    made = self_signed({.hosts = {host}});
  else if (plan.has(Harm::cert_expired))
    made = authority.issue({.hosts = {host}, .lifetime = lifetime});
  else if (plan.has(Harm::cert_revoked))
    made = authority.issue({.hosts = {host}});
  else
    return std::nullopt;
  if (!made) return fail(made.error());
  return std::optional(std::move(*made));
}

std::string tlsa(const Provider& provider, const std::string& host, const Identity& of) {
  return fmt::format("_{}._tcp.{}. 3600 IN TLSA 3 1 1 {}", provider.s2s_port, host, hex(of.spki_sha256));
}

std::string srv(const std::string& customer, std::uint16_t port, const std::string& host) {
  return fmt::format("{}{}. 3600 IN SRV 0 0 {} {}.", kSrvOwner, customer, port, host);
}

ZoneText provider_zone(const Plan& plan, std::size_t which, const Identities& identities) {
  const Provider& provider = plan.providers[which];
  ZoneText zone{provider.domain, plan.zones_are_signed(), {fmt::format("{}. 3600 IN A {}", provider.host, kLoopback)}};
  bool has_other = false;
  for (std::size_t i = 0; i < provider.customers.size(); ++i)
    has_other = has_other || plan.host_of(which, i) == provider.other_host;
  if (has_other) zone.records.push_back(fmt::format("{}. 3600 IN A {}", provider.other_host, kLoopback));
  if (plan.way == Way::dane || plan.way == Way::mixed)
    zone.records.push_back(tlsa(provider, provider.host, identities.own));
  if (which == 1 && plan.has(Harm::tlsa))
    zone.records.push_back(tlsa(provider, provider.other_host, *identities.broken));
  return zone;
}

}  // namespace

Result<std::array<Identities, 2>> make_identities(const Plan& plan, const Authority& authority,
                                                  Duration broken_lifetime) {
  auto one = make_own(plan, 0, authority), two = make_own(plan, 1, authority);
  auto broken = make_broken(plan, authority, broken_lifetime);
  if (!one) return fail(one.error());
  if (!two) return fail(two.error());
  if (!broken) return fail(broken.error());
  return std::array{Identities{std::move(*one), std::nullopt}, Identities{std::move(*two), std::move(*broken)}};
}

std::vector<ZoneText> make_zones(const Plan& plan, const std::array<Identities, 2>& identities) {
  std::vector<ZoneText> zones{{"tld", true, {}}};
  for (std::size_t which = 0; which < plan.providers.size(); ++which) {
    const Provider& provider = plan.providers[which];
    zones.push_back(provider_zone(plan, which, identities[which]));
    for (std::size_t i = 0; i < provider.customers.size(); ++i) {
      const Way way = plan.way_of(i);
      ZoneText zone{provider.customers[i],
                    way == Way::dnssec || way == Way::dane,
                    {srv(provider.customers[i], provider.s2s_port, plan.host_of(which, i))}};
      if (way == Way::posh) zone.records.push_back(fmt::format("{}. 3600 IN A {}", zone.name, plan.web_address));
      zones.push_back(std::move(zone));
    }
  }
  return zones;
}

Result<void> spoil(const Plan& plan, dns::Tree& tree) {
  const Provider& provider = plan.providers[1];
  const std::string owner = std::string(kSrvOwner) + plan.broken_domain();
  if (plan.has(Harm::rrsig)) {
    const WallTime now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    return tree.set_validity(owner, "SRV", now - 24h * 31, now - 24h);
  }
  if (plan.has(Harm::srv_bogus)) return tree.alter(srv(plan.broken_domain(), provider.s2s_port, provider.other_host));
  return {};
}

}  // namespace ligase::lab
