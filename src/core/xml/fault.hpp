// Which stream error answers which fault in the XML (RFC 6120 §4.9.3, §11), in words for the other side's operator.
// Internal to xml/.
#pragma once
#include <cstddef>

#include "stream/stream_error.hpp"

namespace ligase::xml {

StreamFault too_much(const char* what, std::size_t most, const char* unit);  // "a stanza of more than 16384 bytes"
StreamFault text_fault();
StreamFault separator_fault();  // in a namespace name
StreamFault comment_fault();
StreamFault doctype_fault();
StreamFault instruction_fault();
StreamFault second_declaration_fault();
// `code` is an XML_Error.
StreamFault fault_of_expat(int code);

}  // namespace ligase::xml
