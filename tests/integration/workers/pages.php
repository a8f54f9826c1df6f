<?php

declare(strict_types=1);

// The worker of the tests of gzip and cache: pages of which the request says how they are.
//
//   /page?size=&h[Name]=value&status=   a body of `size` bytes (or `body=`), Content-Type text/html
//                                       unless h says otherwise (`none`: no type); X-Served counts what this worker did
//   /events?n=&gate=NAME                server-sent events; before each but the first it waits until
//                                       the test opens the gate NAME2, NAME3 ... (harness/gate.py)
//   /lines?n=                           a stream of n lines, as fast as they go
//   /wait?gate=NAME&h[...]              /page that begins only when the gate is open
//   /echo                               the request's headers as JSON

use Rr\Worker\HttpWorker;
use Rr\Worker\Request;

require __DIR__ . '/../../../php-worker/autoload.php';

/** Tells the test that it is here, and waits for it: thirty seconds at most. */
function gate(string $name): void
{
    $place = getenv('GATE_DIR') . "/$name";
    file_put_contents("$place.begun", getmypid() . "\n", FILE_APPEND);
    for ($i = 0; $i < 15000 && !file_exists("$place.open"); ++$i) {
        usleep(2000);
        clearstatcache();
    }
}

/** @return iterable<string> */
function events(int $n, string $gate): iterable
{
    for ($i = 1; $i <= $n; ++$i) {
        if ($i > 1 && $gate !== '') {
            gate("$gate$i");
        }
        yield "id: $i\ndata: event number $i\n\n";
    }
}

/** @return iterable<string> */
function lines(int $n): iterable
{
    for ($i = 1; $i <= $n; ++$i) {
        yield "line $i of a long table of values that resemble each other\n";
    }
}

function body(int $size): string
{
    $text = '';
    for ($i = 0; strlen($text) < $size; ++$i) {
        $text .= "<li class=\"row\"><a href=\"/items/$i\">Item " . md5((string) $i) . "</a></li>\n";
    }
    return substr($text, 0, $size);
}

$http = new HttpWorker();
$served = 0;
while ($request = $http->waitRequest()) {
    ++$served;
    $query = $request->query;
    $headers = ($query['h'] ?? []) + ['Content-Type' => 'text/html; charset=utf-8'];
    if ($headers['Content-Type'] === 'none') {
        unset($headers['Content-Type']);
    }
    switch (parse_url($request->uri, PHP_URL_PATH)) {
        case '/events':
            $http->respond(200, events((int) $query['n'], $query['gate'] ?? ''),
                ['Content-Type' => 'text/event-stream'] + $headers);
            break;
        case '/lines':
            $http->respond(200, lines((int) $query['n']), $headers);
            break;
        case '/echo':
            $http->respond(200, json_encode($request->headers), $headers);
            break;
        case '/wait':
            gate($query['gate']);
            // no break
        default:
            $http->respond((int) ($query['status'] ?? 200),
                $query['body'] ?? body((int) ($query['size'] ?? 0)),
                $headers + ['X-Served' => "$served"]);
    }
}
