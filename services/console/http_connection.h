// One connection of the operations port: reads a whole request, then writes one answer, over TCP or TLS, and never
// waits. Thread-safety: one thread.
#pragma once

#include <absl/time/time.h>
#include <openssl/ssl.h>

#include <memory>
#include <string>

#include "base/descriptor.h"

namespace warmline::console {

inline constexpr std::size_t kMaxHeadBytes = 16 * 1024;
inline constexpr std::size_t kMaxRequestBytes = 64 * 1024;  // of a body

class HttpConnection {
 public:
  // What it is doing.
  enum class Stage {
    kReading,    // the request is not whole yet
    kAnswering,  // somebody makes the answer
    kWriting,
    kLingering,  // the answer is out: what the caller still sends is thrown away, so that the answer is not lost
    kClosed,
  };

  // `tls` may be null. The request has to be whole at `deadline`.
  HttpConnection(base::Descriptor socket, SSL_CTX* tls, absl::Time deadline);

  [[nodiscard]] int fd() const { return socket_.get(); }
  [[nodiscard]] Stage stage() const { return stage_; }
  // When the stage has to be over.
  [[nodiscard]] absl::Time deadline() const { return deadline_; }
  // Whether the loop has to wait until it can write; otherwise it waits for bytes, or in kAnswering for nothing.
  [[nodiscard]] bool wants_write() const { return wants_write_; }
  // Goes as far as it can without waiting.
  void Continue();
  // The request as it came, once the stage is kAnswering.
  [[nodiscard]] std::string TakeRequest() { return std::move(input_); }
  // Sends this and ends. The answer has to be taken at `deadline`.
  void Answer(std::string answer, absl::Time deadline);

 private:
  struct FreeSsl {
    void operator()(SSL* ssl) const { SSL_free(ssl); }
  };
  // Bytes moved; 0: it would have to wait; -1: the connection is over.
  long Read(char* to, std::size_t size);
  long Write(const char* from, std::size_t size);
  long TlsResult(int result);
  void ReadRequest();
  void CheckRequest();
  void WriteAnswer();
  void Linger();

  base::Descriptor socket_;
  std::unique_ptr<SSL, FreeSsl> ssl_;
  Stage stage_ = Stage::kReading;
  absl::Time deadline_;
  bool wants_write_ = false;
  std::string input_;
  std::size_t head_bytes_ = 0;  // 0: the head is not whole
  std::size_t body_bytes_ = 0;
  std::string output_;
  std::size_t written_ = 0;
};

// A short answer of the port itself, with `status` as in "408 Request Timeout".
[[nodiscard]] std::string PlainAnswer(const std::string& status, const std::string& text);

}  // namespace warmline::console
