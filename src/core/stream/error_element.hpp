// <stream:error/> as bytes, for every kind of stream we answer on (RFC 6120 §4.9.2).
#pragma once
#include <string>

#include "stream/stream_error.hpp"

namespace ligase::stream {

std::string error_element(const StreamFault& fault);

}  // namespace ligase::stream
