// The gateways' configurations (contract, section 3), written to be read: with --keep, a person looks at them.
#pragma once
#include <string>

#include "lab/plan.hpp"

namespace ligase::lab {

// The text of <folder>/ligase.toml. Everything it names lies beside it, but for the lab's two anchors.
std::string make_configuration(const Plan& plan, const Provider& provider);

// The text of <folder>/customers.txt.
std::string make_customer_list(const Provider& provider);

}  // namespace ligase::lab
