// One message of libunbound as evidence. Pure: bytes, verdict and time in, a proof::Answer out.
#pragma once
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/time.hpp"
#include "proof/dns.hpp"

namespace ligase::dns {

// libunbound's verdict: its `sec`.
enum class Verdict : std::uint8_t { insecure = 0, bogus = 1, secure = 2 };

// The answer to (name, type) in `packet`, aliases followed: at most 8 (AB-136). The response code is the packet's own:
// whatever is neither success nor a denial is indeterminate, though libunbound calls it insecure. A bogus answer's
// data is left out. Of several signatures over a set, those past at `now` do not count.
proof::Answer read_answer(BytesView packet, std::string_view name, proof::RrType type, Verdict verdict,
                          std::string_view why_bogus, WallTime now);

// An answer that says nothing but why.
proof::Answer no_answer(std::string why);

}  // namespace ligase::dns
