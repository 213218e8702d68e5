#include "report/explanation.hpp"

#include <iterator>

#include "report/json.hpp"

namespace ligase::report {
namespace {

constexpr std::string_view kNames[] = {"ok", "failed", "skipped", "waiting"};
static_assert(std::size(kNames) == static_cast<std::size_t>(StepResult::waiting) + 1);

constexpr std::string_view kOutcomes[] = {"holds", "refused", "unknown"};
static_assert(std::size(kOutcomes) == static_cast<std::size_t>(Outcome::unknown) + 1);

}  // namespace

std::string_view name_of(Outcome outcome) noexcept { return kOutcomes[static_cast<std::size_t>(outcome)]; }

std::string_view name_of(StepResult result) noexcept { return kNames[static_cast<std::size_t>(result)]; }

std::string to_json(const Explanation& explanation) {
  JsonWriter json;
  json.begin_object()
      .field("local", explanation.local)
      .field("remote", explanation.remote)
      .field("verdict", explanation.verdict)
      .field("out", name_of(explanation.out))
      .field("in", name_of(explanation.in))
      .key("steps")
      .begin_array();
  for (const Step& step : explanation.steps)
    json.begin_object()
        .field("what", step.what)
        .field("result", name_of(step.result))
        .field("detail", step.detail)
        .field("ms", step.ms)
        .end_object();
  json.end_array().end_object();
  return json.take();
}

}  // namespace ligase::report
