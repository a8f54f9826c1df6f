<?php

declare(strict_types=1);

// A worker that reads as the official SDK does: through PHP's stream buffer, a frame's header with
// one call. One that comes in pieces is its end. Answers with the size of the request's frame, the
// size of its body and the body's crc32; /none answers not at all.

$in = fopen('php://stdin', 'rb');
$out = fopen('php://stdout', 'wb');

$read = static function (int $size) use ($in): string {
    $bytes = '';
    while (strlen($bytes) < $size) {
        $piece = fread($in, min($size - strlen($bytes), 65536));
        if ($piece === false || $piece === '') {
            exit(0);
        }
        $bytes .= $piece;
    }
    return $bytes;
};
$write = static function (int $flags, string $options, string $payload) use ($out): void {
    $head = pack('CCV', 0x13 + strlen($options) / 4, $flags, strlen($payload));
    fwrite($out, $head . pack('Vv', crc32($head), 0) . $options . $payload);
};

while (true) {
    $header = fread($in, 12);
    if ($header === false || $header === '') {
        exit(0);
    }
    if (strlen($header) !== 12) {
        fwrite(STDERR, 'a header in pieces: ' . bin2hex($header) . "\n");
        exit(9);
    }
    ['w' => $words, 'f' => $flags, 'l' => $length] = unpack('Cw/Cf/Vl', $header);
    $options = $read((($words & 15) - 3) * 4);
    $payload = $read($length);
    if ($flags & 1) {
        if (isset(json_decode($payload, true)['stop'])) {
            exit(0);
        }
        $write(1, '', json_encode(['pid' => getmypid()]));
        continue;
    }
    $context = unpack('V', $options)[1];
    $body = substr($payload, $context);
    $uri = json_decode(substr($payload, 0, $context), true)['uri'];
    if (str_ends_with($uri, '/none')) {
        continue;
    }
    $answer = '{"status":200,"headers":{}}';
    $size = 12 + strlen($options) + $length;
    $write(8, pack('V', strlen($answer)), $answer . "$size " . strlen($body) . ' ' . crc32($body));
}
