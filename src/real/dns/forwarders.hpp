// Whom the resolver asks. libunbound reads no resolv.conf and checks little of what it is told, so both happen here.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace ligase::dns {

// "addr@port", "addr" (port 53), IPv4 or IPv6, in the form libunbound takes. `configured` empty: those of resolv.conf's
// text; {"root"}: none, from the root itself. config_invalid for anything else.
Result<std::vector<std::string>> read_forwarders(const std::vector<std::string>& configured,
                                                 std::string_view resolv_conf);

// The `nameserver` lines of resolv.conf(5), the first three as libc; without any, the local host.
std::vector<std::string> read_resolv_conf(std::string_view text);

}  // namespace ligase::dns
