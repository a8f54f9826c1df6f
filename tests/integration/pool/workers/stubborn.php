<?php

declare(strict_types=1);

// A worker that does not obey: it ignores the stop command and the end of its input. With
// STUBBORN=term it ignores SIGTERM as well. Goridge v3 by hand, to stay independent of php-worker/.

if (getenv('STUBBORN') === 'term') {
    pcntl_signal(SIGTERM, SIG_IGN);
}

function send(string $payload, int $flags, array $options = []): void
{
    $head = pack('CCV', 0x10 | (3 + count($options)), $flags, strlen($payload));
    fwrite(STDOUT, $head . pack('V', crc32($head)) . "\0\0" . pack('V*', ...$options) . $payload);
}

while (($head = fread(STDIN, 12)) !== false && strlen($head) === 12) {
    $words = (ord($head[0]) & 15) - 3;
    $options = $words > 0 ? fread(STDIN, 4 * $words) : '';
    $size = unpack('V', substr($head, 2, 4))[1];
    $payload = $size > 0 ? fread(STDIN, $size) : '';
    if ((ord($head[1]) & 1) === 0) {
        send('{"status":200}' . getmypid(), 0, [14]);
    } elseif (isset(json_decode($payload, true)['pid'])) {
        send(json_encode(['pid' => getmypid()]), 1);
    } else {
        break; // the stop command
    }
}
while (true) {
    sleep(1);
}
