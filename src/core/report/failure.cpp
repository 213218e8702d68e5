#include "report/failure.hpp"

#include <fmt/format.h>

namespace ligase::report {

std::string failure_text(const Domain& remote, const Error& why) {
  const std::string detail = why.detail.empty() ? std::string(describe(why.reason).what_to_do) : why.detail;
  return fmt::format("{} {}: {}: {}", remote.unicode(),
                     is_of_proof(why.reason) ? "could not be authenticated" : "could not be reached",
                     name_of(why.reason), detail);
}

}  // namespace ligase::report
