// The `warmline` program. Every option is defined once, as flag, environment variable and configuration key.
#pragma once

namespace warmline::cli {

// Exit codes.
inline constexpr int kOk = 0;
inline constexpr int kFailed = 1;
inline constexpr int kWrongUse = 2;
inline constexpr int kPartlyDone = 3;  // an import that refused rows

// Runs the program; returns its exit code.
int RunProgram(int argc, char** argv);

}  // namespace warmline::cli
