// What leaves is one whole element that needs nothing of the stream it came by: a promise of append_passed() and of the errors
// we make (XML-04, AB-182). Debug and test builds read each again before it is sent, for a broken one ends a stream that others
// share.
#pragma once
#include <string_view>

namespace ligase::xml {

// True if `bytes` is exactly one element, well-formed in a stream whose header declares `content_ns` and no prefix.
bool stands_alone(std::string_view bytes, std::string_view content_ns);

// Asserts it where LIGASE_CHECK_OUTPUT is set, as in debug builds; elsewhere it does nothing.
void ensure_stands_alone(std::string_view bytes, std::string_view content_ns);

}  // namespace ligase::xml
