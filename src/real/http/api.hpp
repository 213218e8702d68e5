// The paths of the API (contract, section 5), as a Handler: exact routes, errors as the `error` document.
#pragma once
#include "http/server.hpp"
#include "report/snapshot.hpp"
#include "seams/control.hpp"

namespace ligase::http {

// What a listener lets its clients do. Only the control socket changes anything, or makes the gateway connect somewhere
// because of a question (SEC-04).
enum class Access : std::uint8_t { read, control };

// `gateway` and `control` are borrowed and asked on the loop; they outlive whoever holds the handler.
Handler make_api(const report::Observable& gateway, seams::Control& control, Access access);

}  // namespace ligase::http
