// The paths of the API (contract, section 5), as a Handler: exact routes, GET only, errors as the `error` document.
#pragma once
#include "http/server.hpp"
#include "report/snapshot.hpp"

namespace ligase::http {

// `gateway` is borrowed and asked on the loop; it outlives whoever holds the handler.
Handler make_api(const report::Observable& gateway);

}  // namespace ligase::http
