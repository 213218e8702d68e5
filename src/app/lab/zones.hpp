// What the lab publishes in its DNS: a zone a customer, as in the world, each with the one SRV record that says which
// provider serves it. Whether the zones are signed, and whether the providers publish TLSA records, is what a way
// needs.
#pragma once
#include <array>
#include <string>
#include <vector>

#include "lab/authority.hpp"
#include "lab/plan.hpp"

namespace ligase::lab {

struct ZoneText {
  std::string name;  // "sender1.tld"
  bool is_signed = true;
  std::vector<std::string> records;  // one line each, absolute names
  bool operator==(const ZoneText&) const = default;
};

// Parents first. `identities`: the providers' certificates, in the plan's order.
std::vector<ZoneText> make_zones(const Plan& plan, const std::array<Identity, 2>& identities);

// A certificate for each provider, as the plan's way asks for; `authority` signs where one is asked for at all.
Result<std::array<Identity, 2>> make_identities(const Plan& plan, const Authority& authority);

}  // namespace ligase::lab
