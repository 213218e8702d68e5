// The command as a whole: what can be refused is refused before anything starts.
#include "lab/lab.hpp"

#include <cstdio>

namespace ligase::lab {

int run(const Options& options) {
  std::fprintf(stderr, "ligase: error: cannot run the lab with %s: not in this version\n",
               std::string(name_of(options.proof)).c_str());
  return 2;
}

}  // namespace ligase::lab
