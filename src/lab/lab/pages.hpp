// What the customers publish on their web servers: the POSH documents (RFC 7711) of those who are proven by them, and the
// one that is wrong.
#pragma once
#include <array>
#include <vector>

#include "lab/plan.hpp"
#include "lab/web.hpp"
#include "lab/zones.hpp"

namespace ligase::lab {

// Whose web servers there are: what the web server's certificate names. Those certificates are not the gateways'.
std::vector<std::string> web_hosts(const Plan& plan);

Result<std::vector<Page>> make_pages(const Plan& plan, const std::array<Identities, 2>& identities);

}  // namespace ligase::lab
