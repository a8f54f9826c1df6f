#include "plugins/kv/memcached/dialect.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>

#include "relay/frame.hpp"

namespace rr::kv::memcached {
namespace {

constexpr size_t kMaxKey = 250;
constexpr size_t kMaxLine = 2048;
constexpr size_t kMaxValue = size_t{1} << 30;  // the most that a server can be told to take
constexpr size_t kKeepUnread = 64 * 1024;
constexpr std::string_view kEnd = "\r\n";

tl::unexpected<Error> Bad(std::string_view line) {
    constexpr size_t kShown = 80;
    return Fail(Errc::kProtocol,
                "unexpected answer: " + std::string(line.substr(0, std::min(line.size(), kShown))));
}

std::string_view NextWord(std::string_view& rest) {
    const size_t space = std::min(rest.find(' '), rest.size());
    std::string_view word = rest.substr(0, space);
    rest.remove_prefix(std::min(space + 1, rest.size()));
    return word;
}

std::optional<size_t> Number(std::string_view text) {
    size_t value = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || error != std::errc() || end != text.data() + text.size()) {
        return std::nullopt;
    }
    return value;
}

bool IsRefusal(std::string_view line) {
    return line == "ERROR" || line.starts_with("CLIENT_ERROR") || line.starts_with("SERVER_ERROR");
}

bool IsWord(std::string_view line) {
    constexpr std::array<std::string_view, 7> kWords = {
        "STORED", "NOT_STORED", "TOUCHED", "NOT_FOUND", "DELETED", "OK", "EXISTS"};
    return std::find(kWords.begin(), kWords.end(), line) != kWords.end();
}

}  // namespace

size_t ServerOf(std::string_view key, size_t servers) {
    return servers == 1 ? 0 : relay::Crc32(key) % servers;
}

bool IsKey(std::string_view key) {
    const auto bad = [](char c) { return static_cast<unsigned char>(c) <= ' ' || c == '\x7f'; };
    return !key.empty() && key.size() <= kMaxKey && std::none_of(key.begin(), key.end(), bad);
}

//   VALUE <key> <flags> <bytes>\r\n <data>\r\n ... END\r\n      STORED\r\n      SERVER_ERROR <why>\r\n
Result<bool> MemcachedDialect::Read(Call& one) {
    auto& call = static_cast<MemcachedCall&>(one);
    while (true) {
        const Bytes all = unread_.view();
        const size_t size = all.substr(0, kMaxLine).find(kEnd);
        if (size == Bytes::npos) {
            if (all.size() >= kMaxLine) {
                return Bad(all);
            }
            return false;
        }
        const Bytes line = all.substr(0, size);
        if (call.kind == MemcachedCall::Kind::kGet && line.starts_with("VALUE ")) {
            Result<bool> value = ReadValue(line, call);
            if (!value || !*value) {
                return value;
            }
            continue;
        }
        if (IsRefusal(line)) {
            // What it refused to take as data it would run as commands.
            if (call.kind == MemcachedCall::Kind::kSet && !line.starts_with("SERVER_ERROR")) {
                return Bad(line);
            }
            call.error = line;
        } else if (call.kind == MemcachedCall::Kind::kGet ? line != "END" : !IsWord(line)) {
            return Bad(line);
        }
        unread_.Consume(size + kEnd.size());
        if (unread_.empty()) {
            unread_.Clear(kKeepUnread);
        }
        return true;
    }
}

// False if the value is not whole yet.
Result<bool> MemcachedDialect::ReadValue(Bytes line, MemcachedCall& call) {
    Bytes rest = line.substr(6);
    const Bytes key = NextWord(rest);
    NextWord(rest);  // flags
    const auto size = Number(NextWord(rest));
    if (!size || *size > kMaxValue) {
        return Bad(line);
    }
    const auto asked =
        std::find(call.keys.begin() + static_cast<int64_t>(call.next_key), call.keys.end(), key);
    if (asked == call.keys.end()) {
        return Fail(Errc::kProtocol, "a value of a key that nobody asked for");
    }
    const size_t begin = line.size() + kEnd.size();
    if (unread_.size() < begin + *size + kEnd.size()) {
        return false;
    }
    const Bytes data = unread_.view().substr(begin, *size);
    if (unread_.view().substr(begin + *size, kEnd.size()) != kEnd) {
        return Bad(line);
    }
    call.next_key = static_cast<size_t>(asked - call.keys.begin()) + 1;
    call.values.push_back({std::string(key), std::string(data)});
    unread_.Consume(begin + *size + kEnd.size());
    return true;
}

}  // namespace rr::kv::memcached
