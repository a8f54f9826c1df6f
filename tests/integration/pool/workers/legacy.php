<?php

declare(strict_types=1);

// A worker of RoadRunner 1.x times: Goridge v2 over pipes, by hand. Two messages each way; a wrong
// prefix ends it with 255 and a text on stderr, as the SDK of that time does.

const RAW = 4;
const ERROR = 8;
const CONTROL = 16;

function receive(?int &$flags): string
{
    $prefix = fread(STDIN, 17);
    if ($prefix === false || strlen($prefix) !== 17) {
        exit(255);
    }
    $at = unpack('Cflags/Psize/Jrevs', $prefix);
    if ($at['size'] !== $at['revs']) {
        fwrite(STDERR, "Spiral\\Goridge\\Exceptions\\PrefixException: invalid data found in the"
            . " pipe, expected prefix\n");
        exit(255);
    }
    $flags = $at['flags'];
    $payload = '';
    while (strlen($payload) < $at['size']) {
        $payload .= fread(STDIN, min(65536, $at['size'] - strlen($payload)));
    }
    return $payload;
}

function send(string $payload, int $flags): void
{
    fwrite(STDOUT, pack('CPJ', $flags, strlen($payload), strlen($payload)) . $payload);
}

while (true) {
    $context = receive($flags);
    if (($flags & CONTROL) !== 0 && ($flags & RAW) === 0) {
        $command = json_decode($context, true);
        if (isset($command['stop'])) {
            exit(0);
        }
        send(json_encode(['pid' => getmypid()]), CONTROL);
        if (defined('ACCEPTED_FILE')) {
            touch(ACCEPTED_FILE);
        }
        continue;
    }
    $body = receive($flags);
    $request = json_decode($context, true);
    $path = parse_url($request['uri'], PHP_URL_PATH);
    if ($path === '/error') {
        send('boom', CONTROL | RAW | ERROR);
        continue;
    }
    if ($path === '/exit') {
        exit(3);
    }
    send('{"status":200,"headers":{"X-Dialect":["v2"]}}', CONTROL | RAW);
    send($path === '/raw' ? $body : getmypid() . ' ' . $path, RAW);
}
