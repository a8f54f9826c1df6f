<?php

declare(strict_types=1);

// A page of 20 KiB as frameworks make them, the same for every request: for tests/bench/compression.

use Rr\Worker\HttpWorker;

require __DIR__ . '/../../../php-worker/autoload.php';

mt_srand(7);
$words = explode(' ', 'time year people way day man thing woman life child world school state family '
    . 'student group country problem hand part place case week company system program question work '
    . 'government number night point home water room mother area money story fact month lot right '
    . 'study book eye job word business issue side kind head house service friend father power hour '
    . 'game line end member law car city community name president team minute idea body information');
$some = static function (int $least, int $most) use ($words): string {
    $text = [];
    for ($i = mt_rand($least, $most); $i > 0; --$i) {
        $text[] = $words[mt_rand(0, count($words) - 1)];
    }
    return implode(' ', $text);
};
$page = "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>Orders</title>\n"
    . "<link rel=\"stylesheet\" href=\"/build/assets/app-4ed993c7.css\">\n</head>\n"
    . "<body class=\"antialiased bg-gray-100\">\n<main class=\"max-w-7xl mx-auto p-6 lg:p-8\">\n";
for ($i = 1; strlen($page) < 20480; ++$i) {
    $text = $some(8, 24);
    $page .= '  <article id="post-' . mt_rand(1000, 99999) . "\" class=\"p-6 bg-white rounded-lg flex\">\n"
        . "    <h2 class=\"mt-6 text-xl font-semibold\"><a href=\"/posts/$i\">" . ucfirst($some(2, 4))
        . "</a></h2>\n    <p class=\"mt-4 text-gray-500 text-sm leading-relaxed\">$text.</p>\n"
        . '    <time datetime="2024-' . mt_rand(10, 12) . '-' . mt_rand(10, 28) . "\">"
        . mt_rand(1, 59) . " minutes ago</time>\n  </article>\n";
}
$end = "</main>\n</body>\n</html>\n";
$page = substr($page, 0, 20480 - strlen($end)) . $end;

$keep = (string) getenv('KEEP'); // seconds, for the cache
$headers = ['Content-Type' => 'text/html; charset=utf-8'] + ($keep === '' ? [] : ['X-Cache-For' => $keep]);
$http = new HttpWorker();
while ($http->waitRequest() !== null) {
    $http->respond(200, $page, $headers);
}
