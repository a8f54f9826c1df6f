<?php

declare(strict_types=1);

// The worker of the integration tests: the path says what it does (see the table below), any other
// path answers with everything it knows about the request, as JSON.
//
//   /sleep?ms=            answer late                  /stdout?text=   to the pipe past frames
//   /exit?code=           end without an answer        /stdout?bytes=  the same, N times "x"
//   /kill                 SIGKILL to itself            /double         answer twice
//   /error?text=          an ERROR frame               /double?ms=     the second one late
//   /throw?text=          an uncaught exception        /none           no answer, and wait again
//   /status?code=&body=   status and body              /badstatus      status 0
//   /headers?Name=value   these headers (name[] list)  /badjson        a context that is no JSON
//   /headers?large=       one of so many bytes
//   /stream?n=&ms=&size=  chunks                       /badframe       a wrong CRC
//   /stream?fail=         throw after chunk N          /badoffset      context longer than payload
//   /stream?die=          exit after chunk N           /badnumber      another request's number
//   /big?mb=              a large body                 /early-hints    103, then 200 (?code=)
//   /memory?mb=           keep N MiB more              /trailers       a Trailer (?also=)
//   /stderr?text=         a line on stderr             /replace        {"stop":true}
//   /fatal                a PHP fatal error            /type?ct=       Content-Type and body
//   /raw                  the request's body as it is  /length         only its length and crc32
//   /pid                  the pid as text              /empty          an empty context and body
//
// Boot, by environment: BOOT_SLEEP_MS, BOOT_OUTPUT (to stdout), BOOT_STDERR, BOOT_FAIL (exit code).
// BOOT_FAIL_FILE: fail only while this file exists. RR_WORKER_PLAIN=1: no numbered requests.

use Rr\Worker\Frame;
use Rr\Worker\HttpWorker;
use Rr\Worker\Request;
use Rr\Worker\Worker;

require __DIR__ . '/../../../php-worker/autoload.php';

if (($ms = (int) getenv('BOOT_SLEEP_MS')) > 0) {
    usleep($ms * 1000);
}
fwrite(STDERR, (string) getenv('BOOT_STDERR'));
fwrite(STDOUT, (string) getenv('BOOT_OUTPUT'));
$blocker = getenv('BOOT_FAIL_FILE');
if (getenv('BOOT_FAIL') !== false && ($blocker === false || file_exists($blocker))) {
    exit((int) getenv('BOOT_FAIL'));
}

$pipe = fopen('php://stdout', 'wb'); // before the worker takes the pipes away
$http = new HttpWorker(Worker::create(numbered: getenv('RR_WORKER_PLAIN') !== '1'));
$worker = $http->worker();
$kept = [];
$served = 0;

/** An answer frame by hand, numbered where the request was. */
$frame = static function (string $context, string $body, ?int $cut = null) use ($worker): string {
    $options = [$cut ?? strlen($context)];
    if ($worker->number !== null) {
        $options[] = $worker->number;
    }
    return Frame::encode(Frame::JSON, $context . $body, $options);
};

$describe = static function (Request $request) use (&$served): string {
    $environment = array_filter(
        getenv(),
        static fn (string $name): bool => strncmp($name, 'RR_', 3) === 0,
        ARRAY_FILTER_USE_KEY,
    );
    return json_encode([
        'method' => $request->method,
        'uri' => $request->uri,
        'protocol' => $request->protocol,
        'remoteAddr' => $request->remoteAddr,
        'headers' => (object) $request->headers,
        'cookies' => (object) $request->cookies,
        'rawQuery' => $request->rawQuery,
        'query' => (object) $request->query,
        'parsed' => $request->parsed,
        'form' => $request->parsedBody(),
        'uploads' => $request->uploads,
        'files' => (object) uploadedFiles($request->uploads),
        'attributes' => (object) $request->attributes,
        'body' => base64_encode($request->body),
        'pid' => getmypid(),
        'cwd' => getcwd(),
        'served' => $served,
        'env' => (object) $environment,
    ], JSON_THROW_ON_ERROR | JSON_INVALID_UTF8_SUBSTITUTE | JSON_UNESCAPED_SLASHES);
};

/** What really stands in the upload files, by name: [size, crc32]. */
function uploadedFiles(array $tree): array
{
    $found = [];
    if (isset($tree['tmpName']) && is_string($tree['tmpName'])) {
        if ($tree['tmpName'] !== '' && is_file($tree['tmpName'])) {
            $path = $tree['tmpName'];
            $found[$tree['name']] = [filesize($path), hash_file('crc32b', $path)];
        }
        return $found;
    }
    foreach ($tree as $branch) {
        if (is_array($branch)) {
            $found += uploadedFiles($branch);
        }
    }
    return $found;
}

