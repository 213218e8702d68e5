// A failure in the words that the sender of a stanza reads.
#pragma once
#include <string>

#include "base/reason.hpp"
#include "name/domain.hpp"

namespace ligase::report {

// "sender2.tld could not be authenticated: dane.mismatch: its certificate is not …"
std::string failure_text(const Domain& remote, Reason reason);

}  // namespace ligase::report
