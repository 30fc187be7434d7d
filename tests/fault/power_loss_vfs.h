// A SQLite VFS that knows what would survive a loss of power: of each file, what it held at its last sync. One thread.
#pragma once

#include <string>

namespace warmline::testing {

// Registers the VFS as the default. Files opened from now on are watched.
void RegisterPowerLossVfs();

// Copies what would have survived of `database` and its log to `target`, under the same names.
void CopySurvivors(const std::string& database, const std::string& target);

}  // namespace warmline::testing
