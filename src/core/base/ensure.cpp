#include "base/ensure.hpp"

#include <cstdio>
#include <cstdlib>

namespace ligase {

void not_so(std::string_view what, const std::source_location& where) noexcept {
  std::fprintf(stderr, "ligase: internal error: %s:%u: it does not hold that %.*s\n", where.file_name(),
               static_cast<unsigned>(where.line()), static_cast<int>(what.size()), what.data());
  std::abort();
}

}  // namespace ligase
