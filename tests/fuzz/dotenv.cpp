// A dotenv file: every name that comes out could be set as a variable.
#include "core/config/dotenv.hpp"

#include <cstdint>

#include "core/base/check.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    auto variables = rr::config::ParseDotenv({reinterpret_cast<const char*>(data), size});
    if (!variables) {
        RR_CHECK(!variables.error().message.empty());
        return 0;
    }
    for (const auto& [name, value] : *variables) {
        RR_CHECK(!name.empty() && name.find('=') == std::string::npos);
        RR_CHECK(value.find('\0') == std::string::npos);
    }
    return 0;
}
