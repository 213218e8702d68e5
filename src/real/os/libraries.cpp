// Version functions of the libraries, and one symbol that is looked up.
#include "os/libraries.hpp"

#include <dlfcn.h>
#include <expat.h>
#include <fmt/format.h>
#include <openssl/crypto.h>
#include <unbound.h>

#include <charconv>

namespace ligase::os {
namespace {

constexpr std::uint32_t kLeastOpenssl = 0x30000090;  // 3.0.9
constexpr std::uint64_t kLeastUnbound = 1'017'001;   // 1.17.1

// "1.17.1" as 1'017'001; 0: not readable.
std::uint64_t number_of(const std::string& version) {
  std::uint64_t number = 0;
  const char* at = version.data();
  const char* const end = at + version.size();
  for (int part = 0; part < 3; ++part) {
    std::uint64_t value = 0;
    const auto [next, error] = std::from_chars(at, end, value);
    if (error != std::errc{} || value > 999) return 0;
    number = number * 1000 + value;
    at = next != end && *next == '.' ? next + 1 : next;
  }
  return number;
}

}  // namespace

Libraries libraries() {
  const XML_Expat_Version expat = XML_ExpatVersionInfo();
  return {fmt::format("{}.{}.{}", expat.major, expat.minor, expat.micro),
          ::dlsym(RTLD_DEFAULT, "XML_SetReparseDeferralEnabled") != nullptr,
          static_cast<std::uint32_t>(OpenSSL_version_num()), OpenSSL_version(OPENSSL_VERSION_STRING), ub_version()};
}

std::vector<LibraryFinding> judge(const Libraries& libraries) {
  std::vector<LibraryFinding> findings;
  if (!libraries.expat_takes_at_once) {
    findings.push_back(
        {true,
         fmt::format("the library expat {} has no XML_SetReparseDeferralEnabled: it would hold stanzas "
                     "back, and has the hole CVE-2023-52425",
                     libraries.expat),
         "install libexpat1 2.6.0 or newer, on Debian 12 2.5.0-1+deb12u2 or newer: apt-get install libexpat1"});
  }
  if (libraries.openssl < kLeastOpenssl) {
    findings.push_back(
        {false,
         fmt::format("the library OpenSSL {} is older than 3.0.9, and may have holes that a peer's certificate "
                     "or revocation list reaches (CVE-2022-3602, CVE-2023-0286, CVE-2023-2650)",
                     libraries.openssl_text),
         "renew it: apt-get install libssl3"});
  }
  if (number_of(libraries.unbound) < kLeastUnbound) {
    findings.push_back(
        {false,
         fmt::format("the library libunbound {} is older than 1.17.1, and may have holes that a stranger's "
                     "zone reaches (CVE-2023-50387)",
                     libraries.unbound),
         "renew it: apt-get install libunbound8"});
  }
  return findings;
}

}  // namespace ligase::os
