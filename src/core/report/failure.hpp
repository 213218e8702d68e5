// A failure in the words that a sender and an operator read.
#pragma once
#include <string>

#include "base/result.hpp"
#include "name/domain.hpp"

namespace ligase::report {

// "sender2.tld could not be authenticated: dane.mismatch: …"
std::string failure_text(const Domain& remote, const Error& why);

}  // namespace ligase::report
