#include "core/config/loader.hpp"

#include <filesystem>
#include <system_error>
#include <utility>

#include "core/config/dotenv.hpp"
#include "core/config/file.hpp"
#include "core/config/legacy.hpp"
#include "core/config/values.hpp"
#include "core/config/yaml_reader.hpp"

namespace rr::config {
namespace {

constexpr std::string_view kOwnKeys[] = {"version", "include", "envfile"};
constexpr int kEnvironmentOrder = 1'000'000;  // behind every file
constexpr int kOverrideOrder = 1'000'001;

// Paths below the working directory are shown as the user would write them.
std::string Shown(const std::string& file) {
    std::error_code error;
    const std::string here = std::filesystem::current_path(error).string() + "/";
    return !error && file.compare(0, here.size(), here) == 0 ? file.substr(here.size()) : file;
}

// The name of a value's type as RoadRunner's texts have it.
std::string_view GoType(const Node& node) {
    if (node.IsMap()) {
        return "map[string]interface {}";
    }
    if (node.IsList()) {
        return "[]interface {}";
    }
    switch (ScalarType(node)) {
        case Type::kNull: return "nil";
        case Type::kBool: return "bool";
        case Type::kInteger: return "int";
        case Type::kFloat: return "float64";
        case Type::kString: break;
    }
    return "string";
}

const Node* FindSaid(const Node& root, std::string_view key) {
    const Node* node = root.Find(key);
    return node == nullptr || node->IsNull() ? nullptr : node;
}

}  // namespace

Loader::Loader(const LoadOptions& options, Config::State& state)
    : options_(options), state_(state), root_(state.root), report_(state.report) {
    override_source_ =
        std::make_shared<Source>(Source{"-o", Source::Kind::kOverride, kOverrideOrder});
}

std::shared_ptr<const Source> Loader::NewSource(std::string name, Source::Kind kind) {
    return std::make_shared<Source>(Source{std::move(name), kind, sources_++});
}

Result<void> Loader::Failed() const { return Fail(Errc::kConfig, report_.Joined()); }

Result<void> Loader::LoadFile() {
    if (options_.file.empty()) {
        return Fail(Errc::kConfig, "no configuration file provided");
    }
    if (Result<void> format = CheckFormat(options_.file); !format) {
        return format;
    }
    Result<std::string> text = ReadFile(options_.file);
    if (!text) {
        return Forward(text);
    }
    return LoadText(*text);
}

Result<void> Loader::LoadText(std::string_view text) {
    const auto source = NewSource(Shown(options_.file), Source::Kind::kFile);
    std::optional<Node> root = ReadYaml(text, source, report_);
    for (const std::string& argument : options_.overrides) {
        Result<Override> parsed = ParseOverride(argument);
        if (parsed) {
            parsed->value = Expand(parsed->value, environment_);
            overrides_.push_back(std::move(*parsed));
        } else {
            report_.Problem({override_source_, 0}, argument, parsed.error().message);
        }
    }
    if (!root || !report_.problems().empty()) {
        return Failed();
    }
    root_ = std::move(*root);
    LoadEnvfile();
    if (report_.problems().empty()) {
        if (MayBeLegacy()) {
            LoadLegacy();
        } else {
            LoadVersion3();
        }
    }
    if (!report_.problems().empty()) {
        return Failed();
    }
    if (!state_.legacy) {
        for (const std::string& path : ReportLegacyKeys(root_, report_)) {
            const size_t dot = path.rfind('.');
            state_.known.Add(dot == std::string::npos ? "" : path.substr(0, dot),
                             path.substr(dot == std::string::npos ? 0 : dot + 1),
                             KnownKeys::kIgnored);
        }
    }
    return {};
}

void Loader::LoadEnvfile() {
    const Node* envfile = FindSaid(root_, "envfile");
    if (envfile == nullptr || (envfile->IsScalar() && envfile->text.empty())) {
        return;
    }
    if (!options_.experimental) {
        report_.Warning(envfile->place, "envfile",
                        "needs the flag -e and has no effect without it");
        return;
    }
    if (!envfile->IsScalar()) {
        report_.Problem(envfile->place, "envfile", "expected the name of a file");
        return;
    }
    const size_t slash = options_.file.rfind('/');
    std::string path = envfile->text;
    if (slash != std::string::npos && path.compare(0, 1, "/") != 0) {
        path.insert(0, options_.file.substr(0, slash + 1));
    }
    if (Result<void> applied = ApplyDotenv(path); !applied) {
        report_.Problem(envfile->place, "envfile", applied.error().message);
    }
}

bool Loader::MayBeLegacy() const {
    for (const Override& override : overrides_) {
        const std::string_view key = override.key;
        if (key == "version" || key == "server" || key.substr(0, 7) == "server.") {
            return false;
        }
    }
    return FindSaid(root_, "version") == nullptr && FindSaid(root_, "server") == nullptr &&
           (IsLegacy(root_) || FindSaid(root_, "include") != nullptr);
}

void Loader::LoadVersion3() {
    ExpandTree(root_, environment_);
    ApplyOverrides();
    if (!CheckVersion(root_, nullptr)) {
        return;
    }
    ReplaceByIncludes();
    ApplyOverrides();
    LayJsonOver();
}

void Loader::LoadLegacy() {
    MergeIncludes();
    if (!report_.problems().empty()) {
        return;
    }
    if (!IsLegacy(root_)) {
        CheckVersion(root_, nullptr);
        return;
    }
    OverrideFromEnvironment(root_, kEnvironmentOrder, environment_);
    ExpandWholeValues(root_, environment_);
    ApplyOverrides();
    LayJsonOver();
    if (report_.problems().empty()) {
        state_.legacy = true;
        Translate(root_, report_);
    }
}

bool Loader::CheckVersion(const Node& root, const Node* expected) {
    const Node* version = FindSaid(root, "version");
    if (version == nullptr) {
        report_.Problem(root.place, "version",
                        std::string("rr configuration file should contain a version e.g: ")
                            .append(expected == nullptr ? "version: 3" : "version: 2.7"));
        return false;
    }
    if (const std::string_view type = GoType(*version); type != "string") {
        std::string text = expected == nullptr
                               ? "version should be a string: `version: \"3\"`, actual type is: "
                               : "type of version should be string, actual: ";
        report_.Problem(version->place, "version", text.append(type));
        return false;
    }
    if (expected != nullptr) {
        if (version->text != expected->text) {
            report_.Problem(version->place, "version",
                            "version in included file must be the same as in root");
            return false;
        }
        return true;
    }
    if (version->text == "2.7") {
        report_.Warning(version->place, "version",
                        "please, update your configuration version from version: '2.7' to "
                        "version: '3', see changes here: https://docs.roadrunner.dev/docs/general/"
                        "compatibility#v3.0-configuration-and-rr-v2023.x.x");
    } else if (version->text != "3") {
        report_.Problem(
            version->place, "version",
            "unknown configuration version \"" + version->text + "\"; write version: \"3\"");
        return false;
    }
    return true;
}

void Loader::ApplyOverrides() {
    for (const Override& override : overrides_) {
        if (!Apply(override, override_source_, root_)) {
            report_.Problem({override_source_, 0}, override.key, "too many dots in the key");
        }
    }
}

void Loader::LayJsonOver() {
    if (options_.json.empty()) {
        return;
    }
    const auto source = NewSource("-j", Source::Kind::kFile);
    if (std::optional<Node> json = ReadYaml(options_.json, source, report_)) {
        DeepMerge(root_, std::move(*json));
    }
}

std::vector<Loader::Include> Loader::ReadIncludes() {
    std::vector<Include> includes;
    const Node* names = FindSaid(root_, "include");
    if (names == nullptr) {
        return includes;
    }
    std::vector<std::pair<std::string, Place>> files;
    if (names->IsScalar()) {
        std::string_view rest = Trim(names->text);
        while (!rest.empty()) {
            const size_t end = std::min(rest.find_first_of(" \t\n"), rest.size());
            files.emplace_back(rest.substr(0, end), names->place);
            rest = Trim(rest.substr(end));
        }
    }
    for (const Node::Entry& entry : names->entries) {
        if (names->IsMap() || !entry.value.IsScalar()) {
            report_.Problem(names->place, "include", "expected a list of files");
            return includes;
        }
        files.emplace_back(entry.value.text, entry.value.place);
    }
    for (const auto& [name, place] : files) {
        Result<void> format = CheckFormat(name);
        Result<std::string> text = format ? ReadFile(name) : Result<std::string>(std::string());
        if (!format || !text) {
            report_.Problem(place, "include", (format ? text.error() : format.error()).message);
            continue;
        }
        const auto source = NewSource(name, Source::Kind::kFile);
        if (std::optional<Node> root = ReadYaml(*text, source, report_)) {
            includes.push_back({name, std::move(*root)});
        }
    }
    return includes;
}

void Loader::ReplaceByIncludes() {
    const Node version = *root_.Find("version");
    for (Include& include : ReadIncludes()) {
        ExpandTree(include.root, environment_);
        if (!CheckVersion(include.root, &version)) {
            continue;
        }
        for (const std::string_view own : kOwnKeys) {
            include.root.Take(own);
        }
        for (Node::Entry& entry : include.root.entries) {
            root_.Put(entry.key, std::move(entry.value));
        }
    }
}

void Loader::MergeIncludes() {
    for (Include& include : ReadIncludes()) {
        for (const std::string_view own : kOwnKeys) {
            include.root.Take(own);
        }
        DeepMerge(root_, std::move(include.root));
    }
}

}  // namespace rr::config
