// An HTTP/2 connection of hand-made frames, for what no well-behaved client sends. Header fields are sent as literals,
// without compression. One thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace warmline::testing {

// What came back, frame by frame.
struct RawFrame {
  int type = 0;
  int flags = 0;
  std::uint32_t stream = 0;
  std::string payload;
};

class RawHttp2 {
 public:
  enum Type { kData = 0, kHeaders = 1, kReset = 3, kSettings = 4, kPing = 6, kGoAway = 7, kContinuation = 9 };
  enum Flag { kEndStream = 1, kEndHeaders = 4 };
  using Fields = std::vector<std::pair<std::string, std::string>>;

  // Connects to 127.0.0.1; `greet`: sends the preface and empty settings.
  explicit RawHttp2(int port, bool greet = true);
  ~RawHttp2();
  RawHttp2(RawHttp2&& other) noexcept : fd_(std::exchange(other.fd_, -1)), input_(std::move(other.input_)) {}
  RawHttp2& operator=(RawHttp2&&) = delete;
  RawHttp2(const RawHttp2&) = delete;

  // False once the other side has closed the connection or reset it.
  bool Send(std::string_view bytes);
  bool SendFrame(Type type, int flags, std::uint32_t stream, std::string_view payload);
  // The HEADERS of a gRPC call, with more fields where given; as one block with END_HEADERS.
  bool SendCall(std::uint32_t stream, const std::string& method, const Fields& more = {}, int flags = kEndHeaders);
  // One gRPC message that ends the stream.
  bool SendMessage(std::uint32_t stream, std::string_view message, bool compressed = false);
  // Waits for the next frame; false when the connection has ended instead.
  bool Receive(RawFrame& frame);
  // Waits until `stream` ends, and gives its trailers as they are (fields that gRPC sends are literals, so that a test
  // may look for text in them); "closed" when the connection ended before.
  std::string TrailersOf(std::uint32_t stream);
  // What comes next, as it is; empty when the connection has ended.
  std::string ReceiveText();
  // Waits until the other side ends the connection. False if it has not within `seconds`.
  bool WaitForEnd(int seconds = 30);
  // Whether it has ended by now, without waiting.
  [[nodiscard]] bool Ended() const;

  [[nodiscard]] static std::string Encode(const Fields& fields);
  // The pseudo-header fields of a call, and those that gRPC asks for.
  [[nodiscard]] static Fields CallFields(const std::string& method);

 private:
  int fd_ = -1;
  std::string input_;
};

}  // namespace warmline::testing
