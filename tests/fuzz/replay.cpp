// Runs a fuzz target without libFuzzer: over every file of a corpus folder, over what is left when
// a file is cut off at each place, and over each file with one bit turned. The same inputs each time.
//
//   fuzz_frame tests/fuzz/corpus/frame          a folder
//   fuzz_frame crash-1234                       one file, as it is
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

constexpr size_t kPlaces = 512;  // of a file, at which it is cut and damaged

// From memory of exactly this size, so that a sanitizer sees the first byte read behind it.
void Run(const std::string& input) {
    std::unique_ptr<uint8_t[]> bytes(new uint8_t[input.size()]);
    std::copy(input.begin(), input.end(), bytes.get());
    LLVMFuzzerTestOneInput(bytes.get(), input.size());
}

std::string Read(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

size_t RunDamaged(const std::string& input) {
    size_t runs = 0;
    size_t step = std::max<size_t>(1, input.size() / kPlaces);
    for (size_t i = 0; i < input.size(); i += step) {
        Run(input.substr(0, i));
        std::string damaged = input;
        damaged[i] = static_cast<char>(damaged[i] ^ (1 << (i / step % 8)));
        Run(damaged);
        runs += 2;
    }
    return runs;
}

}  // namespace

int main(int argc, char** argv) {
    size_t runs = 1;
    size_t files = 0;
    Run("");
    for (int i = 1; i < argc; ++i) {
        std::filesystem::path path = argv[i];
        if (!std::filesystem::is_directory(path)) {
            Run(Read(path));
            ++runs;
            ++files;
            continue;
        }
        std::vector<std::filesystem::path> inputs;
        for (const auto& entry : std::filesystem::directory_iterator(path)) {
            inputs.push_back(entry.path());
        }
        std::sort(inputs.begin(), inputs.end());
        for (const auto& input : inputs) {
            std::string bytes = Read(input);
            Run(bytes);
            runs += 1 + RunDamaged(bytes);
            ++files;
        }
    }
    std::printf("%zu files, %zu runs\n", files, runs);
    return files > 0 ? 0 : 1;  // an empty corpus is a mistake
}
