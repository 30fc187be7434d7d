#include "cli/program.h"

int main(int argc, char** argv) { return warmline::cli::RunProgram(argc, argv); }
