// The one source that sees the command-line library: what may be written, and what a slip of the hand is told. Options
// are never declared as required there: a misspelt one would be reported as missing, and not as misspelt.
#include "cmd/cli.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <climits>

#include "base/bytes.hpp"
#include "cmd/ctl.hpp"
#include "cmd/failure.hpp"
#ifdef LIGASE_HAS_LAB
#include "cmd/lab.hpp"
#endif
#include "cmd/serve.hpp"
#include "config/text.hpp"

namespace ligase::cmd {
namespace {

constexpr const char* kExitCodes =
    "Exit codes:\n"
    "  0 fine; 1 fine with warnings; 2 broken, refused or failed; 3 could not tell;\n"
    "  64 usage; 78 configuration\n";

// In the contract, and not in this version.
constexpr std::string_view kNotBuilt[] = {"init", "check", "trace", "ping",   "cert", "dns",
                                          "posh", "watch", "top",   "domain", "lab"};

struct Written {
  ServeOptions serve;
  CtlOptions ctl;
  bool is_json = false;
#ifdef LIGASE_HAS_LAB
  lab::Options lab;
  std::string lab_domains, lab_proof, lab_break;
#endif
};

std::string footer(const std::string& examples) { return "Examples:\n" + examples + "\n" + kExitCodes; }

CLI::App* add_serve(CLI::App& app, Written& written) {
  CLI::App* serve = app.add_subcommand("serve", "Run the gateway in the foreground");
  serve
      ->add_option("--config", written.serve.config_file,
                   "The configuration (TOML); /etc/ligase/ligase.toml where it is not given")
      ->type_name("FILE");
  serve->add_flag("--check", written.serve.is_check, "Only read and judge the configuration: print its faults, or OK");
  serve->footer(
      footer("  ligase serve --config /etc/ligase/ligase.toml\n"
             "  ligase serve --config gw.toml --check\n"));
  return serve;
}

CLI::App* add_ctl(CLI::App& app, Written& written) {
  CLI::App* ctl = app.add_subcommand("ctl", "Ask a running gateway, or tell it what to do");
  ctl->add_option("COMMAND", written.ctl.command,
                  "status, streams, pairs, links; explain LOCAL REMOTE; close STREAM, close --pair LOCAL REMOTE; "
                  "reload; drain")
      ->type_name("");
  ctl->add_option("ARGUMENTS", written.ctl.arguments,
                  "What explain and close are about; for pairs and streams words that must be in a row")
      ->type_name("");
  ctl->add_flag("--pair", written.ctl.is_pair, "close: a pair of domains, not a stream");
  RowFilter& filter = written.ctl.filter;
  ctl->add_option("--state", filter.state, "pairs: proving, proven, refused or expired")->type_name("STATE");
  ctl->add_option("--proof", filter.proof, "pairs: dane, dnssec, pkix, posh or dialback")->type_name("PROOF");
  ctl->add_option("--peer", filter.peer, "pairs, streams: in the remote domain, the peer's host or address")
      ->type_name("NAME");
  ctl->add_option("--direction", filter.direction, "pairs, streams: in or out")->type_name("DIR");
  ctl->add_option("--sort", filter.sort, "pairs, streams: by this key of the JSON; -KEY: the greatest first")
      ->type_name("KEY");
  ctl->add_option("--limit", filter.limit, "pairs, streams: at most so many rows")->type_name("N");
  ctl->add_flag("--count", filter.is_count, "pairs, streams: how many rows, and not which");
  ctl->add_option("--control", written.ctl.control, "The gateway's control socket")->type_name("SOCKET");
  ctl->add_option("--config", written.ctl.config_file, "The gateway's configuration, which names its socket")
      ->type_name("FILE");
  ctl->add_flag("--json", written.is_json, "The JSON document as the gateway gives it");
  ctl->footer(
      footer("  ligase ctl --config /etc/ligase/ligase.toml pairs --state refused --sort -queued\n"
             "  ligase ctl --control /run/ligase/control.sock explain sender1.tld target1.tld\n"));
  return ctl;
}

#ifdef LIGASE_HAS_LAB
CLI::App* add_lab(CLI::App& app, Written& written) {
  CLI::App* lab = app.add_subcommand("lab", "Two providers and the Internet between them, on loopback");
  lab->add_option("--domains", written.lab_domains, "Customers of the two providers (20x20)")->type_name("N1xN2");
  lab->add_option("--proof", written.lab_proof, "dane, dnssec (the default), pkix, posh, dialback or mixed")
      ->type_name("WAY");
  lab->add_option("--stanzas", written.lab.stanzas, "For each pair and direction (2)")->type_name("N");
  lab->add_option("--break", written.lab_break, "Make one thing wrong; \"list\" names what can be")->type_name("WHAT");
  lab->add_flag("--keep", written.lab.keep, "Leave it running, and say how to look at it");
  lab->add_flag("--json", written.is_json, "The report as one JSON document on stdout");
  lab->footer(
      footer("  ligase lab\n"
             "  ligase lab --domains 5x40 --proof dane --json\n"
             "  ligase lab --break tlsa\n"));
  return lab;
}
#endif

int usage(std::string what, std::string why, std::string advice, bool is_json) {
  return fail({Exit::usage, Reason::config_invalid, std::move(what), "", std::move(why), std::move(advice)},
              is_json ? Output::json : Output::text);
}

std::string see_help(const CLI::App& app) {
  const std::string& name = app.get_name();
  return name.empty() || name == "ligase" ? "see ligase --help" : "see ligase " + name + " --help";
}

std::vector<std::string> option_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options())
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  return names;
}

