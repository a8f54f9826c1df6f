<?php

declare(strict_types=1);

// A worker made of the official SDK (spiral/roadrunner-http 2.x and 3.x), for runs by hand: it is
// not part of the repository and not used by the automatic tests.
//
//   RR_SDK_AUTOLOAD  its autoload file (vendor/autoload.php)
//   RR_SDK_MODE      http (default): HttpWorker; psr7: PSR7Worker with Nyholm's factories
//
// Answers with the request as JSON; /error, /exit?code=, /sleep?ms=, /status?code=, /stream?n=&ms=
// (3.x, http mode) and /hello as in echo.php.

$autoload = getenv('RR_SDK_AUTOLOAD');
if ($autoload === false) {
    fwrite(STDERR, "official.php: RR_SDK_AUTOLOAD names no autoload file\n");
    exit(2);
}
require $autoload;

use Nyholm\Psr7\Factory\Psr17Factory;
use Nyholm\Psr7\Response;
use Spiral\RoadRunner\Http\HttpWorker;
use Spiral\RoadRunner\Http\PSR7Worker;
use Spiral\RoadRunner\Worker;

/** Behaviours both modes share; the text to answer with, or null. */
function behave($worker, string $uri, array $query): ?string
{
    switch (parse_url($uri, PHP_URL_PATH)) {
        case '/hello':
            return 'Hello World!';
        case '/sleep':
            usleep(1000 * (int) ($query['ms'] ?? 100));
            return 'slept';
        case '/exit':
            exit((int) ($query['code'] ?? 0));
        case '/error':
            $worker->error($query['text'] ?? 'boom');
            return '';
    }
    return null;
}

$worker = Worker::create();

if (getenv('RR_SDK_MODE') === 'psr7') {
    $factory = new Psr17Factory();
    $psr7 = new PSR7Worker($worker, $factory, $factory, $factory);
    while (($request = $psr7->waitRequest()) !== null) {
        $query = $request->getQueryParams();
        $text = behave($worker, (string) $request->getUri(), $query);
        if ($text === '') {
            continue;
        }
        $files = array_map(
            static fn ($file): mixed => is_array($file) ? array_keys($file)
                : [$file->getClientFilename(), $file->getSize(), $file->getError()],
            $request->getUploadedFiles(),
        );
        $text ??= json_encode([
            'method' => $request->getMethod(),
            'uri' => (string) $request->getUri(),
            'headers' => $request->getHeaders(),
            'cookies' => $request->getCookieParams(),
            'query' => $query,
            'form' => $request->getParsedBody(),
            'files' => $files,
            'body' => base64_encode((string) $request->getBody()),
            'pid' => getmypid(),
        ], JSON_INVALID_UTF8_SUBSTITUTE);
        $psr7->respond(new Response((int) ($query['code'] ?? 200), [], $text));
    }
    return;
}

$http = new HttpWorker($worker);
while (($request = $http->waitRequest()) !== null) {
    $query = $request->query;
    $text = behave($worker, $request->uri, $query);
    if ($text === '') {
        continue;
    }
    if (parse_url($request->uri, PHP_URL_PATH) === '/stream') {
        $http->respond(200, (static function () use ($query): Generator {
            for ($i = 1, $n = (int) ($query['n'] ?? 3); $i <= $n; ++$i) {
                yield "chunk $i\n";
                usleep(1000 * (int) ($query['ms'] ?? 0));
            }
        })(), ['Content-Type' => ['text/plain']]);
        continue;
    }
    $text ??= json_encode(get_object_vars($request) + ['pid' => getmypid()],
        JSON_INVALID_UTF8_SUBSTITUTE);
    $http->respond((int) ($query['code'] ?? 200), $text, ['Content-Type' => ['application/json']]);
}
