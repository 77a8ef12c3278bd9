#include "cli/import/import.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/import/foreign_file.h"
#include "cli/import/picture.h"
#include "cli/terminal/conf_text.h"
#include "cli/terminal/options.h"
#include "control/conf_configuration.h"
#include "control/peer_edits.h"
#include "files/conf_file.h"
#include "files/input.h"

namespace ferrule::cli {

namespace {

struct ImportOptions {
  std::vector<std::string> files;
  std::string as;
  bool is_forced = false;
};

std::optional<int> read_import_options(ImportOptions& options, Console& console,
                                       Arguments arguments) {
  CommandLine line(
      "Makes a file of ours of another program's: wg-easy's wg0.json, files of wg-quick, pivpn and "
      "clients, NetworkManager's .nmconnection, systemd-networkd's .netdev and .network, "
      "OPNsense's "
      "config.xml, and pictures of QR codes.");
  line.add_option("FILE", options.files,
                  "a file, or - for standard input; .netdev and .network are two")
      .required();
  line.add_value(
      "--as", options.as, "IFACE",
      "an interface, or the path of its file; - prints it (default: what the file says)");
  line.add_flag("--force", options.is_forced, "write over a file that is there");
  line.examples(
      "ferrule import wg0.json\n"
      "ferrule import office.nmconnection --as office\n"
      "ferrule import wg0.netdev wg0.network\n"
      "ferrule import code.png --as home\n"
      "ferrule import - --as - < client.conf");
  return read_options(line, console, arguments);
}

std::nullopt_t refuse(Console& console, const std::string& file, const std::string& why) {
  console.err.print("{}: {}: {}\n", console.program, file, why);
  return std::nullopt;
}

// All files one behind the other; pictures as what is in them.
std::optional<control::WipedText> read_all(Console& console,
                                           const std::vector<std::string>& names) {
  control::WipedText all;
  for (const std::string& name : names) {
    auto text = name == "-" ? files::read_fd(console.in, "standard input") : files::read_file(name);
    if (text && is_png(text->view())) text = read_qr_picture(text->view());
    if (!text) return refuse(console, name, text.error().what);
    all.append(text->view());
    all.append("\n");
  }
  return all;
}

// Names in other tools' comments become ours. None, with all mistakes said, where it can't be read.
std::optional<control::ConfDocument> read_imported(Console& console, const Imported& imported,
                                                   const std::string& file) {
  control::ConfDocument document(file, imported.conf.view());
  const auto names = control::foreign_names(document);
  if (!names.empty()) control::adopt_names(document, names);
  const auto configuration = control::read_configuration(document, control::ConfDialect::wg_quick);
  if (configuration) return document;
  print_errors(console, configuration.error());
  return std::nullopt;
}

// What the file says, or is called, where that can be an interface's name.
std::string name_of(const Imported& imported, const std::string& file) {
  for (const std::string& name :
       {imported.interface, std::filesystem::path(file).stem().string()}) {
    if (files::is_interface_name(name) && name != "-") return name;
  }
  return "wg0";
}

std::size_t count_peers(const control::ConfDocument& document) {
  return control::list_peers(document).peers.size();
}

bool write(Console& console, const files::ConfPath& to, const control::WipedText& text,
           bool is_forced) {
  if (!is_forced && access(to.path.c_str(), F_OK) == 0) {
    console.err.print("{} is there already. --force writes over it, --as takes another name.\n",
                      to.path);
    return false;
  }
  std::error_code ignored;  // writing says what is wrong
  const auto folder = std::filesystem::path(to.path).parent_path();
  if (!folder.empty() && std::filesystem::create_directory(folder, ignored)) {
    chmod(folder.c_str(), 0700);
  }
  auto staged = files::StagedFile::write(to.path, text);
  const auto written = staged ? staged->commit_edit() : std::unexpected(staged.error());
  if (!written) console.err.print("{}\n", written.error().what);
  return written.has_value();
}

}  // namespace

int run_import(Console& console, Arguments arguments) {
  ImportOptions options;
  if (const auto status = read_import_options(options, console, arguments)) return *status;
  const std::string& file = options.files.front();
  const auto text = read_all(console, options.files);
  if (!text) return 1;
  const auto imported = read_foreign(text->view(), options.as);
  if (!imported) {
    refuse(console, file, imported.error());
    return 1;
  }
  const auto document = read_imported(console, *imported, file);
  if (!document) return 1;
  if (options.as == "-") {
    console.out.write(document->text().view());
    return 0;
  }
  const auto to = files::find_conf(options.as.empty() ? name_of(*imported, file) : options.as);
  if (!to) {
    console.err.print("{}\n", to.error().what);
    return 1;
  }
  if (!write(console, *to, document->text(), options.is_forced)) return 1;
  const std::size_t peers = count_peers(*document);
  const std::string name = options.as.empty() ? to->interface : options.as;
  console.out.print(
      "{} has {} peer{}, from a file of {}\nnext: `ferrule check {}', then `ferrule up {}'\n",
      to->path, peers, peers == 1 ? "" : "s", imported->program, name, name);
  return 0;
}

}  // namespace ferrule::cli
