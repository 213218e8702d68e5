// One question, and its answer as it is or as a table.
#include "cmd/ctl.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <boost/json.hpp>
#include <cstdio>

#include "base/bytes.hpp"
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

std::string time_cell(const json::value& row, std::string_view key) {
  std::string time = cell(row, key);
  if (time.size() == 20 && time[10] == 'T' && time[19] == 'Z') {
    time[10] = ' ';
    time.pop_back();
  }
  return time;
}

std::string joined(const json::value& list) {
  std::string text;
  for (const json::value& item : list.as_array()) {
    if (!text.empty()) text += ", ";
    text += item.as_string();
  }
  return text;
}

std::string status_text(const json::value& status) {
  std::string text;
  const auto line = [&](std::string_view title, const std::string& value) {
    text += fmt::format("{:<18}{}\n", title, escaped(value.empty() ? "-" : value, 1024));
  };
  line("hostname", cell(status, "hostname"));
  line("version", cell(status, "version"));
  line("started", time_cell(status, "started_at"));
  const json::value* reasons = status.as_object().if_contains("not_ready");
  const std::string why = reasons == nullptr ? "" : joined(*reasons);
  line("ready", cell(status, "ready") + (why.empty() ? "" : ": " + why));
  line("streams", fmt::format("{} in, {} out", cell(status, "streams_in"), cell(status, "streams_out")));
  line("pairs", cell(status, "pairs"));
  line("links", cell(status, "links"));
  line("stanzas/s", cell(status, "stanzas_per_s"));
  line("connections saved", cell(status, "connections_saved"));
  return text;
}

std::string streams_text(const json::value& streams) {
  Table table({{"ID"},
               {"DIR"},
               {"KIND"},
               {"ADDRESS"},
               {"PEER"},
               {"TLS"},
               {"PAIRS", Align::right},
               {"IN", Align::right},
               {"OUT", Align::right},
               {"QUEUED", Align::right},
               {"OPENED (UTC)"}});
  for (const json::value& row : streams.as_array()) {
    const json::value& tls = row.at("tls");
    table.add({cell(row, "id"), cell(row, "direction"), cell(row, "kind"), cell(row, "address"), cell(row, "peer_host"),
               tls.is_null() ? "" : cell(tls, "version"), cell(row, "pairs"), cell(row, "stanzas_in"),
               cell(row, "stanzas_out"), cell(row, "queued_bytes"), time_cell(row, "opened_at")});
  }
  return table.text();  // in the gateway's order: by age
}

std::string pairs_text(const json::value& pairs) {
  Table table({{"LOCAL"},
               {"REMOTE"},
               {"DIR"},
               {"STATE"},
               {"PROOF"},
               {"STREAM"},
               {"EXPIRES (UTC)"},
               {"QUEUED", Align::right},
               {"STANZAS", Align::right},
               {"LAST ERROR", Align::left, 80}});
  for (const json::value& row : pairs.as_array()) {
    table.add({cell(row, "local"), cell(row, "remote"), cell(row, "direction"), cell(row, "state"), cell(row, "proof"),
               cell(row, "stream"), time_cell(row, "expires_at"), cell(row, "queued"), cell(row, "stanzas"),
               cell(row, "last_error")});
  }
  table.sort();
  return table.text();
}

std::string links_text(const json::value& links) {
  Table table({{"ID"},
               {"KIND"},
               {"UP"},
               {"ADDRESS"},
               {"IN", Align::right},
               {"OUT", Align::right},
               {"QUEUED", Align::right},
               {"DOMAINS", Align::left, 80}});
  for (const json::value& row : links.as_array()) {
    table.add({cell(row, "id"), cell(row, "kind"), cell(row, "up"), cell(row, "address"), cell(row, "stanzas_in"),
               cell(row, "stanzas_out"), cell(row, "queued_bytes"), joined(row.at("domains"))});
  }
  return table.text();
}

std::string explain_text(const json::value& explanation) {
  std::string text;
  for (const json::value& step : explanation.at("steps").as_array()) {
    const double ms = step.at("ms").to_number<double>();
    text += fmt::format("{:<8}{:<18}{}{}\n", cell(step, "result"), cell(step, "what"),
                        escaped(cell(step, "detail"), 2048), ms > 0 ? fmt::format(" ({:.1f} ms)", ms) : "");
  }
  return text + fmt::format("\n{}\n", escaped(cell(explanation, "verdict"), 2048));
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
  if (options.config_file.empty())
    return std::string(exists(kDefaultSockets[0]) ? kDefaultSockets[0] : kDefaultSockets[1]);
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
    if (message != nullptr && message->is_string()) return escaped(std::string_view(message->as_string()));
  }
  return escaped(body, 80);
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
      faults += fmt::format("\n  {}", escaped(std::string_view(fault.as_string()), 1024));
  } catch (const std::exception&) {
    faults = escaped(body, 80);
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

std::string ctl_text(std::string_view command, std::string_view text) {
  const json::value document = json::parse(json::string_view(text.data(), text.size()));
  if (command == "status") return status_text(document);
  if (command == "streams") return streams_text(document);
  if (command == "pairs") return pairs_text(document);
  if (command == "links") return links_text(document);
  if (command == "explain") return explain_text(document);
  return "";  // done, and nothing to tell
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
  if (options.output == Output::json) {
    fmt::print("{}\n", got->body);
    return static_cast<int>(Exit::fine);
  }
  try {
    fmt::print("{}", ctl_text(options.command, got->body));
  } catch (const std::exception& error) {
    return fail({Exit::failed, Reason::internal, "cannot read the gateway's answer", *socket, error.what(),
                 "is it of another version?"},
                options.output);
  }
  return static_cast<int>(Exit::fine);
}

}  // namespace ligase::cmd
