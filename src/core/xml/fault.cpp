// Faults in the XML as stream errors. The wrong namespace use is `not-well-formed`, for RFC 6120 §4.9.3.13 names both
// XML and XML-NAMES; a reference to any entity but the five predefined ones is `restricted-xml` (§11.1).
#include "xml/fault.hpp"

#include <expat.h>
#include <fmt/format.h>

namespace ligase::xml {

StreamFault too_much(const char* what, std::size_t most, const char* unit) {
  return {StreamError::policy_violation, fmt::format("{} of more than {} {}", what, most, unit)};
}
StreamFault text_fault() { return {StreamError::bad_format, "text between the elements of a stream"}; }
StreamFault separator_fault() {
  return {StreamError::policy_violation, "a namespace name with a control character, a space, {, } or |"};
}
StreamFault comment_fault() { return {StreamError::restricted_xml, "a comment; RFC 6120 §11.1 forbids it"}; }
StreamFault doctype_fault() {
  return {StreamError::restricted_xml, "a document type declaration; RFC 6120 §11.1 forbids it"};
}
StreamFault instruction_fault() {
  return {StreamError::restricted_xml, "a processing instruction; RFC 6120 §11.1 forbids it"};
}
StreamFault second_declaration_fault() {
  return {StreamError::not_well_formed, "an XML declaration that is not at the very start of a stream"};
}

StreamFault fault_of_expat(int code) {
  switch (code) {
    case XML_ERROR_UNDEFINED_ENTITY:
    case XML_ERROR_RECURSIVE_ENTITY_REF:
    case XML_ERROR_ASYNC_ENTITY:
    case XML_ERROR_BINARY_ENTITY_REF:
    case XML_ERROR_ATTRIBUTE_EXTERNAL_ENTITY_REF:
    case XML_ERROR_EXTERNAL_ENTITY_HANDLING:
    case XML_ERROR_PARAM_ENTITY_REF:
    case XML_ERROR_ENTITY_DECLARED_IN_PE:
    case XML_ERROR_NOT_STANDALONE:
    case XML_ERROR_AMPLIFICATION_LIMIT_BREACH:
      return {StreamError::restricted_xml, "an entity other than the five predefined ones; RFC 6120 §11.1 forbids it"};
    case XML_ERROR_UNKNOWN_ENCODING:
    case XML_ERROR_INCORRECT_ENCODING:
      return {StreamError::unsupported_encoding, "an encoding other than UTF-8"};
    case XML_ERROR_NO_MEMORY:
      return {StreamError::resource_constraint, "out of memory"};
    case XML_ERROR_MISPLACED_XML_PI:
      return second_declaration_fault();
    case XML_ERROR_INVALID_TOKEN:
      return {StreamError::not_well_formed, "bytes that are no well-formed XML in UTF-8"};
    default:  // expat's own list, open-ended: its words are for people already
      return {StreamError::not_well_formed, XML_ErrorString(static_cast<XML_Error>(code))};
  }
}

}  // namespace ligase::xml
