<?php

declare(strict_types=1);

// php-worker/workers/hello.php without numbered requests: what a worker costs that negotiated
// nothing, one request at a time.

use Rr\Worker\HttpWorker;
use Rr\Worker\Worker;

require __DIR__ . '/../../../php-worker/autoload.php';

$http = new HttpWorker(Worker::create(numbered: false));
while ($http->waitRequest() !== null) {
    $http->respond(200, 'Hello World!');
}
