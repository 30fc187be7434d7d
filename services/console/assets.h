// The files of the console's page, as they were when this was built (services/console/web). Pure.
#pragma once

#include <string_view>

namespace warmline::console {

// The content of a file by its name, for example "index.html"; nothing for one that there is not.
[[nodiscard]] std::string_view FindAsset(std::string_view name);

}  // namespace warmline::console
