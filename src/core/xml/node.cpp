// Small elements as trees. Built bottom-up on a stack, so nothing recurses but the destructor, 16 deep at most.
#include <algorithm>
#include <set>
#include <utility>

#include "xml/context.hpp"
#include "xml/expat.hpp"
#include "xml/scope.hpp"

namespace ligase::xml {
namespace {

constexpr std::size_t kDeepest = 16;
constexpr std::size_t kMostElements = 256;
constexpr std::string_view kRoot = "context";

struct Builder {
  XML_Parser expat = nullptr;
  bool is_replaying = true;
  std::vector<Node> open;  // from the element down to the innermost
  std::optional<Node> done;
  std::size_t elements = 0;
  bool is_refused = false;
  Thrown thrown;

  void refuse() {
    is_refused = true;
    XML_StopParser(expat, XML_FALSE);
  }
  void on_start(const char* tag, const char** attributes) {
    if (is_replaying || is_refused) return;
    if (done || open.size() == kDeepest || ++elements > kMostElements) return refuse();
    const ExpandedName element = expanded(tag);
    Node node;
    node.name = element.name;
    node.ns = element.ns;
    for (; *attributes != nullptr; attributes += 2) {
      const ExpandedName attribute = expanded(attributes[0]);
      node.attributes.push_back({std::string(attribute.name), std::string(attribute.ns), attributes[1]});
    }
    open.push_back(std::move(node));
  }
  void on_end() {
    if (is_refused) return;
    if (open.empty()) return refuse();  // the context's end: not a whole element
    Node node = std::move(open.back());
    open.pop_back();
    if (open.empty()) {
      done = std::move(node);
    } else {
      open.back().children.push_back(std::move(node));
    }
  }
  void on_text(std::string_view text) {
    if (is_refused) return;
    if (open.empty()) return refuse();
    open.back().text += text;
  }
};

}  // namespace

std::optional<std::string_view> Node::attribute(std::string_view wanted) const noexcept {
  for (const Attribute& attribute : attributes)
    if (attribute.ns.empty() && attribute.name == wanted) return attribute.value;
  return std::nullopt;
}

const Node* Node::child(std::string_view wanted, std::string_view wanted_ns) const noexcept {
  const auto found =
      std::ranges::find_if(children, [&](const Node& node) { return node.name == wanted && node.ns == wanted_ns; });
  return found == children.end() ? nullptr : &*found;
}

namespace {

// Those that `bytes` can use: what stands before a colon may be a prefix. An element's cost is its own bytes', not its
// header's (AB-013).
std::vector<Declaration> used_of(const std::vector<Declaration>& declarations, std::string_view bytes) {
  std::set<std::string_view, CountedLess> named{std::string_view()};
  for (std::size_t colon = bytes.find(':'); colon != std::string_view::npos; colon = bytes.find(':', colon + 1)) {
    std::size_t start = colon;
    while (start > 0 && std::string_view("<>/='\": \t\r\n").find(bytes[start - 1]) == std::string_view::npos) --start;
    named.insert(bytes.substr(start, colon - start));
  }
  std::vector<Declaration> used;
  for (const Declaration& declaration : declarations)
    if (named.contains(declaration.prefix)) used.push_back(declaration);
  return used;
}

}  // namespace

std::optional<Node> to_node(std::string_view bytes, const std::vector<Declaration>& declarations) {
  const Expat expat(XML_ParserCreate_MM("UTF-8", nullptr, &kSeparator));
  if (!expat) return std::nullopt;
  Builder builder;
  builder.expat = expat.get();
  XML_SetReparseDeferralEnabled(expat.get(), XML_FALSE);
  XML_SetUserData(expat.get(), &builder);
  XML_SetElementHandler(
      expat.get(),
      [](void* self, const char* tag, const char** attributes) {
        Builder& builder = *static_cast<Builder*>(self);
        builder.thrown.guard(builder.expat, [&] { builder.on_start(tag, attributes); });
      },
      [](void* self, const char*) {
        Builder& builder = *static_cast<Builder*>(self);
        builder.thrown.guard(builder.expat, [&] { builder.on_end(); });
      });
  XML_SetCharacterDataHandler(expat.get(), [](void* self, const char* text, int size) {
    Builder& builder = *static_cast<Builder*>(self);
    builder.thrown.guard(builder.expat, [&] { builder.on_text({text, static_cast<std::size_t>(size)}); });
  });
  XML_SetCommentHandler(expat.get(), [](void* self, const char*) { static_cast<Builder*>(self)->refuse(); });
  XML_SetProcessingInstructionHandler(
      expat.get(), [](void* self, const char*, const char*) { static_cast<Builder*>(self)->refuse(); });
  const auto pass = [&](std::string_view text) {
    const XML_Status status = XML_Parse(expat.get(), text.data(), static_cast<int>(text.size()), XML_FALSE);
    builder.thrown.rethrow();
    return status == XML_STATUS_OK;
  };
  const std::string context = start_tag_in_context(kRoot, used_of(declarations, bytes));
  if (!pass(context)) return std::nullopt;
  builder.is_replaying = false;
  if (!pass(bytes) || builder.is_refused || !builder.done || !builder.open.empty()) return std::nullopt;
  // Something unfinished may stand behind the element.
  const std::size_t end = byte_index(expat.get());
  if (end != context.size() + bytes.size()) return std::nullopt;
  return std::move(builder.done);
}

}  // namespace ligase::xml
