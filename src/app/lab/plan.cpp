// The names of the lab.
#include "lab/plan.hpp"

namespace ligase::lab {
namespace {

Provider make_provider(std::string name, std::string domain, const std::string& customer, unsigned count) {
  Provider provider;
  provider.name = std::move(name);
  provider.host = "xmpp1." + domain;
  provider.domain = std::move(domain);
  for (unsigned i = 1; i <= count; ++i) provider.customers.push_back(customer + std::to_string(i) + ".tld");
  return provider;
}

}  // namespace

Plan make_plan(const Options& options) {
  Plan plan;
  plan.way = options.proof;
  plan.providers = {make_provider("one", "originating.tld", "sender", options.domains_one),
                    make_provider("two", "receiving.tld", "target", options.domains_two)};
  return plan;
}

}  // namespace ligase::lab
