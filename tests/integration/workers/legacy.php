<?php

declare(strict_types=1);

// A worker of the RoadRunner 1.x generation: Goridge v2 framing, JSON context, no library at all.
// Paths as in echo.php: /sleep /exit /kill /error /status /headers /big /memory /stderr /stdout
// /replace /raw /length /pid /trailers; others answer with what is known about the request.
// Boot, by environment: BOOT_SLEEP_MS, BOOT_OUTPUT, BOOT_FAIL.
//
// A message: flags (1 byte), size (u64 little-endian), the same size (u64 big-endian), payload.

const NONE = 2;
const RAW = 4;
const ERROR = 8;
const CONTROL = 16;

if (($ms = (int) getenv('BOOT_SLEEP_MS')) > 0) {
    usleep($ms * 1000);
}
fwrite(STDOUT, (string) getenv('BOOT_OUTPUT'));
if (getenv('BOOT_FAIL') !== false) {
    exit((int) getenv('BOOT_FAIL'));
}

$relay = getenv('RR_RELAY') ?: 'pipes';
if (strncmp($relay, 'pipe', 4) === 0) {
    [$in, $out] = [STDIN, STDOUT];
} else {
    $in = $out = stream_socket_client($relay, $code, $message, 5.0);
    stream_set_timeout($in, -1);
}

function receiveBytes($in, int $count): string
{
    for ($bytes = ''; strlen($bytes) < $count;) {
        $more = fread($in, min($count - strlen($bytes), 65536));
        if (($more === '' || $more === false) && feof($in)) {
            exit(0); // the server is gone
        }
        $bytes .= $more;
    }
    return $bytes;
}

/** @return array{int, ?string} flags and payload */
function receiveMessage($in): array
{
    $prefix = unpack('Cflags/Psize/Jcheck', receiveBytes($in, 17));
    if ($prefix['size'] !== $prefix['check']) {
        fwrite(STDERR, "invalid prefix\n");
        exit(255);
    }
    $payload = $prefix['size'] > 0 ? receiveBytes($in, $prefix['size']) : null;
    return [$prefix['flags'], $payload];
}

function message(int $flags, ?string $payload): string
{
    return $payload === null
        ? pack('CPJ', $flags | NONE, 0, 0)
        : pack('CPJ', $flags, strlen($payload), strlen($payload)) . $payload;
}

$respond = static function (int $status, string $body, array $headers = []) use ($out): void {
    $context = json_encode(['status' => $status, 'headers' => (object) $headers]);
    fwrite($out, message(CONTROL | RAW, $context) . message(RAW, $body));
};

$kept = [];
$served = 0;
while (true) {
    [$flags, $payload] = receiveMessage($in);
    if (($flags & RAW) === 0) {
        $command = json_decode((string) $payload, true);
        if (!empty($command['stop'])) {
            exit(0);
        }
        fwrite($out, message(CONTROL, json_encode(['pid' => getmypid()])));
        continue;
    }
    [, $body] = receiveMessage($in);
    $body ??= '';
    $request = json_decode((string) $payload, true);
    ++$served;
    parse_str($request['rawQuery'] ?? '', $query);
    $text = ['Content-Type' => ['text/plain']];
    switch (parse_url($request['uri'] ?? '/', PHP_URL_PATH)) {
        case '/sleep':
            usleep(1000 * (int) ($query['ms'] ?? 100));
            break;
        case '/exit':
            exit((int) ($query['code'] ?? 0));
        case '/kill':
            posix_kill(getmypid(), 9);
            sleep(1);
            break;
        case '/error':
            fwrite($out, message(CONTROL | RAW | ERROR, $query['text'] ?? 'boom'));
            continue 2;
        case '/status':
            $respond((int) ($query['code'] ?? 200), $query['body'] ?? '', $text);
            continue 2;
        case '/headers':
            $lists = array_map(static fn ($value): array => (array) $value, $query);
            $respond(200, 'headers', $lists);
            continue 2;
        case '/trailers':
            $respond(200, 'trailed', ['Trailer' => ['X-Sum'], 'X-Sum' => ['abc']]);
            continue 2;
        case '/stdout':
            fwrite($out, str_repeat('x', (int) ($query['bytes'] ?? 0)) . ($query['text'] ?? ''));
            break;
        case '/big':
            $respond(200, str_repeat('x', (int) ((float) ($query['mb'] ?? 1) * 1048576)), $text);
            continue 2;
        case '/memory':
            $kept[] = str_repeat(random_bytes(16), 65536 * (int) ($query['mb'] ?? 1));
            break;
        case '/stderr':
            fwrite(STDERR, ($query['text'] ?? 'a line on stderr') . "\n");
            break;
        case '/replace':
            fwrite($out, message(CONTROL | RAW, '{"stop":true}') . message(RAW, ''));
            continue 2;
        case '/raw':
            $respond(200, $body);
            continue 2;
        case '/length':
            $respond(200, strlen($body) . ' ' . hash('crc32b', $body), $text);
            continue 2;
        case '/pid':
            $respond(200, (string) getmypid(), $text);
            continue 2;
    }
    $environment = array_filter(
        getenv(),
        static fn (string $name): bool => strncmp($name, 'RR', 2) === 0,
        ARRAY_FILTER_USE_KEY,
    );
    $answer = ['body' => base64_encode($body), 'pid' => getmypid(), 'served' => $served,
        'cwd' => getcwd(), 'env' => (object) $environment] + $request;
    $respond(200, json_encode($answer), ['Content-Type' => ['application/json']]);
}
