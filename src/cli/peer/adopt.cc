#include <fmt/format.h>

#include <string>
#include <vector>

#include "cli/peer/peer_commands.h"
#include "control/hidden_keys.h"
#include "control/peer_edits.h"

namespace ferrule::cli {

int adopt_names(Console& console, PeerEditor& editor, const PeerOptions&) {
  const PeerFile& file = editor.file();
  const auto foreign = control::foreign_names(editor.document());
  if (foreign.empty()) {
    console.out.print("{}: no other tool's names are in it\n", file.path);
    return 0;
  }
  std::vector<std::string> comments;
  for (const control::ForeignName& name : foreign) {
    comments.push_back(control::without_keys(control::trimmed(editor.document().line(name.line))));
  }
  const std::vector<std::string> names = control::adopt_names(editor.document(), foreign);
  if (!apply_or_say(console, editor, {})) return 1;
  for (std::size_t i = 0; i < names.size(); ++i) {
    console.out.print("{} is what `{}' was\n", names[i], comments[i]);
  }
  console.out.print("{} {} taken over in {}\n", names.size(),
                    names.size() == 1 ? "name is" : "names are", file.path);
  return 0;
}

}  // namespace ferrule::cli
