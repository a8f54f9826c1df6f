<?php

declare(strict_types=1);

// An application as RoadRunner's documentation of TCP shows it: two servers told apart by name, a
// banner on connect after a read(), strangers closed, an event left without any reply. Written with
// the verbs themselves, one line for each call of the official package.

use Rr\Worker\Frame;
use Rr\Worker\Worker;

require __DIR__ . '/../../../../php-worker/autoload.php';

$worker = Worker::create(numbered: getenv('RR_WORKER_PLAIN') !== '1');

$reply = static function (string $verb, string $body = '') use ($worker): void {
    $options = $worker->number === null ? [strlen($verb)] : [strlen($verb), $worker->number];
    $worker->relay()->write(Frame::encode(0, $verb . $body, $options));
};

while ($worker->receive()) {
    $request = json_decode($worker->context, true);
    $worker->open = false;
    if ($request['event'] === 'CONNECTED') {
        if ($request['remote_addr'] !== getenv('TCP_FRIEND')) {
            $reply('CLOSE'); // a stranger
            continue;
        }
        $reply('CONTINUE'); // $tcp->read()
        if ($request['server'] === 'smtp') {
            $reply('WRITE', "220 mail.example ready\r\n"); // $tcp->respond()
        }
    } elseif ($request['event'] === 'DATA') {
        if ($request['server'] === 'smtp') {
            $reply('WRITE', "250 got it\r\n");
        } else {
            $reply('WRITECLOSE', json_encode(['remote_addr' => $request['remote_addr'],
                'server' => $request['server'], 'body' => $worker->body]));
        }
    }
    // CLOSE: the package's README says that no reply is needed
}
