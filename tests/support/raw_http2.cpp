#include "support/raw_http2.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>

namespace warmline::testing {
namespace {

constexpr std::size_t kFrameHead = 9;

// An integer with a prefix of seven bits.
std::string Length(std::size_t value) {
  if (value < 127) return {static_cast<char>(value)};
  std::string text(1, '\x7f');
  for (value -= 127; value >= 128; value /= 128) text += static_cast<char>(value % 128 + 128);
  return text + static_cast<char>(value);
}

}  // namespace

RawHttp2::RawHttp2(int port, bool greet) : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
  const int yes = 1;
  setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
  if (connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) {
    close(std::exchange(fd_, -1));
    return;
  }
  if (!greet) return;
  Send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
  // No header table (SETTINGS_HEADER_TABLE_SIZE 0): what comes back is literal.
  SendFrame(kSettings, 0, 0, std::string_view("\0\1\0\0\0\0", 6));
}

RawHttp2::~RawHttp2() {
  if (fd_ >= 0) close(fd_);
}

bool RawHttp2::Send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

bool RawHttp2::SendFrame(Type type, int flags, std::uint32_t stream, std::string_view payload) {
  std::string frame;
  for (const int shift : {16, 8, 0}) frame += static_cast<char>(payload.size() >> shift);
  frame += static_cast<char>(type);
  frame += static_cast<char>(flags);
  for (const int shift : {24, 16, 8, 0}) frame += static_cast<char>(stream >> shift);
  frame += payload;
  return Send(frame);
}

std::string RawHttp2::Encode(const Fields& fields) {
  std::string block;
  for (const auto& [name, value] : fields) {
    block += '\0';
    block += Length(name.size()) + name + Length(value.size()) + value;
  }
  return block;
}

RawHttp2::Fields RawHttp2::CallFields(const std::string& method) {
  return {{":method", "POST"},         {":scheme", "http"}, {":path", method},
          {":authority", "localhost"}, {"te", "trailers"},  {"content-type", "application/grpc"}};
}

bool RawHttp2::SendCall(std::uint32_t stream, const std::string& method, const Fields& more, int flags) {
  Fields fields = CallFields(method);
  fields.insert(fields.end(), more.begin(), more.end());
  return SendFrame(kHeaders, flags, stream, Encode(fields));
}

bool RawHttp2::SendMessage(std::uint32_t stream, std::string_view message, bool compressed) {
  std::string bytes(1, compressed ? '\1' : '\0');
  for (const int shift : {24, 16, 8, 0}) bytes += static_cast<char>(message.size() >> shift);
  bytes += message;
  constexpr std::size_t kMaxFrame = 16 * 1024;
  for (std::size_t at = 0; at < bytes.size(); at += kMaxFrame) {
    const bool last = at + kMaxFrame >= bytes.size();
    if (!SendFrame(kData, last ? kEndStream : 0, stream, std::string_view(bytes).substr(at, kMaxFrame))) return false;
  }
  return true;
}

bool RawHttp2::Receive(RawFrame& frame) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint32_t>(static_cast<unsigned char>(input_[i])); };
  std::array<char, 16 * 1024> buffer{};
  while (true) {
    if (input_.size() >= kFrameHead) {
      const std::size_t size = byte(0) << 16 | byte(1) << 8 | byte(2);
      if (input_.size() >= kFrameHead + size) {
        frame = {static_cast<int>(byte(3)), static_cast<int>(byte(4)),
                 byte(5) << 24 | byte(6) << 16 | byte(7) << 8 | byte(8), input_.substr(kFrameHead, size)};
        input_.erase(0, kFrameHead + size);
        return true;
      }
    }
    const ssize_t got = recv(fd_, buffer.data(), buffer.size(), 0);
    if (got <= 0) return false;
    input_.append(buffer.data(), static_cast<std::size_t>(got));
  }
}

std::string RawHttp2::TrailersOf(std::uint32_t stream) {
  std::string text;
  for (RawFrame frame; Receive(frame);) {
    if (frame.stream != stream) continue;
    if (frame.type == kHeaders) text = frame.payload;
    if (frame.type == kReset) return "reset " + std::to_string(static_cast<unsigned char>(frame.payload.back())) + text;
    if ((frame.type == kHeaders || frame.type == kData) && (frame.flags & kEndStream) != 0) return text;
  }
  return "closed";
}

std::string RawHttp2::ReceiveText() {
  std::array<char, 16 * 1024> buffer{};
  const ssize_t got = recv(fd_, buffer.data(), buffer.size(), 0);
  return {buffer.data(), static_cast<std::size_t>(std::max<ssize_t>(got, 0))};
}

bool RawHttp2::WaitForEnd(int seconds) {
  std::array<char, 16 * 1024> buffer{};
  pollfd waiting{fd_, POLLIN, 0};
  while (poll(&waiting, 1, seconds * 1'000) == 1) {
    if (recv(fd_, buffer.data(), buffer.size(), 0) <= 0) return true;
  }
  return false;
}

bool RawHttp2::Ended() const {
  if (fd_ < 0) return true;
  pollfd now{fd_, POLLRDHUP, 0};
  return poll(&now, 1, 0) == 1 && (now.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

}  // namespace warmline::testing
