#include "stream/flow.hpp"

#include <fmt/format.h>

#include <charconv>

#include "stream/words.hpp"

namespace ligase::stream {
namespace {

std::optional<std::uint32_t> number_of(const xml::Node& node, std::string_view name, std::uint32_t least,
                                       std::uint32_t most) {
  const auto text = node.attribute(name);
  if (!text) return std::nullopt;
  std::uint32_t number = 0;
  const char* const last = text->data() + text->size();
  const auto [end, error] = std::from_chars(text->data(), last, number);
  return error == std::errc{} && end == last && number >= least && number <= most ? std::optional(number)
                                                                                  : std::nullopt;
}

}  // namespace

std::optional<std::uint32_t> read_window(const xml::Node& node) {
  return number_of(node, "window", kLeastWindow, kMostWindow);
}
std::string offer_flow(std::uint32_t window) {
  return fmt::format("<flow xmlns='{}' window='{}'/>", ns::kFlow, window);
}
std::string enable_flow(std::uint32_t window) {
  return fmt::format("<enable xmlns='{}' window='{}'/>", ns::kFlow, window);
}

Result<PairCredit> read_credit(const xml::Node& node) {
  const auto from = node.attribute("from"), to = node.attribute("to");
  if (!from || !to) return fail(Reason::stream_protocol, "credit without from or to");
  auto target = Domain::parse(*from), sender = Domain::parse(*to);
  if (!target || !sender) return fail(Reason::stream_protocol, "credit whose from or to is no domain");
  const auto bytes = number_of(node, "bytes", 1, kMostCredit);
  if (!bytes) return fail(Reason::stream_protocol, "credit of an impossible number of bytes");
  return PairCredit{std::move(*sender), std::move(*target), *bytes};
}
std::string give_credit(const Domain& sender, const Domain& target, std::uint32_t bytes) {
  return fmt::format("<credit xmlns='{}' from='{}' to='{}' bytes='{}'/>", ns::kFlow, target.unicode(), sender.unicode(),
                     bytes);
}

}  // namespace ligase::stream
