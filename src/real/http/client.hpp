// One question to a running gateway over its control socket, blocking: for `ligase ctl`, never for the gateway itself.
#pragma once
#include <optional>
#include <string>

#include "base/result.hpp"
#include "base/time.hpp"

namespace ligase::http {

struct Got {
  unsigned status = 0;
  std::string body;
};
// GET `target`, or POST where there is a `body` (JSON; may be empty). Errors: connect_refused (nobody listens on `path`), file_unreadable (we may not open it), connect_timeout
// (no whole answer within `patience`), network_closed (no HTTP came). The detail says which.
Result<Got> ask(const std::string& path, const std::string& target, const std::optional<std::string>& body,
                Duration patience);
inline Result<Got> get(const std::string& path, const std::string& target, Duration patience) {
  return ask(path, target, std::nullopt, patience);
}

}  // namespace ligase::http
