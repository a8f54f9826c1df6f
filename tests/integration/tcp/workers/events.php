<?php

declare(strict_types=1);

// The worker of the tcp tests: appends each event to the file TCP_EVENTS (a line of JSON with the
// pid), then does what the first word of the message says:
//
//   read                  CONTINUE              verb NAME TEXT   any other verb
//   write TEXT            WRITE                 empty            an empty context
//   bye TEXT              WRITECLOSE            error TEXT       an ERROR frame
//   close TEXT            CLOSE                 none             no reply at all
//   replies V:TEXT ...    one reply per word    garbage          bytes that are no frame
//   stream V:TEXT ...     the last one ends it  exit CODE        ends without a reply
//   hold NAME             WRITE, when the gate  kill             SIGKILL to itself
//                         lets it (gate.php)    big N            WRITE of N bytes
//   pid                   WRITE of the pid      sum              WRITE of length and crc32
//   push RPC UUID TEXT    tcp.Write, then WRITE `pushed`
//
// A word `hold:NAME` among those of replies and stream waits for the gate. Anything else is written
// back as it came. A text is followed by CR LF where it came in a message, not where it came from
// the environment:
//
//   TCP_ON   {"CONNECTED": {"server": "command"}, "CLOSE": {...}, "DATA": {...}}; a server `*`
//            means every other one. Without: CONNECTED and CLOSE `read`, DATA the message.
//   RR_WORKER_PLAIN=1   no numbered requests, as the official SDK

use Rr\Worker\Frame;
use Rr\Worker\Rpc;
use Rr\Worker\Worker;

require __DIR__ . '/../../../../php-worker/autoload.php';

$worker = Worker::create(numbered: getenv('RR_WORKER_PLAIN') !== '1');
$on = json_decode(getenv('TCP_ON') ?: '{}', true, flags: JSON_THROW_ON_ERROR);
$file = getenv('TCP_EVENTS');
$events = $file === false ? null : fopen($file, 'ab');

// One reply; several may follow each other, which respond() would refuse.
$reply = static function (string $verb, string $body = '', int $stream = 0) use ($worker): void {
    $worker->relay()->write(Frame::encode(0, $verb . $body, $worker->number === null
        ? [strlen($verb)] : [strlen($verb), $worker->number], $stream));
};
$hold = static function (string $name): void {
    $gate = getenv('GATE_DIR') . "/$name";
    file_put_contents("$gate.begun", getmypid() . "\n", FILE_APPEND);
    while (!file_exists("$gate.open")) {
        usleep(2000);
    }
};
$several = static function (string $words, int $stream) use ($reply, $hold): void {
    $words = explode(' ', $words);
    foreach ($words as $index => $word) {
        [$verb, $text] = explode(':', $word, 2) + [1 => ''];
        if ($verb === 'hold') {
            $hold($text);
        } else {
            $reply($verb, $text, $index === array_key_last($words) ? 0 : $stream);
        }
    }
};

while ($worker->receive()) {
    ['event' => $event, 'server' => $server] = $context = json_decode($worker->context, true);
    $body = $worker->body;
    if ($events !== null) {
        $size = strlen($body);
        fwrite($events, json_encode(['pid' => getmypid(), 'size' => $size, 'crc' => crc32($body),
            'body' => base64_encode($size > 2048 ? '' : $body)] + $context) . "\n");
    }
    $given = $on[$event][$server] ?? $on[$event]['*'] ?? null;
    [$word, $text] = explode(' ', $given ?? ($event === 'DATA' ? rtrim($body, "\r\n") : 'read'), 2)
        + [1 => ''];
    $line = $given === null ? "$text\r\n" : $text;
    switch ($word) {
        case 'read':
            $reply('CONTINUE', 'not written');
            break;
        case 'write':
            $reply('WRITE', $line);
            break;
        case 'bye':
            $reply('WRITECLOSE', $line);
            break;
        case 'close':
            $reply('CLOSE', $line);
            break;
        case 'verb':
            $reply(...explode(' ', "$text ", 2));
            break;
        case 'empty':
            $reply('', 'body of an empty context');
            break;
        case 'replies':
            $several($text, 0);
            break;
        case 'stream':
            $several($text, Frame::STREAM);
            break;
        case 'error':
            $worker->error($text);
            break;
        case 'none':
            break;
        case 'garbage':
            $worker->relay()->write(str_repeat("\xff", 64));
            break;
        case 'exit':
            $worker->open = false;
            exit((int) $text);
        case 'kill':
            posix_kill(getmypid(), 9);
            sleep(1);
            break;
        case 'hold':
            $hold($text);
            $reply('WRITE', "held $text\r\n");
            break;
        case 'big':
            $reply('WRITE', str_repeat('x', (int) $text));
            break;
        case 'pid':
            $reply('WRITE', getmypid() . "\r\n");
            break;
        case 'sum':
            $reply('WRITE', strlen($body) . ' ' . hash('crc32b', $body) . "\r\n");
            break;
        case 'push':
            [$address, $uuid, $text] = explode(' ', $text, 3);
            Rpc::create($address)->call('tcp.Write', ['uuid' => $uuid,
                'data_b64' => base64_encode("$text\r\n")]);
            $reply('WRITE', "pushed\r\n");
            break;
        default:
            $reply('WRITE', $body);
    }
    $worker->open = false;
}
