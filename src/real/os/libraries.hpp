// The libraries that this process runs with, which need not be those it was built with: what is too old to work is refused
// at the start, and a known hole that a stranger's bytes reach is said (AB-205).
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace ligase::os {

struct Libraries {
  std::string expat;                // "2.5.0"
  bool expat_takes_at_once = true;  // it has XML_SetReparseDeferralEnabled: without it stanzas are seen late or never
  std::uint32_t openssl = 0;        // 0xMNN00PP0, as OPENSSL_VERSION_NUMBER
  std::string openssl_text;         // "3.0.19"
  std::string unbound;              // "1.17.1"
};
Libraries libraries();  // of this process

struct LibraryFinding {
  bool is_fatal;
  std::string what, advice;
};
// Distributions mend holes without a new version number, so what is said is only what is certain: below these versions no
// distribution that ligase runs on has them mended.
std::vector<LibraryFinding> judge(const Libraries& libraries);

}  // namespace ligase::os
