<?php

declare(strict_types=1);

// The smallest worker: a raw HttpWorker. tests/bench measures with it.

use Rr\Worker\HttpWorker;

require __DIR__ . '/../autoload.php';

$http = new HttpWorker();
while ($http->waitRequest() !== null) {
    $http->respond(200, 'Hello World!');
}
