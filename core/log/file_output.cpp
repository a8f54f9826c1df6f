// The one file that includes spdlog: its file helper writes our files. Header-only, because the
// shared libraries of spdlog and fmt cost 0.8 MB of resident memory, these pieces a quarter of it.
#define FMT_HEADER_ONLY
#define SPDLOG_FMT_EXTERNAL
#define SPDLOG_HEADER_ONLY
#define SPDLOG_PREVENT_CHILD_FD  // close-on-exec: workers must not inherit log files

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <exception>
#include <filesystem>
#include <system_error>

#include <spdlog/details/file_helper.h>

#include "core/base/time.hpp"
#include "core/log/backups.hpp"
#include "core/log/output.hpp"

namespace rr::log {
namespace {

namespace fs = std::filesystem;

// Makes the file with the mode we want and shows at once why it cannot be; spdlog would try five
// times and make the folders.
Result<void> Touch(const std::string& path, int mode) {
    const int descriptor = open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, mode);
    if (descriptor < 0) {
        return Fail(Errc::kIo, "open " + path + ": " + std::strerror(errno));
    }
    close(descriptor);
    return {};
}

// File: spdlog's helper without its exceptions.
class File {
public:
    Result<void> Open(const std::string& path, int mode) {
        if (auto touched = Touch(path, mode); !touched) {
            return touched;
        }
        return Try([&] { helper_.open(path); });
    }
    Result<void> Write(std::string_view bytes) {
        constexpr size_t kKeep = 128 * 1024;  // what a burst grew beyond it is given back
        auto wrote = Try([&] {
            bytes_.clear();
            bytes_.append(bytes.data(), bytes.data() + bytes.size());
            helper_.write(bytes_);
            helper_.flush();
        });
        if (bytes_.capacity() > kKeep) {
            bytes_ = spdlog::memory_buf_t();
        }
        return wrote;
    }
    void Close() {
        (void)Try([&] { helper_.close(); });
    }
    int64_t Size() {
        int64_t size = 0;
        (void)Try([&] { size = static_cast<int64_t>(helper_.size()); });
        return size;
    }

private:
    template <class Work>
    static Result<void> Try(const Work& work) {
        try {
            work();
            return {};
        } catch (const std::exception& error) {
            return Fail(Errc::kIo, error.what());
        }
    }

    spdlog::details::file_helper helper_;
    spdlog::memory_buf_t bytes_;
};

class FileOutput final : public Output {
public:
    explicit FileOutput(std::string path) : path_(std::move(path)) {}

    Result<void> Reopen() override {
        opened_ = false;
        auto opened = file_.Open(path_, 0644);
        opened_ = opened.has_value();
        return opened;
    }
    Result<void> Write(std::string_view lines) override {
        if (!opened_) {  // the last attempt failed: the disk may be back
            if (auto opened = Reopen(); !opened) {
                return opened;
            }
        }
        return file_.Write(lines);
    }

private:
    const std::string path_;
    File file_;
    bool opened_ = false;
};

class RotatedOutput final : public Output {
public:
    explicit RotatedOutput(const RotationConfig& rotation)
        : rotation_(rotation), limit_(rotation.max_size << 20), tidier_(rotation) {}

    Result<void> Reopen() override {
        opened_ = false;
        const fs::path folder = fs::path(rotation_.log_output).parent_path();
        std::error_code error;
        if (!folder.empty() && !fs::create_directories(folder, error) && error) {
            return Fail(Errc::kIo, "create " + folder.string() + ": " + error.message());
        }
        auto opened = file_.Open(rotation_.log_output, 0600);
        if (opened) {
            opened_ = true;
            size_ = file_.Size();
            tidier_.Start();
        }
        return opened;
    }

    Result<void> Write(std::string_view lines) override {
        Result<void> trouble;
        while (!lines.empty()) {
            if (!opened_) {
                if (auto opened = Reopen(); !opened) {
                    return opened;
                }
            }
            const size_t piece = Fitting(lines);
            if (piece == 0) {
                if (auto rotated = Rotate(); !rotated) {
                    trouble = std::move(rotated);
                }
                continue;
            }
            size_ += static_cast<int64_t>(piece);
            if (auto wrote = file_.Write(lines.substr(0, piece)); !wrote) {
                return wrote;
            }
            lines.remove_prefix(piece);
        }
        return trouble;
    }

private:
    // How much of `lines` may still go into this file: whole lines; 0: none. A single line that is
    // longer than a file may be goes into a fresh one.
    size_t Fitting(std::string_view lines) const {
        const int64_t room = limit_ - size_;
        if (static_cast<int64_t>(lines.size()) <= room) {
            return lines.size();
        }
        const size_t end =
            room <= 0 ? std::string_view::npos : lines.rfind('\n', static_cast<size_t>(room) - 1);
        if (end != std::string_view::npos) {
            return end + 1;
        }
        if (size_ > 0) {
            return 0;
        }
        const size_t first = lines.find('\n');
        return first == std::string_view::npos ? lines.size() : first + 1;
    }

    Result<void> Rotate() {
        file_.Close();
        opened_ = false;
        const std::string& path = rotation_.log_output;
        int64_t now = UnixNanoseconds() / 1000000;
        std::error_code error;
        while (fs::exists(BackupPath(path, now), error)) {
            ++now;  // two rotations within one millisecond
        }
        if (std::rename(path.c_str(), BackupPath(path, now).c_str()) == 0 || errno == ENOENT) {
            return Reopen();
        }
        auto failed = Fail(Errc::kIo, "rename " + path + ": " + std::strerror(errno));
        if (auto opened = Reopen(); !opened) {
            return opened;
        }
        size_ = 0;  // too long a file is better than no log; tried again after another max_size
        return failed;
    }

    const RotationConfig rotation_;
    const int64_t limit_;
    Tidier tidier_;
    File file_;
    int64_t size_ = 0;
    bool opened_ = false;
};

template <class Kind, class Argument>
Result<std::unique_ptr<Output>> Opened(const Argument& argument) {
    auto output = std::make_unique<Kind>(argument);
    if (auto opened = output->Reopen(); !opened) {
        return Forward(opened);
    }
    return std::unique_ptr<Output>(std::move(output));
}

}  // namespace

Result<std::unique_ptr<Output>> OpenFile(const std::string& path) {
    return Opened<FileOutput>(path);
}

Result<std::unique_ptr<Output>> OpenRotated(const RotationConfig& rotation) {
    return Opened<RotatedOutput>(rotation);
}

}  // namespace rr::log
