#include "core/log/backups.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <map>
#include <system_error>
#include <vector>

#include "core/base/time.hpp"
#include "core/log/line.hpp"
#include "core/log/signals.hpp"
#include "core/log/utc.hpp"

namespace rr::log {
namespace {

namespace fs = std::filesystem;
constexpr std::string_view kGzip = ".gz";
constexpr std::string_view kStampForm = "0000-00-00T00-00-00.000";

bool HasStampForm(std::string_view text) {
    if (text.size() != kStampForm.size()) {
        return false;
    }
    for (size_t i = 0; i < text.size(); ++i) {
        const bool digit = text[i] >= '0' && text[i] <= '9';
        if (kStampForm[i] == '0' ? !digit : text[i] != kStampForm[i]) {
            return false;
        }
    }
    return true;
}

std::optional<int64_t> ParseStamp(std::string_view text) {
    if (!HasStampForm(text)) {
        return std::nullopt;
    }
    const auto number = [&](size_t at, size_t size) {
        int value = 0;
        std::from_chars(text.data() + at, text.data() + at + size, value);
        return value;
    };
    const std::chrono::year_month_day date{std::chrono::year(number(0, 4)),
                                           std::chrono::month(static_cast<unsigned>(number(5, 2))),
                                           std::chrono::day(static_cast<unsigned>(number(8, 2)))};
    if (!date.ok()) {
        return std::nullopt;
    }
    const auto instant = std::chrono::sys_days(date) + std::chrono::hours(number(11, 2)) +
                         std::chrono::minutes(number(14, 2)) + std::chrono::seconds(number(17, 2)) +
                         std::chrono::milliseconds(number(20, 3));
    return std::chrono::duration_cast<std::chrono::milliseconds>(instant.time_since_epoch())
        .count();
}

std::string Stamp(int64_t unix_ms) {
    constexpr int64_t kSecond = 1000;
    Line line;
    AppendUtc(line, unix_ms / kSecond, '-');
    line.Append('.');
    line.AppendPadded(static_cast<unsigned>(unix_ms % kSecond), 3);
    return std::string(line.view());
}

// Writes `path`.gz beside it and removes `path`. An unfinished one is named .gz.part.
bool Compress(const std::string& path, const std::atomic<bool>& stop) {
    struct stat status{};
    const int in = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (in < 0 || fstat(in, &status) != 0) {
        if (in >= 0) {
            close(in);
        }
        return false;
    }
    const std::string part = path + std::string(kGzip) + ".part";
    const int out =
        open(part.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, status.st_mode & 07777);
    gzFile zipped = out < 0 ? nullptr : gzdopen(out, "wb");
    if (zipped == nullptr && out >= 0) {
        close(out);
    }
    bool good = zipped != nullptr;
    std::vector<char> piece(64 * 1024);
    while (good && !stop.load(std::memory_order_relaxed)) {
        const ssize_t got = read(in, piece.data(), piece.size());
        if (got <= 0) {
            good = got == 0;
            break;
        }
        good = gzwrite(zipped, piece.data(), static_cast<unsigned>(got)) == got;
    }
    close(in);
    if (zipped != nullptr) {
        good = gzclose(zipped) == Z_OK && good;
    }
    good = good && !stop.load(std::memory_order_relaxed) &&
           std::rename(part.c_str(), (path + std::string(kGzip)).c_str()) == 0;
    std::remove(good ? path.c_str() : part.c_str());
    return good;
}

struct Backup {
    int64_t time;
    std::string path;  // without .gz: a file and its compressed form count once
    bool plain = false;
    bool zipped = false;
};

std::vector<Backup> ListBackups(const std::string& path) {
    std::map<std::string, Backup> found;
    fs::path folder = fs::path(path).parent_path();
    std::error_code error;
    for (fs::directory_iterator it(folder.empty() ? fs::path(".") : folder, error), end;
         !error && it != end; it.increment(error)) {
        const std::string name = it->path().filename().string();
        const auto time = BackupTime(path, name);
        if (!time) {
            continue;
        }
        const bool zipped = name.ends_with(kGzip);
        const std::string plain_name = zipped ? name.substr(0, name.size() - kGzip.size()) : name;
        Backup& backup = found[plain_name];
        backup.time = *time;
        backup.path = (folder / plain_name).string();
        (zipped ? backup.zipped : backup.plain) = true;
    }
    std::vector<Backup> backups;
    for (auto& [name, backup] : found) {
        backups.push_back(std::move(backup));
    }
    std::sort(backups.begin(), backups.end(),
              [](const Backup& a, const Backup& b) { return a.time > b.time; });
    return backups;
}

}  // namespace

std::string BackupPath(const std::string& path, int64_t unix_ms) {
    const fs::path whole(path);
    const std::string name =
        whole.stem().string() + "-" + Stamp(unix_ms) + whole.extension().string();
    return (whole.parent_path() / name).string();
}

std::optional<int64_t> BackupTime(const std::string& path, std::string_view file_name) {
    const fs::path whole(path);
    const std::string prefix = whole.stem().string() + "-";
    const std::string extension = whole.extension().string();
    if (file_name.ends_with(kGzip)) {
        file_name.remove_suffix(kGzip.size());
    }
    if (!file_name.starts_with(prefix) || !file_name.ends_with(extension) ||
        file_name.size() != prefix.size() + kStampForm.size() + extension.size()) {
        return std::nullopt;
    }
    return ParseStamp(file_name.substr(prefix.size(), kStampForm.size()));
}

void TidyBackups(const RotationConfig& rotation, int64_t now_unix_ms,
                 const std::atomic<bool>& stop) {
    constexpr int64_t kDayMs = 24 * 3600 * 1000;
    const int64_t oldest = now_unix_ms - rotation.max_age * kDayMs;
    const auto backups = ListBackups(rotation.log_output);
    for (size_t i = 0; i < backups.size() && !stop.load(std::memory_order_relaxed); ++i) {
        const Backup& backup = backups[i];
        const std::string zipped = backup.path + std::string(kGzip);
        if (static_cast<int64_t>(i) >= rotation.max_backups || backup.time < oldest) {
            std::remove(backup.path.c_str());
            std::remove(zipped.c_str());
        } else if (rotation.compress && backup.plain) {
            Compress(backup.path, stop);
        }
    }
}

Tidier::~Tidier() {
    stop_.store(true, std::memory_order_relaxed);
    if (thread_.joinable()) {
        thread_.join();
    }
}

void Tidier::Start() {
    if (thread_.joinable()) {
        thread_.join();
    }
    const SignalsBlocked blocked;  // inherited by the thread
    thread_ = std::thread([this] { TidyBackups(rotation_, UnixNanoseconds() / 1000000, stop_); });
}

}  // namespace rr::log
