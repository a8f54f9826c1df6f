<?php

declare(strict_types=1);

// The official SDK's PSR7Worker with Nyholm's classes, loaded from RR_SDK_AUTOLOAD.

use Nyholm\Psr7\Factory\Psr17Factory;
use Nyholm\Psr7\Response;
use Spiral\RoadRunner\Http\PSR7Worker;
use Spiral\RoadRunner\Worker;

require getenv('RR_SDK_AUTOLOAD');

$factory = new Psr17Factory();
$psr7 = new PSR7Worker(Worker::create(), $factory, $factory, $factory);
while ($psr7->waitRequest() !== null) {
    $psr7->respond(new Response(200, [], 'Hello World!'));
}
