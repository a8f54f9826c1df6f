// A configuration file: read, translated or refused, but never with a crash; what was read can be
// asked for in every type, and its JSON reads back as the same tree.
#include "core/config/config.hpp"

#include <cstdint>
#include <memory>
#include <string>

#include "core/base/check.hpp"
#include "core/config/values.hpp"
#include "core/config/words.hpp"
#include "core/config/yaml_reader.hpp"

namespace {

using namespace rr::config;

void Ask(const Section& section, int depth) {
    for (const auto& [name, child] : section.Children()) {
        (void)section.String(name, "");
        (void)section.Bool(name, false);
        (void)section.Integer(name, 1, 0, 100);
        (void)section.Number(name, 0);
        (void)section.Time(name, {});
        (void)section.Size(name, 0);
        (void)section.OneOf(name, "a", {"a", "b"});
        (void)section.List(name);
        (void)section.Command(name);
        (void)section.Pairs(name);
        (void)section.Sub(name).present();
        if (depth < 8) {
            Ask(child, depth + 1);
        }
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    if (text.find("include") != std::string_view::npos) {
        return 0;  // no files of this machine
    }
    const auto source = std::make_shared<Source>(Source{"f", Source::Kind::kFile, 0});
    Report report;
    if (std::optional<Node> root = ReadYaml(text, source, report)) {
        const std::string json = ToJson(*root);
        std::optional<Node> again = ReadYaml(json, source, report);
        RR_CHECK(again.has_value());
        RR_CHECK(ToJson(*again) == json);
    } else {
        RR_CHECK(!report.problems().empty());
    }
    if (rr::Result<std::unique_ptr<Config>> config = Config::FromText(text)) {
        for (const char* name : {"http", "server", "logs", "hooks", "rpc"}) {
            Ask((*config)->Get(name), 0);
        }
        (*config)->Finish(size % 2 == 0);
        (void)(*config)->problems();
        (void)(*config)->warnings();
    }
    if (rr::Result<rr::Duration> duration = ParseDuration(text)) {
        RR_CHECK(*ParseDuration(FormatDuration(*duration)) == *duration);
    }
    (void)ParseSize(text);
    (void)SplitWords(text);
    return 0;
}
