#include "plugins/gzip/compressors.hpp"

#include <random>
#include <string>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>

#include "plugins/gzip/decode_for_test.hpp"

namespace rr::gzip {
namespace {

using Step = HttpBodyFilter::Step;

constexpr int64_t kPlenty = 64 << 20;
constexpr Encoding kAll[] = {Encoding::kGzip, Encoding::kBrotli, Encoding::kZstd};

std::string Words(size_t size, unsigned seed = 1) {
    static constexpr const char* kWords[] = {"<p>", "</p>\n", "order ", "of ",     "the ",
                                             "day", " is ",   "42",     "\xC3\xA4"};
    std::mt19937 random(seed);
    std::string text;
    while (text.size() < size) {
        text += kWords[random() % std::size(kWords)];
    }
    text.resize(size);
    return text;
}

std::string Noise(size_t size) {
    std::mt19937 random(7);
    std::string bytes(size, '\0');
    for (char& byte : bytes) {
        byte = static_cast<char>(random());
    }
    return bytes;
}

}  // namespace

TEST_CASE("compressors: a body that comes at once is complete and smaller") {
    Compressors compressors({}, kPlenty);
    for (Encoding encoding : kAll) {
        INFO(NameOf(encoding));
        for (size_t size : {size_t{1}, size_t{1024}, size_t{20000}, size_t{300000}}) {
            const std::string body = Words(size);
            auto filter = compressors.Make(encoding);
            Buffer out;
            REQUIRE(filter->Filter(body, Step::kLast, out));
            bool complete = false;
            REQUIRE(DecodeForTest(encoding, out.view(), &complete) == body);
            REQUIRE(complete);
            REQUIRE((size < 1000 || out.size() < size / 2));
        }
    }
}

TEST_CASE("compressors: an empty body, and one that can't be made smaller") {
    Compressors compressors({}, kPlenty);
    for (Encoding encoding : kAll) {
        for (const std::string& body : {std::string(), Noise(100000)}) {
            Buffer out;
            REQUIRE(compressors.Make(encoding)->Filter(body, Step::kLast, out));
            bool complete = false;
            REQUIRE(DecodeForTest(encoding, out.view(), &complete) == body);
            REQUIRE(complete);
        }
    }
}

TEST_CASE("compressors: what was flushed can be read at once") {
    Compressors compressors({}, kPlenty);
    for (Encoding encoding : kAll) {
        INFO(NameOf(encoding));
        auto filter = compressors.Make(encoding);
        Buffer out;
        std::string sent;
        REQUIRE(filter->Filter({}, Step::kFlush, out));  // nothing to say yet
        REQUIRE(out.empty());
        for (int i = 0; i < 20; ++i) {
            const std::string event = "data: " + std::to_string(i) + Words(60) + "\n\n";
            REQUIRE(filter->Filter(event.substr(0, 10), Step::kMore, out));
            REQUIRE(filter->Filter(event.substr(10), Step::kFlush, out));
            sent += event;
            bool complete = true;
            REQUIRE(DecodeForTest(encoding, out.view(), &complete) == sent);
            REQUIRE_FALSE(complete);
            REQUIRE(filter->Filter({}, Step::kFlush, out));  // nothing new
            REQUIRE(filter->Filter({}, Step::kMore, out));
        }
        REQUIRE(filter->Filter({}, Step::kLast, out));
        bool complete = false;
        REQUIRE(DecodeForTest(encoding, out.view(), &complete) == sent);
        REQUIRE(complete);
        REQUIRE(out.size() < sent.size() / 2);
    }
}

TEST_CASE("compressors: a long body in pieces") {
    Compressors compressors({}, kPlenty);
    const std::string body = Words(900000) + Noise(100000);
    for (Encoding encoding : kAll) {
        INFO(NameOf(encoding));
        for (size_t piece : {size_t{4093}, size_t{65536}}) {
            auto filter = compressors.Make(encoding);
            Buffer out;
            for (size_t at = 0; at < body.size(); at += piece) {
                REQUIRE(filter->Filter(std::string_view(body).substr(at, piece), Step::kMore, out));
            }
            REQUIRE(filter->Filter({}, Step::kLast, out));
            bool complete = false;
            REQUIRE(DecodeForTest(encoding, out.view(), &complete) == body);
            REQUIRE(complete);
        }
    }
}

TEST_CASE("compressors: one that was cut short leaves nothing for the next") {
    Compressors compressors({}, kPlenty);
    for (Encoding encoding : kAll) {
        for (int i = 0; i < 3; ++i) {
            Buffer lost;
            auto cut = compressors.Make(encoding);
            REQUIRE(cut->Filter(Words(70000), Step::kMore, lost));
            cut.reset();
            auto filter = compressors.Make(encoding);
            Buffer out;
            REQUIRE(filter->Filter("one", Step::kMore, out));
            REQUIRE(filter->Filter(", two", Step::kLast, out));
            REQUIRE(DecodeForTest(encoding, out.view()) == "one, two");
        }
    }
}

TEST_CASE("compressors: no more than max_memory is in use, and it comes back") {
    for (Encoding encoding : kAll) {
        Compressors compressors({}, 3 * Compressors::MemoryOf(encoding));
        std::vector<std::unique_ptr<HttpBodyFilter>> filters;
        for (int i = 0; i < 3; ++i) {
            filters.push_back(compressors.Make(encoding));
            REQUIRE(filters.back() != nullptr);
        }
        REQUIRE(compressors.Make(encoding) == nullptr);
        REQUIRE(compressors.memory_used() == 3 * Compressors::MemoryOf(encoding));
        filters.pop_back();
        REQUIRE(compressors.Make(encoding) != nullptr);
        filters.clear();
        REQUIRE(compressors.memory_used() == 0);
    }
}

TEST_CASE("compressors: streams leave a quarter to answers that are short") {
    constexpr int64_t kOne = Compressors::MemoryOf(Encoding::kGzip);
    Compressors compressors({}, 4 * kOne);
    std::vector<std::unique_ptr<HttpBodyFilter>> streams;
    for (int i = 0; i < 3; ++i) {
        streams.push_back(compressors.Make(Encoding::kGzip, true));
        REQUIRE(streams.back() != nullptr);
    }
    REQUIRE(compressors.Make(Encoding::kGzip, true) == nullptr);
    REQUIRE(compressors.Make(Encoding::kGzip) != nullptr);
}

TEST_CASE("compressors: threads share what waits") {
    Compressors compressors({}, kPlenty);
    std::vector<std::thread> threads;
    std::atomic<int> wrong{0};
    for (unsigned t = 0; t < 6; ++t) {
        threads.emplace_back([&, t] {
            for (unsigned i = 0; i < 40; ++i) {
                const std::string body = Words(3000, t * 100 + i);
                const Encoding encoding = kAll[i % 3];
                auto filter = compressors.Make(encoding);
                Buffer out;
                bool good = i % 2 == 0 || filter->Filter(body.substr(0, 500), Step::kFlush, out);
                good =
                    good && filter->Filter(i % 2 == 0 ? body : body.substr(500), Step::kLast, out);
                wrong += good && DecodeForTest(encoding, out.view()) == body ? 0 : 1;
            }
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    REQUIRE(wrong == 0);
    REQUIRE(compressors.memory_used() == 0);
}

}  // namespace rr::gzip
