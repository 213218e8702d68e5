// Zones and certificates of each way side by side, since they are two halves of one statement.
#include "lab/zones.hpp"

#include <fmt/format.h>

namespace ligase::lab {
namespace {

Result<Identity> make_identity(const Plan& plan, const Provider& provider, const Authority& authority) {
  switch (plan.way) {
    case Way::dnssec:
      return authority.issue({provider.host});
    case Way::dane:
    case Way::dialback:
      return self_signed({provider.host});
    case Way::pkix: {  // as the world does it without delegation: a certificate that names the customers
      std::vector<std::string> names{provider.host};
      names.insert(names.end(), provider.customers.begin(), provider.customers.end());
      return authority.issue(names);
    }
    case Way::posh:
    case Way::mixed:
      break;
  }
  return fail(Reason::internal, "no certificates for this way");
}

}  // namespace

Result<std::array<Identity, 2>> make_identities(const Plan& plan, const Authority& authority) {
  auto one = make_identity(plan, plan.providers[0], authority);
  if (!one) return fail(one.error());
  auto two = make_identity(plan, plan.providers[1], authority);
  if (!two) return fail(two.error());
  return std::array{std::move(*one), std::move(*two)};
}

std::vector<ZoneText> make_zones(const Plan& plan, const std::array<Identity, 2>& identities) {
  std::vector<ZoneText> zones{{"tld", true, {}}};
  for (std::size_t i = 0; i < plan.providers.size(); ++i) {
    const Provider& provider = plan.providers[i];
    ZoneText own{provider.domain, plan.zones_are_signed(), {fmt::format("{}. 3600 IN A {}", provider.host, kLoopback)}};
    if (plan.way == Way::dane)
      own.records.push_back(fmt::format("_{}._tcp.{}. 3600 IN TLSA 3 1 1 {}", provider.s2s_port, provider.host,
                                        hex(identities[i].spki_sha256)));
    zones.push_back(std::move(own));
    for (const std::string& customer : provider.customers)
      zones.push_back(
          {customer,
           plan.zones_are_signed(),
           {fmt::format("_xmpp-server._tcp.{}. 3600 IN SRV 0 0 {} {}.", customer, provider.s2s_port, provider.host)}});
  }
  return zones;
}

}  // namespace ligase::lab
