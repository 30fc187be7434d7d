// Where a command writes: a file, or standard output for `-`. One thread.
#pragma once

#include <fstream>
#include <iostream>
#include <string>

namespace warmline::cli {

class OutputFile {
 public:
  // `command` stands before what is said on stderr.
  OutputFile(std::string command, std::string path) : command_(std::move(command)), path_(std::move(path)) {}
  // False, having said why, where the file cannot be written.
  [[nodiscard]] bool Open() {
    if (path_ == "-") return true;
    file_.open(path_);
    if (!file_)
      std::cerr << "warmline " << command_ << ": cannot write " << path_ << ": check the path and its permissions\n";
    return file_.good();
  }
  [[nodiscard]] std::ostream& stream() { return path_ == "-" ? std::cout : file_; }
  // False, having said so, where not all was written.
  [[nodiscard]] bool Finish() {
    stream().flush();
    if (!stream())
      std::cerr << "warmline " << command_ << ": cannot write all of " << path_ << ": the disk may be full\n";
    return stream().good();
  }

 private:
  std::string command_;
  std::string path_;
  std::ofstream file_;
};

// A whole text at once. False, having said why.
[[nodiscard]] inline bool WriteWhole(const std::string& command, const std::string& path, const std::string& text) {
  OutputFile file(command, path);
  if (!file.Open()) return false;
  file.stream() << text;
  return file.Finish();
}

}  // namespace warmline::cli
