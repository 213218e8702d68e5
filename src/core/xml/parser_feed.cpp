// What expat is given, and when: only up to the last '>' received, since expat scans an unfinished tag again from its
// start each time, and never past a limit before all before it was judged, so that the first fault in the bytes is the
// one reported, however they were cut (XML-02, AB-010, AB-013).
#include <expat.h>

#include <algorithm>

#include "xml/fault.hpp"
#include "xml/parser_state.hpp"

namespace ligase::xml {
namespace {
constexpr std::size_t kChunk = 7 * 1024;  // keeps expat's own buffer, this and 1 KiB of context, at 8 KiB
}

bool Parser::State::pass_next() {
  const Position end = window.end();
  if (passed == end) return false;
  if (!is_begun) return pass_prolog(end);
  const bool is_inside = depth > 1;
  const Position stanza_bound = this->stanza_bound(), token_bound = token_start + limits.start_tag;
  const Position bound = std::min(stanza_bound, token_bound);
  std::optional<Position> cut = cut_before(std::min(end, bound));
  // Between elements, and in one that nobody gets, there is nothing to wait for but a tag.
  if (!cut && (!is_inside || is_discarding) && passed < bound && window.at(passed) != '<' &&
      (token_start == passed || window.at(token_start) != '<'))
    cut = window.find('<', passed, std::min(end, bound)).value_or(std::min(end, bound));
  if (!cut && end > bound) {
    if (passed >= bound) {
      refuse_at(stanza_bound, token_bound);
      return life == Life::running;
    }
    cut = bound;
  }
  if (!cut) return false;
  pass(*cut);
  return life == Life::running && check_unfinished();
}

// How far the open element, or the one that begins, may go.
Position Parser::State::stanza_bound() const {
  if (is_discarding) return element_start + limits.discarded;
  if (depth > 1) return element_start + limits.stanza_size;
  // Its start tag says who is answered: it is read whole, as far as a start tag may go.
  if (limits.oversize == Oversize::costs_itself) return token_start + limits.start_tag;
  return token_start + limits.stanza_size;
}

void Parser::State::refuse_at(Position stanza_bound, Position token_bound) {
  if (stanza_bound > token_bound) return fail_with(too_much("a start tag", limits.start_tag, "bytes"));
  if (is_discarding) return fail_with(too_much("a stanza", limits.discarded, "bytes"));
  if (limits.oversize == Oversize::ends_the_stream) return fail_with(too_much("a stanza", limits.stanza_size, "bytes"));
  if (depth <= 1) return fail_with(too_much("a start tag", limits.start_tag, "bytes"));
  is_discarding = true;
}

// Before the stream header: one token at a time, so that nothing behind a document type is ever looked at (AB-001).
bool Parser::State::pass_prolog(Position end) {
  if (!is_encoding_checked && !check_encoding(end)) return false;
  if (token_start == passed) {
    if (window.at(passed) != '<') {
      if (!is_space(window.at(passed))) {
        fail_with({StreamError::not_well_formed, "text before the stream's start tag"});
        return false;
      }
      Position next = passed;
      while (next < end && is_space(window.at(next))) ++next;
      pass(next);
      token_start = passed;
      return life == Life::running;
    }
    if (window.has_at(passed, "<!")) {
      if (end - passed < 3) return false;
      const char third = window.at(passed + 2);
      fail_with(third == 'D'   ? doctype_fault()
                : third == '-' ? comment_fault()
                               : fault_of_expat(XML_ERROR_INVALID_TOKEN));
      return false;
    }
  }
  const Position bound = token_start + limits.start_tag;
  const Position limit = std::min(end, bound);
  std::optional<Position> cut;
  if (token_start < passed) {
    cut = end_of_tag(limit);
  } else if (const auto found = window.find('>', std::max(passed, searched), limit)) {
    cut = *found + 1;
  } else {
    searched = limit;
  }
  if (!cut && end > bound) {
    if (passed >= bound) {
      fail_with(too_much("a start tag", limits.start_tag, "bytes"));
      return false;
    }
    cut = bound;
  }
  if (!cut) return false;
  const bool was_declared = is_declared;
  pass(*cut);
  if (life != Life::running) return false;
  if (!is_begun && is_declared != was_declared) token_start = passed;
  return check_unfinished();
}

// expat would follow a mark or NULs to UTF-16 whatever encoding it was created with (AB-004).
bool Parser::State::check_encoding(Position end) {
  const auto refuse = [&](const char* what) {
    fail_with({StreamError::unsupported_encoding, what});
    return false;
  };
  const char first = window.at(0);
  if (first == '\0' || first == '\xFE' || first == '\xFF') return refuse("an encoding other than UTF-8");
  if (first == '\xEF') return refuse("a byte order mark");
  if (end < 2) return false;
  if (window.at(1) == '\0') return refuse("an encoding other than UTF-8");
  is_encoding_checked = true;
  return true;
}

// A comment or processing instruction that expat waits for the end of: refused now, whatever its end may be.
bool Parser::State::check_unfinished() {
  if (token_start == passed) return true;
  if (token_start == 0 && window.has_at(0, "<?xml")) return true;  // its own size bounds it
  if (window.has_at(token_start, "<?")) {
    const bool is_declaration =
        window.has_at(token_start, "<?xml") && token_start + 5 < window.end() && is_space(window.at(token_start + 5));
    fail_with(is_declaration ? second_declaration_fault() : instruction_fault());
  } else if (window.has_at(token_start, "<!--")) {
    fail_with(comment_fault());
  }
  return life == Life::running;
}

void Parser::State::pass(Position end) {
  // Two calls where a piece kept from before is followed by fresh bytes.
  while (passed < end && life == Life::running) {
    const std::string_view piece = window.piece(passed, end);
    passed += piece.size();
    understand(XML_Parse(expat, piece.data(), static_cast<int>(piece.size()), XML_FALSE));
  }
}

void Parser::State::understand(int status) {
  throw_failure();
  if (life == Life::failed || life == Life::closed) return;
  switch (static_cast<XML_Status>(status)) {
    case XML_STATUS_ERROR: {
      const XML_Error code = XML_GetErrorCode(expat);
      if (code == XML_ERROR_INVALID_TOKEN) {
        // What stands at this position was no token; in a comment or before a document type it is neither's business.
        const Position where = event_start();
        if (where >= window.start() + 2 && where < window.end() && window.at(where) == 'D' &&
            window.has_at(where - 2, "<!"))
          return fail_with(doctype_fault());
        if (auto unfinished = unfinished_fault(where)) return fail_with(std::move(*unfinished));
        // expat refuses "text]]>" whole, and "text" already when it comes alone.
        if (is_begun && depth == 1 && is_behind_text(where)) return fail_with(text_fault());
      }
      return fail_with(fault_of_expat(code));
    }
    case XML_STATUS_SUSPENDED:
      if (wants_renewal && life == Life::running) renew();
      return;
    case XML_STATUS_OK:
      if (is_begun && life == Life::running) token_start = std::min(event_start(), passed);
      return;
  }
}

// The fault of a comment or processing instruction that began before `where` and has not ended; nullopt: neither did.
std::optional<StreamFault> Parser::State::unfinished_fault(Position where) const {
  if (is_in_cdata) return std::nullopt;
  const Position start = std::max({window.start(), delivered, cdata_end});
  for (Position i = std::min(where, window.end()); i > start; --i) {
    if (window.has_at(i - 1, "<!--")) return comment_fault();
    if (window.has_at(i - 1, "<?")) {
      const bool is_declaration = window.has_at(i - 1, "<?xml") && i + 4 < window.end() && is_space(window.at(i + 4));
      return is_declaration ? std::nullopt : std::optional(instruction_fault());
    }
  }
  return std::nullopt;
}

// True if what follows the last element, up to `where`, begins as text.
bool Parser::State::is_behind_text(Position where) const {
  Position i = std::max(delivered, window.start());
  while (i < where && is_space(window.at(i))) ++i;
  return i < where && window.at(i) != '<';
}

// Behind the last '>' before `end`, or behind an unfinished tag's own '>'.
std::optional<Position> Parser::State::cut_before(Position end) {
  if (token_start < passed && window.at(token_start) == '<') return end_of_tag(end);
  const Position start = std::max(passed, searched);
  if (start >= end) return std::nullopt;
  const Position chunk = std::min(end, passed + kChunk);
  std::optional<Position> found;
  if (chunk > start) found = window.find_last('>', start, chunk);
  if (!found && end > chunk) found = window.find('>', std::max(start, chunk), end);
  if (found) return *found + 1;
  searched = end;
  return std::nullopt;
}

// '>' may stand inside of attribute values. Passing such a tag on at each of them would be quadratic (AB-013).
std::optional<Position> Parser::State::end_of_tag(Position end) {
  if (tag_start != token_start || tag_scanned < token_start) {
    tag_start = tag_scanned = token_start;
    tag_quote = 0;
  }
  while (tag_scanned < end) {
    const char c = window.at(tag_scanned++);
    if (tag_quote != 0) {
      if (c == tag_quote) tag_quote = 0;
    } else if (c == '\'' || c == '"') {
      tag_quote = c;
    } else if (c == '>' && tag_scanned > passed) {
      return tag_scanned;
    }
  }
  return std::nullopt;
}

}  // namespace ligase::xml
