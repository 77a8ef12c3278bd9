// What commands print to.
#pragma once

#include "files/output.h"

namespace ferrule::cli {

using files::Output;

}  // namespace ferrule::cli
