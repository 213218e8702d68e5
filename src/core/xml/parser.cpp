// The parser's life on expat: made, stopped, going on, begun anew, closed or failed.
#include "xml/parser.hpp"

#include <expat.h>

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

#include "xml/fault.hpp"
#include "xml/parser_state.hpp"

namespace ligase::xml {

std::string_view Header::default_ns() const noexcept {
  for (const Declaration& declaration : declarations)
    if (declaration.prefix.empty()) return declaration.uri;
  return {};
}

Parser::State::State(Limits given) : limits(given), expat(XML_ParserCreate_MM("UTF-8", nullptr, &kSeparator)) {
  if (!expat) throw std::bad_alloc();
  prepare();
}
Parser::State::~State() { XML_ParserFree(expat); }

void Parser::State::prepare() {
  XML_SetReparseDeferralEnabled(expat, XML_FALSE);
  XML_SetReturnNSTriplet(expat, 1);
  XML_SetUserData(expat, this);
  XML_SetElementHandler(
      expat,
      [](void* self, const char* tag, const char** attributes) {
        State& state = *static_cast<State*>(self);
        state.guarded([&] { state.on_start(tag, attributes); });
      },
      [](void* self, const char*) {
        State& state = *static_cast<State*>(self);
        state.guarded([&] { state.on_end(); });
      });
  XML_SetStartNamespaceDeclHandler(expat, [](void* self, const char* prefix, const char* uri) {
    State& state = *static_cast<State*>(self);
    state.guarded([&] { state.on_declaration(prefix, uri); });
  });
  XML_SetCommentHandler(expat, [](void* self, const char*) {
    State& state = *static_cast<State*>(self);
    state.guarded([&] { state.fail_with(comment_fault()); });
  });
  XML_SetProcessingInstructionHandler(expat, [](void* self, const char*, const char*) {
    State& state = *static_cast<State*>(self);
    state.guarded([&] { state.fail_with(instruction_fault()); });
  });
  XML_SetCdataSectionHandler(
      expat, [](void* self) { static_cast<State*>(self)->is_in_cdata = true; },
      [](void* data) {
        State& self = *static_cast<State*>(data);
        self.is_in_cdata = false;
        self.cdata_end = self.event_start();
      });
  XML_SetStartDoctypeDeclHandler(expat, [](void* self, const char*, const char*, const char*, int) {
    State& state = *static_cast<State*>(self);
    state.guarded([&] { state.fail_with(doctype_fault()); });
  });
  XML_SetXmlDeclHandler(expat, [](void* data, const char* version, const char* encoding, int) {
    State& self = *static_cast<State*>(data);
    self.is_declared = true;
    const auto is_utf8_name = [](std::string_view text) {
      constexpr std::string_view utf8 = "utf-8";
      return std::ranges::equal(text, utf8, {}, [](char c) { return c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c; });
    };
    self.guarded([&] {
      if (version == nullptr || std::strcmp(version, "1.0") != 0)
        self.fail_with({StreamError::not_well_formed, "an XML version other than 1.0"});
      else if (encoding != nullptr && !is_utf8_name(encoding))
        self.fail_with({StreamError::unsupported_encoding, "an encoding other than UTF-8"});
    });
  });
}

void Parser::State::reset() {
  XML_ParserReset(expat, "UTF-8");
  prepare();
  life = Life::running;
  tail = Tail::none;
  fault = {};
  thrown.clear();
  window.clear();
  passed = searched = token_start = delivered = expat_start = renewed_at = 0;
  tag_start = tag_scanned = element_start = cdata_end = 0;
  wants_renewal = is_encoding_checked = is_declared = is_begun = is_replaying = needs_rewriting = is_in_cdata = false;
  is_discarding = false;
  depth = new_declarations = inherited = own_ns_declared = discarded_names = 0;
  declared.clear();
  on_first_tag.clear();
  cannot_pass = std::nullopt;
}

// A new expat takes over behind the element delivered last, in the stream's context.
void Parser::State::renew() {
  XML_Parser next = XML_ParserCreate_MM("UTF-8", nullptr, &kSeparator);
  if (!next) throw std::bad_alloc();
  XML_ParserFree(expat);
  expat = next;
  prepare();
  const std::string context = start_tag_in_context(root_name, stream.declarations);
  is_replaying = true;
  XML_Parse(expat, context.data(), static_cast<int>(context.size()), XML_FALSE);
  is_replaying = false;
  expect_text();
  life = Life::running;
  wants_renewal = false;
  renewed_at = passed = searched = token_start = delivered;
  expat_start = delivered - context.size();
}

Fed Parser::State::run(bool resumes) {
  if (resumes && tail == Tail::close) {
    life = Life::closed;
    sink->close();
  } else if (resumes && wants_renewal) {
    renew();
  } else if (resumes) {
    understand(XML_ResumeParser(expat));
  }
  while (life == Life::running && pass_next()) {
  }
  keep();
  sink = nullptr;
  if (tail == Tail::restart) reset();
  return result();
}

void Parser::State::throw_failure() {
  if (!thrown.is_kept()) return;
  fault = {StreamError::internal_server_error, {}};
  sink = nullptr;
  window.clear();
  thrown.rethrow();
}

Fed Parser::State::result() const {
  switch (life) {
    case Life::running:
      return {};
    case Life::stopped:
      return {Fed::State::stopped, static_cast<std::size_t>(window.end() - delivered), std::nullopt};
    case Life::closed:
      return {Fed::State::closed, 0, std::nullopt};
    case Life::failed:
      return {Fed::State::failed, 0, fault};
  }
  return {};
}

void Parser::State::fail_with(StreamFault what) {
  if (life == Life::failed || life == Life::closed) return;
  fault = std::move(what);
  life = Life::failed;
  XML_StopParser(expat, XML_FALSE);
}

void Parser::State::stop() {
  life = Life::stopped;
  XML_StopParser(expat, XML_TRUE);
}

// The caller's bytes go; what is still needed of them stays.
void Parser::State::keep() {
  Position needed = window.end();
  if (life == Life::stopped) {
    needed = delivered;
  } else if (life == Life::running) {
    needed = std::min(token_start, passed);
    if (is_begun && depth > 1 && !is_discarding) needed = std::min(needed, element_start);
  }
  window.keep_from(needed);
}

Parser::Parser(Limits limits) : state_(std::make_unique<State>(limits)) {}
Parser::~Parser() = default;
Parser::Parser(Parser&&) noexcept = default;
Parser& Parser::operator=(Parser&&) noexcept = default;

Fed Parser::feed(std::string_view bytes, Sink& sink) {
  State& state = *state_;
  if (state.life == State::Life::closed || state.life == State::Life::failed) return state.result();
  state.window.feed(bytes);
  if (state.life == State::Life::stopped) {
    state.keep();
    return state.result();
  }
  state.sink = &sink;
  return state.run(false);
}

Fed Parser::resume(Sink& sink) {
  State& state = *state_;
  if (state.life != State::Life::stopped) return state.result();
  state.life = State::Life::running;
  state.sink = &sink;
  return state.run(true);
}

void Parser::restart() {
  if (state_->sink == nullptr) return state_->reset();
  state_->tail = State::Tail::restart;  // from within a call of the sink: when expat has returned
  if (state_->life == State::Life::running) state_->stop();
}

void Parser::set_stanza_size(std::size_t bytes, Oversize oversize) noexcept {
  state_->limits.stanza_size = bytes;
  state_->limits.oversize = oversize;
}
bool Parser::is_discarding() const noexcept { return state_->is_discarding; }
std::size_t Parser::buffered() const noexcept { return state_->window.held(); }
const Header& Parser::header() const noexcept { return state_->stream; }

}  // namespace ligase::xml