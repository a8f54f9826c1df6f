<?php

declare(strict_types=1);

// Sends each message of the tcp plugin back, with nothing of the library around the loop that the
// pipe limit has not got as well. RR_WORKER_PLAIN=1: no numbered requests, as the official SDK.

use Rr\Worker\Worker;

require __DIR__ . '/../../../php-worker/autoload.php';

$worker = Worker::create(numbered: getenv('RR_WORKER_PLAIN') !== '1');
while ($worker->receive()) {
    $context = json_decode($worker->context, true);
    $data = $context['event'] === 'DATA';
    $worker->respond($data ? $worker->body : '', $data ? 'WRITE' : 'CONTINUE');
}
