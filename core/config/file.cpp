#include "core/config/file.hpp"

#include <array>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <system_error>

#include "core/config/values.hpp"

namespace rr::config {
namespace {

constexpr size_t kMaxBytes = 32 << 20;

tl::unexpected<Error> Failed(std::string_view what, const std::string& path, int error) {
    std::string text = std::generic_category().message(error);
    if (!text.empty()) {
        text.replace(0, 1, LowerCase(text.substr(0, 1)));
    }
    return Fail(error == ENOENT ? Errc::kNotFound : Errc::kIo,
                std::string(what).append(" ").append(path).append(": ").append(text));
}

struct CloseFile {
    void operator()(std::FILE* file) const { std::fclose(file); }
};

}  // namespace

Result<std::string> ReadFile(const std::string& path) {
    errno = 0;
    const std::unique_ptr<std::FILE, CloseFile> file(std::fopen(path.c_str(), "rbe"));
    if (file == nullptr) {
        return Failed("open", path, errno);
    }
    std::string text;
    std::array<char, 16384> piece{};
    while (true) {
        errno = 0;
        const size_t n = std::fread(piece.data(), 1, piece.size(), file.get());
        text.append(piece.data(), n);
        if (std::ferror(file.get()) != 0) {
            return Failed("read", path, errno);
        }
        if (n < piece.size()) {
            return text;
        }
        if (text.size() > kMaxBytes) {
            return Failed("read", path, EFBIG);
        }
    }
}

Result<void> CheckFormat(const std::string& path) {
    const size_t slash = path.rfind('/');
    const std::string_view name =
        std::string_view(path).substr(slash == std::string::npos ? 0 : slash + 1);
    const size_t dot = name.rfind('.');
    const std::string extension =
        dot == std::string_view::npos ? "" : LowerCase(name.substr(dot + 1));
    if (extension == "yaml" || extension == "yml" || extension == "json") {
        return {};
    }
    return Fail(Errc::kUnsupported, path + ": Unsupported Config Type \"" + extension +
                                        "\" (supported are .yaml, .yml and .json)");
}

}  // namespace rr::config
