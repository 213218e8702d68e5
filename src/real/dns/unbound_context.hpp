// libunbound's context, configured for an event loop. All that it does silently wrong by default is set right here.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "base/result.hpp"

struct event_base;
struct ub_ctx;

namespace ligase::dns {

struct FreeEventBase {
  void operator()(event_base* base) const noexcept;
};
struct FreeContext {
  void operator()(ub_ctx* context) const noexcept;
};
using EventBase = std::unique_ptr<event_base, FreeEventBase>;
using Context = std::unique_ptr<ub_ctx, FreeContext>;

// `anchors`: clean lines; none: no validation. `forwarders`: none: from the root down.
Result<Context> make_context(event_base* base, const std::vector<std::string>& anchors,
                             const std::vector<std::string>& forwarders);

}  // namespace ligase::dns
