#include "plugins/http/boot_page.hpp"

#include <catch2/catch.hpp>

using namespace rr;
using namespace rr::http;

TEST_CASE("boot page: the reason, and below it what the worker wrote") {
    std::string page =
        BootPage("it exited with code 255\n  command: php w.php\n  output:\n    | a");
    REQUIRE(page.find("<p>it exited with code 255</p>\n<pre>  command: php w.php\n") !=
            std::string::npos);
    REQUIRE(page.find("    | a</pre>") != std::string::npos);
    REQUIRE(page.find("http-equiv=\"refresh\"") != std::string::npos);
    REQUIRE(BootPage("one line").find("<pre>") == std::string::npos);
}

TEST_CASE("boot page: nothing of a worker's output becomes markup") {
    std::string page = BootPage("<b>'\"&\n</pre><script>\x1b[31mred\x1b[0m\x1b[");
    REQUIRE(page.find("&lt;b&gt;&#39;&quot;&amp;") != std::string::npos);
    REQUIRE(page.find("&lt;/pre&gt;&lt;script&gt;red</pre>") != std::string::npos);
    REQUIRE(page.find("<script>") == std::string::npos);
    REQUIRE(BootPage(Bytes("a\n\x1b[31", 6)).find("<pre></pre>") != std::string::npos);
}

TEST_CASE("boot page: for those who accept a page") {
    REQUIRE(AcceptsHtml("text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"));
    REQUIRE(AcceptsHtml("Text/HTML"));
    REQUIRE_FALSE(AcceptsHtml("*/*"));
    REQUIRE_FALSE(AcceptsHtml("application/json"));
    REQUIRE_FALSE(AcceptsHtml(""));
}
