#include "report/failure.hpp"

#include <fmt/format.h>

#include "base/told.hpp"

namespace ligase::report {

std::string failure_text(const Domain& remote, Reason reason) {
  return fmt::format("{} {}: {}", remote.unicode(),
                     is_of_proof(reason) ? "could not be authenticated" : "could not be reached", told(reason));
}

}  // namespace ligase::report
