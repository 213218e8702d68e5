// Keeping, bouncing and queueing stanzas.
#include "pair/queue.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "stream/words.hpp"
#include "xml/escape.hpp"
#include "xml/start_tag.hpp"

namespace ligase::pair {
namespace {

constexpr std::size_t kMostEchoed = 1024;

std::string text_of(const std::optional<std::string_view>& value) {
  return value ? std::string(*value) : std::string();
}

std::string_view name_of(stream::StanzaKind kind) {
  switch (kind) {
    case stream::StanzaKind::message:
      return "message";
    case stream::StanzaKind::presence:
      return "presence";
    case stream::StanzaKind::iq:
      break;
  }
  return "iq";
}

void append_attribute(std::string& out, std::string_view name, std::string_view value) {
  if (value.empty()) return;
  out += fmt::format(" {}='", name);
  xml::append_escaped(out, value);
  out += '\'';
}

}  // namespace

Echo echo_of(const xml::ElementView& element) {
  if (element.needs_rewriting || element.cannot_pass) return {};
  const std::string_view bytes = element.bytes;
  xml::StartTag tag(bytes);
  std::vector<xml::StartTag::Attribute> declared;
  while (const auto attribute = tag.next())
    if (attribute->name.starts_with("xmlns:")) declared.push_back(*attribute);
  const std::size_t start = tag.end(), end = bytes.rfind("</");
  if (tag.is_empty_element() || end == std::string_view::npos || end <= start || end - start > kMostEchoed) return {};
  const std::string_view children = bytes.substr(start, end - start);
  Echo echo;
  for (const auto& attribute : declared) {
    const std::string use = std::string(attribute.name.substr(6)) + ":";
    if (children.find(use) != std::string_view::npos) echo.declarations += attribute.whole;
    if (children.size() + echo.declarations.size() > kMostEchoed) return {};
  }
  echo.children = children;
  return echo;
}

Stanza keep(const xml::ElementView& element, stream::StanzaKind kind, std::string bytes, Instant now) {
  return {kind,
          std::move(bytes),
          text_of(element.from),
          text_of(element.to),
          text_of(element.id),
          text_of(element.type),
          echo_of(element),
          now};
}

bool is_answerable(const Stanza& stanza) noexcept {
  if (stanza.type == "error" || stanza.from.empty()) return false;
  return stanza.kind != stream::StanzaKind::iq || (stanza.type != "result" && !stanza.id.empty());
}

std::optional<std::string> error_reply(const Stanza& stanza, Reason reason, std::string_view text) {
  if (!is_answerable(stanza)) return std::nullopt;
  const ReasonText& row = describe(reason);
  std::string out = fmt::format("<{} type='error'", name_of(stanza.kind));
  append_attribute(out, "from", stanza.to);
  append_attribute(out, "to", stanza.from);
  append_attribute(out, "id", stanza.id);
  out += stanza.echo.declarations;
  out += '>';
  out += stanza.echo.children;
  out += fmt::format("<error type='{}'><{} xmlns='{}'/>", error_type_name(row.type), condition_name(row.condition),
                     ns::kStanzaErrors);
  if (!text.empty()) {
    out += fmt::format("<text xmlns='{}' xml:lang='en'>", ns::kStanzaErrors);
    xml::append_escaped(out, text);
    out += "</text>";
  }
  out += fmt::format("</error></{}>", name_of(stanza.kind));
  return out;
}

bool Queue::push(Stanza& stanza, std::uint64_t most) {
  const std::size_t size = stanza.size();
  if (bytes() + size > most || charge_.at().room() < size) return false;
  stanzas_.push_back(std::move(stanza));  // first: what cannot be kept is charged to nobody (AB-161)
  charge_.grow_beyond(size);
  return true;
}

void Queue::push_owed(Stanza stanza) {
  const std::size_t size = stanza.size();
  stanzas_.push_back(std::move(stanza));
  charge_.grow_beyond(size);
}

void Queue::put_back(std::vector<Stanza> stanzas) {
  std::uint64_t size = 0;
  for (const Stanza& stanza : stanzas) size += stanza.size();
  stanzas_.insert(stanzas_.begin(), std::make_move_iterator(stanzas.begin()), std::make_move_iterator(stanzas.end()));
  charge_.grow_beyond(size);
}

Stanza Queue::pop() {
  Stanza stanza = std::move(stanzas_.front());
  stanzas_.pop_front();
  charge_.give_back(stanza.size());
  sent_ += stanza.size();
  return stanza;
}

std::vector<Stanza> Queue::take_older_than(Instant when) {
  const auto end = std::ranges::find_if(stanzas_, [&](const Stanza& stanza) { return stanza.since >= when; });
  std::vector<Stanza> taken;
  taken.reserve(static_cast<std::size_t>(end - stanzas_.begin()));
  while (!stanzas_.empty() && stanzas_.front().since < when) taken.push_back(pop());  // needs no memory now
  return taken;
}

std::vector<Stanza> Queue::take_all() {
  std::vector<Stanza> taken(std::make_move_iterator(stanzas_.begin()), std::make_move_iterator(stanzas_.end()));
  stanzas_.clear();
  charge_.give_back(bytes());
  return taken;
}

}  // namespace ligase::pair