/** @return iterable<string> */
function chunks(array $query): iterable
{
    for ($i = 1, $n = (int) ($query['n'] ?? 3); $i <= $n; ++$i) {
        $size = (int) ($query['size'] ?? 0);
        yield $size > 0 ? str_repeat('x', $size) : "chunk $i\n";
        if ($i === (int) ($query['fail'] ?? 0)) {
            throw new RuntimeException("failed after chunk $i");
        }
        if ($i === (int) ($query['die'] ?? 0)) {
            exit(3);
        }
        usleep(1000 * (int) ($query['ms'] ?? 0));
    }
}

$text = ['Content-Type' => 'text/plain'];
$http->serve(static function (Request $request) use (
    $http,
    $worker,
    $pipe,
    $frame,
    $describe,
    $text,
    &$kept,
    &$served,
): mixed {
    ++$served;
    $query = $request->query;
    switch (parse_url($request->uri, PHP_URL_PATH)) {
        case '/sleep':
            usleep(1000 * (int) ($query['ms'] ?? 100));
            break;
        case '/exit':
            exit((int) ($query['code'] ?? 0));
        case '/kill':
            posix_kill(getmypid(), 9);
            sleep(1);
            break;
        case '/fatal':
            ini_set('memory_limit', '8M');
            str_repeat('x', 64 << 20);
            break;
        case '/error':
            $http->error($query['text'] ?? 'boom');
            return null;
        case '/throw':
            throw new RuntimeException($query['text'] ?? 'boom');
        case '/status':
            $http->respond((int) ($query['code'] ?? 200), $query['body'] ?? '', $text);
            return null;
        case '/headers':
            $large = isset($query['large']) ? str_repeat('v', (int) $query['large']) : null;
            $http->respond(200, 'headers', $large === null ? $query : ['X-Large' => $large]);
            return null;
        case '/type':
            $type = isset($query['ct']) ? ['Content-Type' => $query['ct']] : [];
            $http->respond(200, $query['body'] ?? $request->body, $type);
            return null;
        case '/stream':
            if (!$http->respond(200, chunks($query), $text)) {
                fwrite(STDERR, "stream stopped\n");
            }
            return null;
        case '/stdout':
            fwrite($pipe, str_repeat('x', (int) ($query['bytes'] ?? 0)) . ($query['text'] ?? ''));
            break;
        case '/double':
            $worker->relay()->write($frame('{"status":200}', 'first'));
            usleep(1000 * (int) ($query['ms'] ?? 0));
            $http->respond(200, 'second');
            return null;
        case '/none':
            $worker->open = false;
            return null;
        case '/badstatus':
            $http->respond(0, 'body', $text);
            return null;
        case '/badjson':
            $worker->relay()->write($frame('{"status":', 'body'));
            $worker->open = false;
            return null;
        case '/badframe':
            $bytes = $frame('{"status":200}', 'body');
            $bytes[7] = chr(ord($bytes[7]) ^ 0xff);
            $worker->relay()->write($bytes);
            $worker->open = false;
            return null;
        case '/badoffset':
            $worker->relay()->write($frame('{"status":200}', '', 1000));
            $worker->open = false;
            return null;
        case '/badnumber':
            $worker->number = $worker->number === null ? null : $worker->number + 1;
            $http->respond(200, 'wrong number');
            return null;
        case '/empty':
            $worker->respond('', '');
            return null;
        case '/big':
            $size = (int) ((float) ($query['mb'] ?? 1) * 1048576);
            $http->respond(200, str_repeat('x', $size), $text);
            return null;
        case '/memory':
            $kept[] = str_repeat(random_bytes(16), 65536 * (int) ($query['mb'] ?? 1));
            break;
        case '/early-hints':
            $http->inform(103, ['Link' => '</style.css>; rel=preload; as=style']);
            $http->inform(103, ['Link' => '</script.js>; rel=preload; as=script']);
            $http->respond((int) ($query['code'] ?? 200), 'hinted', $text);
            return null;
        case '/trailers':
            $also = (string) ($query['also'] ?? '');
            $http->respond(200, 'trailed', $text + ['X-Sum' => 'abc', 'x-low' => 'l',
                'Trailer' => 'X-Sum, x-low' . ($also === '' ? '' : ", $also")]
                + ($also === '' ? [] : [$also => 'x']));
            return null;
        case '/stderr':
            fwrite(STDERR, ($query['text'] ?? 'a line on stderr') . "\n");
            break;
        case '/replace':
            $worker->stop();
            return null;
        case '/raw':
            $http->respond(200, $request->body, ['Content-Type' => 'application/octet-stream']);
            return null;
        case '/length':
            $sum = hash('crc32b', $request->body);
            $http->respond(200, strlen($request->body) . " $sum", $text);
            return null;
        case '/pid':
            $http->respond(200, (string) getmypid(), $text);
            return null;
    }
    $http->respond(200, $describe($request), ['Content-Type' => 'application/json']);
    return null;
});
