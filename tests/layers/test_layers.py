"""The scanner itself: a planted violation of each kind is found, and the right thing passes."""
import os
import tempfile
import unittest

import layers


class Layers(unittest.TestCase):
    def scan(self, **files):
        with tempfile.TemporaryDirectory() as root:
            for path, text in files.items():
                full = os.path.join(root, path)
                os.makedirs(os.path.dirname(full), exist_ok=True)
                with open(full, "w", encoding="utf-8") as file:
                    file.write(text)
            return layers.check_tree(root)

    def assert_found(self, path, text, what):
        found = self.scan(**{path: text})
        self.assertEqual(1, len(found), found)
        self.assertIn(what, found[0])
        self.assertTrue(found[0].startswith(path + ":"), found[0])

    def assert_clean(self, path, text):
        self.assertEqual([], self.scan(**{path: text}))

    def test_nobody_includes_back(self):
        for path, header in [
            ("core/base/a.hpp", "core/net/stream.hpp"),
            ("core/net/a.cpp", "relay/frame.hpp"),
            ("relay/pipes.cpp", "core/pool/pool.hpp"),
            ("core/pool/a.cpp", "plugins/http/plugin.hpp"),
            ("plugins/http/a.cpp", "cmd/rr/main.hpp"),
        ]:
            self.assert_found(path, f'#include "{header}"\n', "stands below")

    def test_everybody_includes_forward(self):
        for path, header in [
            ("core/net/a.cpp", "core/base/loop.hpp"),
            ("relay/pipes.cpp", "core/net/stream.hpp"),
            ("core/pool/a.cpp", "relay/pipes.hpp"),
            ("core/api/a.hpp", "core/log/logger.hpp"),
            ("plugins/http/a.cpp", "core/net/stream.hpp"),
            ("plugins/http/a.cpp", "plugins/http/b.hpp"),
            ("plugins/http/a.cpp", "relay/frame.hpp"),
            ("plugins/http/a.cpp", "relay/frame_v2.hpp"),
            ("cmd/rr/plugins.cpp", "plugins/http/plugin.hpp"),
        ]:
            self.assert_clean(path, f'#include "{header}"\n')

    def test_plugins_do_not_see_each_other(self):
        self.assert_found("plugins/http/a.cpp", '#include "plugins/tcp/a.hpp"\n', "meet in core/api")

    def test_plugins_do_not_see_transports(self):
        self.assert_found("plugins/http/a.cpp", '#include "relay/pipes.hpp"\n', "only relay/frame")

    def test_boxes_of_one_rank_make_no_circle(self):
        found = self.scan(**{
            "core/api/a.hpp": '#include "core/log/b.hpp"\n',
            "core/log/b.hpp": '#include "core/pool/c.hpp"\n',
            "core/pool/c.hpp": '#include "core/api/a.hpp"\n',
        })
        self.assertEqual(1, len(found), found)
        self.assertIn("core/api -> core/log -> core/pool -> core/api", found[0])

    def test_system_headers_stay_in_core_and_transports(self):
        for header in ["unistd.h", "sys/socket.h", "signal.h", "linux/types.h", "pthread.h"]:
            text = f"#include <{header}>\n"
            self.assert_found("plugins/http/a.cpp", text, "headers of the system")
            self.assert_found("plugins/http/a_test.cpp", text, "headers of the system")
            self.assert_found("cmd/rr/main.cpp", text, "headers of the system")
            self.assert_found("relay/frame.cpp", text, "pure bytes")
            self.assert_clean("core/pool/spawn_linux.cpp", text)
            self.assert_clean("relay/pipes.cpp", text)

    def test_libraries_stay_with_their_owner(self):
        for header, wrong, right in [
            ("uv.h", "plugins/http/a.cpp", "core/net/a.cpp"),
            ("uv.h", "core/config/a.cpp", "core/pool/a.cpp"),
            ("yaml-cpp/yaml.h", "core/log/a.cpp", "core/config/a.cpp"),
            ("spdlog/spdlog.h", "cmd/rr/a.cpp", "core/log/a.cpp"),
            ("CLI/CLI.hpp", "core/config/a.cpp", "cmd/rr/a.cpp"),
            ("llhttp.h", "core/net/a.cpp", "plugins/http/a.cpp"),
        ]:
            self.assert_found(wrong, f"#include <{header}>\n", "belongs to")
            self.assert_clean(right, f"#include <{header}>\n")
        self.assert_found("relay/frame.cpp", "#include <uv.h>\n", "pure bytes")
        self.assert_clean("plugins/http/a.cpp", "#include <simdjson.h>\n#include <vector>\n")
        self.assert_clean("plugins/http/a.cpp", "#include <emmintrin.h>\n")

    def test_spaces_do_not_hide_an_include(self):
        self.assert_found("plugins/a/a.cpp", "  #  include  <unistd.h>\n", "headers of the system")

    def test_unfinished_work_and_machine_paths(self):
        self.assert_found("docs/a.md", "// TODO(" + "now): later\n", "TODO")
        self.assert_clean("docs/a.md", "// TODO(soon): later\n")
        self.assert_found("config/a.yaml", "command: php /" + "work/app.php\n", "machine")
        self.assert_found("tools/deps", "cd /" + "root/project\n", "machine")
        self.assert_clean("config/a.yaml", "command: php my/" + "work/app.php\n")

    def test_built_and_foreign_folders_are_not_read(self):
        self.assert_clean("build/dev/plugins/a.cpp", "#include <unistd.h>\n")
        self.assertEqual([], self.scan(**{"php-worker/vendor/a.md": "TODO(" + "now)"}))


if __name__ == "__main__":
    unittest.main()
