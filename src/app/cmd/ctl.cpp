// One question, and its answer as it is or as a table.
#include "cmd/ctl.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json.hpp>
#include <chrono>
#include <cstdio>
#include <functional>

#include "base/bytes.hpp"
#include "cmd/serve.hpp"
#include "cmd/table.hpp"
#include "http/client.hpp"
#include "os/files.hpp"

namespace ligase::cmd {
namespace {

namespace json = boost::json;
constexpr Duration kPatience = 10s;
constexpr Duration kExplainPatience = 90s;  // it may open a connection: setup_timeout, and then some
constexpr const char* kDefaultSockets[] = {"/run/ligase/control.sock", "/var/lib/ligase/control.sock"};

// As a query's value (RFC 3986 §2.1).
std::string url_escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool is_plain =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-';
    out += is_plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

// A field as a cell: null is empty, a time without its T and Z.
std::string cell(const json::value& row, std::string_view key) {
  const json::value& value = row.at(key);
  if (value.is_null()) return "";
  if (value.is_bool()) return value.as_bool() ? "yes" : "no";
  if (value.is_string()) return std::string(value.as_string());
  return json::serialize(value);
}

std::string number_cell(const json::value& row, std::string_view key) {
  const json::value& value = row.at(key);
  return value.is_number() ? short_number(value.to_number<double>()) : cell(row, key);
}

std::string time_cell(const json::value& row, std::string_view key, const View& view) {
  const std::string text = cell(row, key);
  const std::optional<std::int64_t> time = parse_time(text);
  return time ? relative_time(*time, view.now) : text;
}

// "TLSv1.3" as "1.3".
std::string version_cell(const json::value& tls) {
  const std::string version = tls.is_null() ? "" : cell(tls, "version");
  return version.starts_with("TLSv") ? version.substr(4) : version;
}

std::string joined(const json::value& list) {
  std::string text;
  for (const json::value& item : list.as_array()) {
    if (!text.empty()) text += ", ";
    text += item.as_string();
  }
  return text;
}

// "14: queue.full 12, dns.not_found 2", those that came about most first.
std::string counts_text(const json::value& status, std::string_view name) {
  const json::value* found = status.as_object().if_contains(name);
  if (found == nullptr) return {};  // an older gateway
  std::vector<std::pair<double, std::string_view>> counts;
  double total = 0;
  for (const auto& [reason, count] : found->as_object()) {
    counts.emplace_back(count.to_number<double>(), reason);
    total += counts.back().first;
  }
  std::ranges::stable_sort(counts, std::greater<>(), &std::pair<double, std::string_view>::first);
  std::string text = short_number(total);
  std::string_view before = ": ";
  for (const auto& [count, reason] : counts) {
    text += fmt::format("{}{} {}", before, reason, short_number(count));
    before = ", ";
  }
  return text;
}

std::string status_text(const json::value& status, const View& view) {
  std::string text;
  const auto line = [&](std::string_view title, const std::string& value) {
    text += fmt::format("{:<18}{}\n", title, readable(value.empty() ? "-" : value, 1024));
  };
  line("hostname", cell(status, "hostname"));
  line("version", cell(status, "version"));
  const std::string started = cell(status, "started_at");
  line("started", started.empty() ? "" : fmt::format("{} ({})", started, time_cell(status, "started_at", view)));
  const json::value* reasons = status.as_object().if_contains("not_ready");
  const std::string why = reasons == nullptr ? "" : joined(*reasons);
  line("ready", cell(status, "ready") + (why.empty() ? "" : ": " + why));
  line("streams", fmt::format("{} in, {} out", number_cell(status, "streams_in"), number_cell(status, "streams_out")));
  line("pairs", number_cell(status, "pairs"));
  line("links", number_cell(status, "links"));
  line("stanzas", number_cell(status, "stanzas_per_s") + "/s");
  line("bounced", counts_text(status, "bounced"));
  line("dropped", counts_text(status, "dropped"));
  line("connections saved", number_cell(status, "connections_saved"));
  return text;
}

std::string streams_text(const json::value& streams, const View& view) {
  Table table({{"ID"},
               {"DIR"},
               {"KIND"},
               {"ADDRESS", Align::left, 48, 10},
               {"PEER", Align::left, 48, 8},
               {"TLS"},
               {"PAIRS", Align::right},
               {"IN", Align::right},
               {"OUT", Align::right},
               {"QUEUED", Align::right},
               {"OPENED", Align::right}});
  for (const json::value& row : streams.as_array()) {
    table.add({cell(row, "id"), cell(row, "direction"), cell(row, "kind"), cell(row, "address"), cell(row, "peer_host"),
               version_cell(row.at("tls")), number_cell(row, "pairs"), number_cell(row, "stanzas_in"),
               number_cell(row, "stanzas_out"), number_cell(row, "queued_bytes"), time_cell(row, "opened_at", view)});
  }
  return table.text(view.width);  // in the gateway's order: by age
}

// What it stands on, or why it does not stand.
std::string by_cell(const json::value& row) {
  return row.at("proof").is_null() ? cell(row, "last_error") : cell(row, "proof");
}

std::string pairs_text(const json::value& pairs, const View& view) {
  Table table({{"LOCAL", Align::left, 48, 10},
               {"REMOTE", Align::left, 48, 10},
               {"DIR"},
               {"STATE"},
               {"BY", Align::left, 80, 8},
               {"ON"},
               {"EXPIRES", Align::right},
               {"WAIT", Align::right},
               {"STANZAS", Align::right}});
  for (const json::value& row : pairs.as_array()) {
    table.add({cell(row, "local"), cell(row, "remote"), cell(row, "direction"), cell(row, "state"), by_cell(row),
               cell(row, "stream"), time_cell(row, "expires_at", view), number_cell(row, "queued"),
               number_cell(row, "stanzas")});
  }
  if (!view.is_sorted) table.sort();
  return table.text(view.width);
}

std::string links_text(const json::value& links, const View& view) {
  Table table({{"ID"},
               {"KIND"},
               {"UP"},
               {"ADDRESS", Align::left, 48, 10},
               {"IN", Align::right},
               {"OUT", Align::right},
               {"QUEUED", Align::right},
               {"DOMAINS", Align::left, 80, 12}});
  for (const json::value& row : links.as_array()) {
    table.add({cell(row, "id"), cell(row, "kind"), cell(row, "up"), cell(row, "address"),
               number_cell(row, "stanzas_in"), number_cell(row, "stanzas_out"), number_cell(row, "queued_bytes"),
               joined(row.at("domains"))});
  }
  return table.text(view.width);
}

std::string explain_text(const json::value& explanation) {
  std::string text;
  for (const json::value& step : explanation.at("steps").as_array()) {
    const double ms = step.at("ms").to_number<double>();
    text += fmt::format("{:<8}{:<18}{}{}\n", cell(step, "result"), cell(step, "what"),
                        readable(cell(step, "detail"), 2048), ms > 0 ? fmt::format(" ({:.1f} ms)", ms) : "");
  }
  return text + fmt::format("\n{}\n", readable(cell(explanation, "verdict"), 2048));
}

// The path, and for what changes something the body.
struct Question {
  std::string target;
  std::optional<std::string> body;
};
Question question_of(const CtlOptions& options) {
  const std::string path = "/api/v1/" + options.command;
  const std::vector<std::string>& words = options.arguments;
  if (options.command == "explain")
    return {fmt::format("{}?local={}&remote={}", path, url_escaped(words.at(0)), url_escaped(words.at(1))),
            std::nullopt};
  if (options.command == "close" && options.is_pair)
    return {path, json::serialize(json::object{{"local", words.at(0)}, {"remote", words.at(1)}})};
  if (options.command == "close") return {path, json::serialize(json::object{{"stream", words.at(0)}})};
  if (options.command == "reload" || options.command == "drain") return {path, std::string()};
  return {path, std::nullopt};
}

bool exists(const char* path) {
  struct stat facts {};
  return ::stat(path, &facts) == 0;
}

Result<std::string> socket_of(const CtlOptions& options, config::Fault& fault) {
  if (!options.control.empty()) return options.control;
  if (options.config_file.empty()) {
    // The default configuration, for whoever may read it; else where a gateway's socket is as a rule.
    if (const auto named = config::control_socket_of(kDefaultConfig, os::SystemFiles())) return *named;
    return std::string(exists(kDefaultSockets[0]) ? kDefaultSockets[0] : kDefaultSockets[1]);
  }
  auto path = config::control_socket_of(options.config_file, os::SystemFiles());
  if (path) return *path;
  fault = path.error();
  return ligase::fail(Reason::config_invalid, fault.text());
}

Failure no_answer(const std::string& socket, const Error& error) {
  Failure failure{Exit::could_not_tell, error.reason, "cannot ask the gateway", socket, error.detail, ""};
  if (error.reason == Reason::connect_refused) {
    failure.advice = "is it running? start it with ligase serve, or name its socket with --control or --config";
  } else if (error.reason == Reason::file_unreadable) {
    failure.advice = "the socket is open to the gateway's user and group only; run this as one of them";
  } else {
    failure.advice = "look at the gateway's log";
  }
  return failure;
}

// The message of an `error` document, or the body's beginning.
std::string message_of(const std::string& body) {
  boost::system::error_code error;
  const json::value document = json::parse(body, error);
  if (!error && document.is_object()) {
    const json::value* message = document.as_object().if_contains("message");
    if (message != nullptr && message->is_string()) return readable(std::string_view(message->as_string()));
  }
  return readable(body, 80);
}

// All faults; each has its own advice.
int refused_reload(const std::string& body, const std::string& socket, Output output) {
  if (output == Output::json) {
    fmt::print("{}\n", body);
    return static_cast<int>(Exit::configuration);
  }
  std::string faults;
  try {
    const json::value document = json::parse(body);
    for (const json::value& fault : document.at("faults").as_array())
      faults += fmt::format("\n  {}", readable(std::string_view(fault.as_string()), 1024));
  } catch (const std::exception&) {
    faults = readable(body, 80);
  }
  return fail({Exit::configuration, Reason::config_invalid, "the configuration was not reloaded", socket,
               "it has faults, and the old one stays in force:" + faults, "mend them, and reload again"},
              output);
}

}  // namespace

const std::vector<std::string_view>& ctl_commands() {
  static const std::vector<std::string_view> commands{"status",  "streams", "pairs",  "links",
                                                      "explain", "close",   "reload", "drain"};
  return commands;
}

std::string_view ctl_arguments(std::string_view command, bool is_pair) {
  if (command == "explain") return "LOCAL REMOTE";
  if (command == "close") return is_pair ? "LOCAL REMOTE" : "STREAM";
  return "";
}

std::string ctl_text(std::string_view command, std::string_view text, const View& view) {
  const json::value document = json::parse(json::string_view(text.data(), text.size()));
  if (command == "status") return status_text(document, view);
  if (command == "streams") return streams_text(document, view);
  if (command == "pairs") return pairs_text(document, view);
  if (command == "links") return links_text(document, view);
  if (command == "explain") return explain_text(document);
  return "";  // done, and nothing to tell
}

namespace {

View view_of(const CtlOptions& options) {
  View view{std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now()).time_since_epoch().count(),
            SIZE_MAX, !options.filter.sort.empty()};
  winsize size{};
  if (::isatty(STDOUT_FILENO) == 1 && ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
    view.width = size.ws_col;
  return view;
}

// Prints the answer as was asked for; the exit code. Throws where the answer is not what the schema says.
int told(const CtlOptions& options, std::string body, const std::string& socket) {
  const RowFilter& filter = options.filter;
  if (filter.is_any()) {
    const Result<json::array> rows = choose_rows(json::parse(body).as_array(), filter);
    if (!rows)
      return fail({Exit::usage, rows.error().reason, "ligase ctl " + options.command, socket, rows.error().detail, ""},
                  options.output);
    if (filter.is_count) {
      fmt::print("{}\n", rows->size());
      return static_cast<int>(Exit::fine);
    }
    body = json::serialize(*rows);
  }
  const Exit code = options.command == "explain" ? verdict_of(body) : Exit::fine;
  fmt::print("{}", options.output == Output::json ? body + "\n" : ctl_text(options.command, body, view_of(options)));
  return static_cast<int>(code);
}

}  // namespace

Exit verdict_of(std::string_view explanation) {
  const json::value document = json::parse(json::string_view(explanation.data(), explanation.size()));
  const std::string out = cell(document, "out"), in = cell(document, "in");
  if (out == "refused" || in == "refused") return Exit::failed;
  return out == "holds" && in == "holds" ? Exit::fine : Exit::could_not_tell;
}

int ctl(const CtlOptions& options) {
  config::Fault fault;
  const Result<std::string> socket = socket_of(options, fault);
  if (!socket) {
    return fail({Exit::configuration, Reason::config_invalid, "configuration",
                 fault.line == 0 ? fault.file : fmt::format("{}:{}", fault.file, fault.line), fault.what, fault.advice},
                options.output);
  }
  const Question question = question_of(options);
  const Result<http::Got> got =
      http::ask(*socket, question.target, question.body, options.command == "explain" ? kExplainPatience : kPatience);
  if (!got) return fail(no_answer(*socket, got.error()), options.output);
  if (got->status == 409 && options.command == "reload") return refused_reload(got->body, *socket, options.output);
  if (got->status == 400 || got->status == 404 || got->status == 429) {
    return fail({Exit::failed, Reason::config_invalid, options.command + " was refused", *socket, message_of(got->body),
                 "see ligase ctl --help"},
                options.output);
  }
  if (got->status != 200) {
    return fail({Exit::failed, Reason::internal, "the gateway refused \"" + options.command + "\"", *socket,
                 fmt::format("HTTP {}: {}", got->status, message_of(got->body)), "is it of another version?"},
                options.output);
  }
  try {
    return told(options, got->body, *socket);
  } catch (const std::exception& error) {
    return fail({Exit::failed, Reason::internal, "cannot read the gateway's answer", *socket, error.what(),
                 "is it of another version?"},
                options.output);
  }
}

}  // namespace ligase::cmd
