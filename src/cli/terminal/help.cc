#include "cli/terminal/help.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <utility>
#include <vector>

namespace ferrule::cli {

namespace {

constexpr std::size_t kWidestWord = 24;  // of those that have their explanation beside them

constexpr std::array<std::pair<Group, std::string_view>, 5> kGroups{{
    {Group::tunnels, "Tunnels"},
    {Group::peers, "Peers"},
    {Group::explanations, "Explanations"},
    {Group::views, "Views"},
    {Group::wg, "As wg has them"},
}};

// A word and what it means.
struct Entry {
  std::string word;
  std::string meaning;
};

std::string table_of(const std::vector<Entry>& entries) {
  std::size_t width = 0;
  for (const Entry& entry : entries) {
    if (entry.word.size() <= kWidestWord) width = std::max(width, entry.word.size());
  }
  const std::size_t column = width + 4;
  std::string text;
  for (const auto& [word, meaning] : entries) {
    text += fmt::format("  {:<{}}", word, width);
    text += word.size() > width ? fmt::format("\n{:<{}}", "", column) : "  ";
    text += wrapped(meaning, column) + "\n";
  }
  return text;
}

std::string indented(std::string_view lines) {
  std::string text;
  while (!lines.empty()) {
    const std::size_t end = std::min(lines.find('\n'), lines.size());
    text += fmt::format("  {}\n", lines.substr(0, end));
    lines.remove_prefix(std::min(end + 1, lines.size()));
  }
  return text;
}

// "--endpoint HOST[:PORT]".
std::string option_words(const CLI::Option& option) {
  std::string words;
  for (const std::string& name : option.get_snames()) words += "-" + name + ", ";
  for (const std::string& name : option.get_lnames()) words += "--" + name + ", ";
  words.resize(words.size() - 2);
  const bool takes_value = option.get_items_expected_max() > 0;
  return takes_value ? words + " " + option.get_type_name() : words;
}

// "[IFACE...]".
std::string positional_word(const CLI::Option& option) {
  std::string word = option.get_name(true);
  if (option.get_items_expected_max() > 1) word += "...";
  return option.get_required() ? word : "[" + word + "]";
}

std::string sentence(std::string text) {
  if (text.empty()) return text;
  if (text[0] >= 'a' && text[0] <= 'z') text[0] = static_cast<char>(text[0] - 'a' + 'A');
  return text.ends_with('.') ? text : text + ".";
}

// What the page of a command is made of.
struct Parts {
  std::vector<Entry> positionals;
  std::vector<Entry> options;
  std::vector<Entry> commands;
  std::string usage;
};

Parts parts_of(const CLI::App& app) {
  Parts parts;
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_group().empty()) continue;
    if (option->get_positional()) {
      parts.usage += " " + positional_word(*option);
      parts.positionals.push_back({option->get_name(true), option->get_description()});
    } else {
      parts.options.push_back({option_words(*option), option->get_description()});
    }
  }
  // --help is there first, and matters least.
  if (!parts.options.empty()) std::ranges::rotate(parts.options, parts.options.begin() + 1);
  for (const CLI::App* sub : app.get_subcommands({})) {
    parts.commands.push_back({sub->get_name(), sub->get_description()});
  }
  if (!parts.commands.empty()) parts.usage = " COMMAND [ARGUMENT...]";
  if (parts.options.size() > 1) parts.usage += " [OPTION...]";
  return parts;
}

std::string page(const CLI::App& app, const std::string& name) {
  const Parts parts = parts_of(app);
  std::string text =
      "Usage: " + name + parts.usage + "\n\n" + wrapped(sentence(app.get_description()), 0) + "\n";
  if (!parts.positionals.empty()) text += "\n" + table_of(parts.positionals);
  if (!parts.commands.empty()) text += "\nCommands\n" + table_of(parts.commands);
  text += "\nOptions\n" + table_of(parts.options);
  const std::string examples = app.get_footer();
  return examples.empty() ? text : text + "\nExamples\n" + indented(examples);
}

}  // namespace

std::string wrapped(std::string_view text, std::size_t column) {
  std::string out;
  std::size_t at = column;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, end);
    if (at > column && at + 1 + word.size() > kHelpColumns) {
      out += "\n" + std::string(column, ' ');
      at = column;
    }
    if (at > column) {
      out += ' ';
      ++at;
    }
    out += word;
    at += word.size();
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

std::string overview(std::string_view program, std::span<const Command> commands) {
  std::size_t width = 0;
  for (const Command& command : commands) width = std::max(width, command.name.size());
  std::string text = fmt::format(
      "Sets up, explains and watches WireGuard tunnels.\n\n"
      "Usage: {0} COMMAND [ARGUMENT...]\n"
      "       {0} help COMMAND\n",
      program);
  for (const auto& [group, title] : kGroups) {
    text += fmt::format("\n{}\n", title);
    for (const Command& command : commands) {
      if (command.group != group) continue;
      text += fmt::format("  {:<{}}  {}\n", command.name, width, command.description);
    }
  }
  return text + fmt::format("\n`{} help COMMAND' has options and examples.\n", program);
}

std::string help_page(const CLI::App& app) {
  std::string name = app.get_name();
  const CLI::App* shown = &app;
  for (auto named = shown->get_subcommands(); !named.empty(); named = shown->get_subcommands()) {
    shown = named.back();
    name += " " + shown->get_name();
  }
  return page(*shown, name);
}

}  // namespace ferrule::cli