std::string did_you_mean(const std::string& word, const std::vector<std::string>& known, const CLI::App& app) {
  const std::vector<std::string_view> views(known.begin(), known.end());
  const auto near = config::nearest(word.substr(0, word.find('=')), views);
  return near ? fmt::format("did you mean {}?", *near) : see_help(app);
}

// What nobody took: the real cause of whatever else seems to be missing.
std::optional<int> refuse_leftovers(const CLI::App& app, const CLI::App* chosen, bool is_json) {
  if (chosen == nullptr) {
    const std::vector<std::string> left = app.remaining();
    if (left.empty()) return std::nullopt;
    const std::string& word = left.front();
    if (word.starts_with('-'))
      return usage(fmt::format("unknown option {}", escaped(word, 80)), "", did_you_mean(word, option_names(app), app),
                   is_json);
    if (std::ranges::find(kNotBuilt, word) != std::end(kNotBuilt))
      return usage(fmt::format("ligase {} is not in this version", word), "",
                   "what is stands in ligase --help, and what is not in docs/contract.md", is_json);
    std::vector<std::string> commands;
    for (const CLI::App* sub : app.get_subcommands([](const CLI::App*) { return true; }))
      commands.push_back(sub->get_name());
    return usage(fmt::format("unknown command \"{}\"", escaped(word, 80)), "", did_you_mean(word, commands, app),
                 is_json);
  }
  const std::vector<std::string> left = chosen->remaining();
  if (left.empty()) return std::nullopt;
  const auto option = std::ranges::find_if(left, [](const std::string& word) { return word.starts_with('-'); });
  if (option != left.end()) {
    return usage(fmt::format("unknown option {} of ligase {}", escaped(*option, 80), chosen->get_name()), "",
                 did_you_mean(*option, option_names(*chosen), *chosen), is_json);
  }
  return usage(fmt::format("\"{}\" is one word too many for ligase {}", escaped(left.front(), 80), chosen->get_name()),
               "", see_help(*chosen), is_json);
}

// Filters belong to the two lists of rows, and choose among the words that a row can have.
std::optional<int> take_filter(Written& written, const CLI::App& ctl_app) {
  RowFilter& filter = written.ctl.filter;
  const std::string& command = written.ctl.command;
  const auto wrong = [&](const std::string& what, const std::string& advice) {
    return usage(what, "", advice, written.is_json);
  };
  if (command != "pairs" && command != "streams") {
    if (filter.is_any()) return wrong("filters belong to ligase ctl pairs and streams", see_help(ctl_app));
    return std::nullopt;
  }
  if (command == "streams" && !(filter.state.empty() && filter.proof.empty()))
    return wrong("--state and --proof belong to ligase ctl pairs", see_help(ctl_app));
  const auto one_of = [&](const char* option, const std::string& word,
                          const std::vector<std::string>& known) -> std::optional<int> {
    if (word.empty() || std::ranges::find(known, word) != known.end()) return std::nullopt;
    return wrong(fmt::format("{} cannot be \"{}\"", option, escaped(word, 40)), did_you_mean(word, known, ctl_app));
  };
  if (auto refused = one_of("--state", filter.state, {"proving", "proven", "refused", "expired"})) return refused;
  if (auto refused = one_of("--proof", filter.proof, {"dane", "dnssec", "pkix", "posh", "dialback"})) return refused;
  if (auto refused = one_of("--direction", filter.direction, {"in", "out"})) return refused;
  filter.words = std::move(written.ctl.arguments);
  written.ctl.arguments.clear();
  return std::nullopt;
}

