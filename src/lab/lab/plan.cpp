// The names of the lab.
#include "lab/plan.hpp"

#include <algorithm>

namespace ligase::lab {
namespace {

Provider make_provider(std::string name, std::string domain, const std::string& customer, unsigned count) {
  Provider provider;
  provider.name = std::move(name);
  provider.host = "xmpp1." + domain;
  provider.other_host = "xmpp2." + domain;
  provider.domain = std::move(domain);
  for (unsigned i = 1; i <= count; ++i) provider.customers.push_back(customer + std::to_string(i) + ".tld");
  return provider;
}

}  // namespace

const std::string& Plan::host_of(std::size_t provider, std::size_t customer) const {
  const Provider& of = providers[provider];
  if (way == Way::mixed) return way_of(customer) == Way::dane ? of.host : of.other_host;
  const bool is_broken = provider == 1 && customer + 1 == of.customers.size();
  const bool stands_apart = has(Harm::tlsa) || has(Harm::cert_wrong_name) || has_broken_certificate();
  return is_broken && stands_apart ? of.other_host : of.host;
}

bool Plan::needs_web() const noexcept {
  if (way != Way::mixed) return way == Way::posh;
  const std::size_t most = std::max(providers[0].customers.size(), providers[1].customers.size());
  for (std::size_t i = 0; i < most; ++i)
    if (way_of(i) == Way::posh) return true;
  return false;
}

Plan make_plan(const Options& options) {
  Plan plan;
  if (options.break_what) plan.breakage = find_breakage(*options.break_what);
  plan.way = options.proof.value_or(plan.breakage != nullptr ? plan.breakage->way : Way::dnssec);
  plan.only_that = plan.way != Way::mixed && (options.proof || plan.breakage == nullptr);
  plan.providers = {make_provider("one", "originating.tld", "sender", options.domains_one),
                    make_provider("two", "receiving.tld", "target", options.domains_two)};
  return plan;
}

}  // namespace ligase::lab
