// Expected failure as a value. Exceptions are for memory and start-up; none leaves a layer.
#pragma once
#include <string>
#include <tl/expected.hpp>

#include "base/reason.hpp"

namespace ligase {

struct Error {
  Reason reason;
  std::string detail;  // one sentence's worth of particulars, for people; may be empty; never holds a secret
  bool operator==(const Error&) const = default;
};

inline std::string reason_text(const Error& why) {  // "dane.mismatch: …"
  return std::string(name_of(why.reason)) + ": " + why.detail;
}

template <class T>
using Result = tl::expected<T, Error>;

[[nodiscard]] inline tl::unexpected<Error> fail(Reason reason, std::string detail = {}) {
  return tl::unexpected<Error>(Error{reason, std::move(detail)});
}
[[nodiscard]] inline tl::unexpected<Error> fail(Error error) { return tl::unexpected<Error>(std::move(error)); }

}  // namespace ligase
