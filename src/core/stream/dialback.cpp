// XEP-0220's elements as bytes. In a question the sender stands in `from`; in an answer to <db:result/>, and in every
// <db:verify/> question, the target does: the four writers below are the only places that know.
#include "stream/dialback.hpp"

#include <fmt/format.h>

#include "stream/words.hpp"
#include "xml/escape.hpp"

namespace ligase::stream {
namespace {

constexpr std::size_t kLongestKey = 1024;

struct Addresses {
  Domain from, to;
  Labels from_labels, to_labels;
};

Result<Addresses> read_addresses(const xml::Node& node) {
  const auto from = node.attribute("from");
  const auto to = node.attribute("to");
  if (!from || !to) return fail(Reason::stream_protocol, fmt::format("a db:{} without from or to", node.name));
  auto from_domain = Domain::parse(*from);
  auto to_domain = Domain::parse(*to);
  if (!from_domain || !to_domain)
    return fail(Reason::stream_protocol, fmt::format("a db:{} whose from or to is no domain", node.name));
  const Labels from_labels = labels_of(*from, *from_domain), to_labels = labels_of(*to, *to_domain);
  return Addresses{std::move(*from_domain), std::move(*to_domain), from_labels, to_labels};
}

Result<std::optional<DbVerdict>> read_verdict(const xml::Node& node) {
  const auto type = node.attribute("type");
  if (!type) return std::nullopt;
  if (*type == "valid") return DbVerdict{DbType::valid};
  if (*type == "invalid") return DbVerdict{DbType::invalid};
  if (*type != "error") return fail(Reason::stream_protocol, fmt::format("a db:{} of an unknown type", node.name));
  DbVerdict verdict{DbType::error};
  if (const xml::Node* error = node.child("error", ns::kServer)) {
    for (const xml::Node& child : error->children)
      if (child.ns == ns::kStanzaErrors)
        if (const auto condition = parse_condition(child.name)) verdict.condition = *condition;
  }
  return verdict;
}

Result<std::string> read_key(const xml::Node& node) {
  const std::size_t first = node.text.find_first_not_of(" \t\r\n");
  if (first == std::string::npos) return fail(Reason::stream_protocol, fmt::format("a db:{} without a key", node.name));
  std::string key = node.text.substr(first, node.text.find_last_not_of(" \t\r\n") - first + 1);
  if (key.size() > kLongestKey || !node.children.empty())
    return fail(Reason::stream_protocol,
                fmt::format("a db:{} whose key is over {} bytes or no text", node.name, kLongestKey));
  return key;
}

// <db:NAME from=… to=… [id=…] …>: `rest` is what follows the addresses up to the end.
std::string element(std::string_view name, std::string_view from, std::string_view to, std::string_view id,
                    std::string_view rest) {
  std::string out = fmt::format("<db:{} from='{}' to='{}'", name, from, to);
  if (!id.empty()) {
    out += " id='";
    xml::append_escaped(out, id);
    out += '\'';
  }
  out += rest;
  return out;
}

std::string keyed(std::string_view name, std::string_view key) {
  std::string out = ">";
  xml::append_escaped(out, key);
  out += fmt::format("</db:{}>", name);
  return out;
}

std::string verdict_text(std::string_view name, const DbVerdict& verdict) {
  switch (verdict.type) {
    case DbType::valid:
      return " type='valid'/>";
    case DbType::invalid:
      return " type='invalid'/>";
    case DbType::error:
      break;
  }
  return fmt::format(" type='error'><error type='{}'><{} xmlns='{}'/></error></db:{}>",
                     verdict.condition == StanzaError::item_not_found || verdict.condition == StanzaError::not_allowed
                         ? "cancel"
                         : "wait",
                     condition_name(verdict.condition), ns::kStanzaErrors, name);
}

}  // namespace

std::optional<StanzaError> parse_condition(std::string_view name) noexcept {
  for (int i = 0; i <= static_cast<int>(StanzaError::unexpected_request); ++i)
    if (condition_name(static_cast<StanzaError>(i)) == name) return static_cast<StanzaError>(i);
  return std::nullopt;
}

Result<DbResult> read_result(const xml::Node& node) {
  auto addresses = read_addresses(node);
  if (!addresses) return fail(addresses.error());
  auto verdict = read_verdict(node);
  if (!verdict) return fail(verdict.error());
  const Spelling from_asks{addresses->from_labels, addresses->to_labels};
  const Spelling to_asked{addresses->to_labels, addresses->from_labels};
  if (*verdict) return DbResult{std::move(addresses->to), std::move(addresses->from), {}, *verdict, to_asked};
  auto key = read_key(node);
  if (!key) return fail(key.error());
  return DbResult{std::move(addresses->from), std::move(addresses->to), std::move(*key), std::nullopt, from_asks};
}

Result<DbVerify> read_verify(const xml::Node& node) {
  auto addresses = read_addresses(node);
  if (!addresses) return fail(addresses.error());
  const auto id = node.attribute("id");
  if (!id || id->empty() || id->size() > kLongestKey)
    return fail(Reason::stream_protocol, "a db:verify without an id, or with one over 1024 bytes");
  auto verdict = read_verdict(node);
  if (!verdict) return fail(verdict.error());
  const Spelling from_authority{addresses->from_labels, addresses->to_labels};
  const Spelling to_authority{addresses->to_labels, addresses->from_labels};
  if (*verdict)
    return DbVerify{
        std::move(addresses->from), std::move(addresses->to), std::string(*id), {}, *verdict, from_authority};
  auto key = read_key(node);
  if (!key) return fail(key.error());
  return DbVerify{std::move(addresses->to),
                  std::move(addresses->from),
                  std::string(*id),
                  std::move(*key),
                  std::nullopt,
                  to_authority};
}

std::string ask_result(const Domain& sender, const Domain& target, std::string_view key, Spelling spelling) {
  return element("result", sender.as(spelling.sender), target.as(spelling.target), {}, keyed("result", key));
}
std::string answer_result(const Domain& sender, const Domain& target, const DbVerdict& verdict, Spelling spelling) {
  return element("result", target.as(spelling.target), sender.as(spelling.sender), {}, verdict_text("result", verdict));
}
std::string ask_verify(const Domain& sender, const Domain& target, std::string_view id, std::string_view key,
                       Spelling spelling) {
  return element("verify", target.as(spelling.target), sender.as(spelling.sender), id, keyed("verify", key));
}
std::string answer_verify(const Domain& sender, const Domain& target, std::string_view id, const DbVerdict& verdict,
                          Spelling spelling) {
  return element("verify", sender.as(spelling.sender), target.as(spelling.target), id, verdict_text("verify", verdict));
}

}  // namespace ligase::stream