int run_ctl(Written& written, const CLI::App& ctl_app) {
  written.ctl.output = written.is_json ? Output::json : Output::text;
  const std::vector<std::string_view>& commands = ctl_commands();
  if (written.ctl.command.empty())
    return usage("ligase ctl needs a command", "",
                 "add status, streams, pairs, links, explain, close, reload or drain; " + see_help(ctl_app),
                 written.is_json);
  if (written.ctl.command == "domains")
    return usage("ligase ctl domains is not in this version", "", "ligase ctl links names the hosted domains",
                 written.is_json);
  if (std::ranges::find(commands, written.ctl.command) == commands.end()) {
    const std::vector<std::string> known(commands.begin(), commands.end());
    return usage(fmt::format("unknown command \"{}\" of ligase ctl", escaped(written.ctl.command, 80)), "",
                 did_you_mean(written.ctl.command, known, ctl_app), written.is_json);
  }
  if (written.ctl.is_pair && written.ctl.command != "close")
    return usage("--pair belongs to ligase ctl close", "", see_help(ctl_app), written.is_json);
  if (const std::optional<int> refused = take_filter(written, ctl_app)) return *refused;
  const std::string_view words = ctl_arguments(written.ctl.command, written.ctl.is_pair);
  const std::size_t wanted = words.empty() ? 0 : 1 + static_cast<std::size_t>(std::ranges::count(words, ' '));
  if (written.ctl.arguments.size() > wanted && wanted == 0)
    return usage(fmt::format("\"{}\" is one word too many for ligase ctl", escaped(written.ctl.arguments[0], 80)), "",
                 see_help(ctl_app), written.is_json);
  if (written.ctl.arguments.size() != wanted)
    return usage(fmt::format("ligase ctl {} takes {}", written.ctl.command, words), "", see_help(ctl_app),
                 written.is_json);
  if (!written.ctl.control.empty() && !written.ctl.config_file.empty())
    return usage("ligase ctl takes --control or --config, not both", "", see_help(ctl_app), written.is_json);
  return ctl(written.ctl);
}

#ifdef LIGASE_HAS_LAB
std::string own_path() {
  char path[PATH_MAX];
  const ssize_t size = ::readlink("/proc/self/exe", path, sizeof path);
  return size > 0 ? std::string(path, static_cast<std::size_t>(size)) : "ligase";
}

int run_lab_app(Written& written, const CLI::App& lab_app) {
  written.lab.json = written.is_json;
  written.lab.program = own_path();
  if (!written.lab_break.empty()) written.lab.break_what = written.lab_break;
  if (!written.lab_domains.empty()) {
    const Result<lab::Domains> domains = lab::parse_domains(written.lab_domains);
    if (!domains) return usage("ligase lab --domains", domains.error().detail, see_help(lab_app), written.is_json);
    written.lab.domains_one = domains->one;
    written.lab.domains_two = domains->two;
  }
  if (!written.lab_proof.empty()) {
    const std::optional<lab::Way> way = lab::parse_way(written.lab_proof);
    if (!way) {
      const std::vector<std::string> ways{"dane", "dnssec", "pkix", "posh", "dialback", "mixed"};
      return usage("ligase lab --proof", fmt::format("\"{}\" is no way to prove", escaped(written.lab_proof, 40)),
                   did_you_mean(written.lab_proof, ways, lab_app), written.is_json);
    }
    written.lab.proof = *way;
  }
  if (written.lab.stanzas < 1 || written.lab.stanzas > lab::kMostStanzas)
    return usage("ligase lab --stanzas", fmt::format("it is a number from 1 to {}", lab::kMostStanzas),
                 see_help(lab_app), written.is_json);
  return run_lab(written.lab);
}
#endif

}  // namespace

int run(int argc, char** argv) {
  Written written;
  CLI::App app("ligase: an XMPP federation gateway: many domain pairs, each proven by itself, on one stream.",
               "ligase");
  app.set_version_flag("--version", std::string("ligase ") + LIGASE_VERSION);
  app.footer(footer("  ligase lab\n"
                    "  ligase serve --config /etc/ligase/ligase.toml\n") +
             "\nligase COMMAND --help tells more of each.\n");
  CLI::App* serve_app = add_serve(app, written);
  CLI::App* ctl_app = add_ctl(app, written);
  CLI::App* lab_app = add_lab(app, written);
  app.allow_extras();
  for (CLI::App* sub : {serve_app, ctl_app, lab_app}) sub->allow_extras();
  const bool is_json =
      std::any_of(argv, argv + argc, [](const char* word) { return std::string_view(word) == "--json"; });
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    fmt::print("{}", app.help());
    return static_cast<int>(Exit::fine);
  } catch (const CLI::CallForVersion& version) {
    fmt::print("{}\n", version.what());
    return static_cast<int>(Exit::fine);
  } catch (const CLI::ParseError& error) {
    const std::vector<CLI::App*> begun = app.get_subcommands();
    return usage("cannot read the command line", escaped(error.what()), see_help(begun.empty() ? app : *begun.front()),
                 is_json);
  }
  const std::vector<CLI::App*> chosen = app.get_subcommands();
  CLI::App* sub = chosen.empty() ? nullptr : chosen.front();
  if (const std::optional<int> refused = refuse_leftovers(app, sub, is_json)) return *refused;
  if (sub == nullptr) return usage("ligase needs a command", "", "add serve, ctl or lab; see ligase --help", is_json);
  if (chosen.size() > 1) return usage("one command at a time", "", see_help(app), is_json);
  if (sub == serve_app) return serve(written.serve);
  if (sub == ctl_app) return run_ctl(written, *ctl_app);
  return run_lab_app(written, *lab_app);
}

}  // namespace ligase::cmd
