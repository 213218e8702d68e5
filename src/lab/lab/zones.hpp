// What the lab publishes in its DNS: a zone a customer, as in the world, each with the one SRV record that says which
// provider serves it (and the address of its web server, where it has one). Whether the zones are signed, and whether the providers publish TLSA records, is what a way
// needs.
#pragma once
#include <array>
#include <optional>
#include <string>
#include <vector>

#include "lab/authority.hpp"
#include "lab/dns/tree.hpp"
#include "lab/plan.hpp"

namespace ligase::lab {

struct ZoneText {
  std::string name;  // "sender1.tld"
  bool is_signed = true;
  std::vector<std::string> records;  // one line each, absolute names
  bool operator==(const ZoneText&) const = default;
};

// What a provider's gateway shows.
struct Identities {
  Identity own;
  std::optional<Identity> broken;  // another, as what is broken wants it: shown for that domain, or just published
};

// A certificate for each provider, as the plan asks for it; `authority` signs where one is asked for at all.
// `broken_lifetime`: of the certificate that is to expire.
Result<std::array<Identities, 2>> make_identities(const Plan& plan, const Authority& authority,
                                                  Duration broken_lifetime = std::chrono::seconds(2));

// Parents first.
std::vector<ZoneText> make_zones(const Plan& plan, const std::array<Identities, 2>& identities);

// Makes wrong what the plan wants wrong in zones that stand.
Result<void> spoil(const Plan& plan, dns::Tree& tree);

}  // namespace ligase::lab
