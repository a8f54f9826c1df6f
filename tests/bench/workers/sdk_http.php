<?php

declare(strict_types=1);

// The official SDK's HttpWorker (roadrunner-php/http), loaded from RR_SDK_AUTOLOAD.

use Spiral\RoadRunner\Http\HttpWorker;
use Spiral\RoadRunner\Worker;

require getenv('RR_SDK_AUTOLOAD');

$http = new HttpWorker(Worker::create());
while ($http->waitRequest() !== null) {
    $http->respond(200, 'Hello World!');
}
