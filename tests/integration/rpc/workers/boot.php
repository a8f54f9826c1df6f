<?php

declare(strict_types=1);

// Calls the server while it boots, and in each request: what rpc.Version answered both times.

use Rr\Worker\Frame;
use Rr\Worker\HttpWorker;
use Rr\Worker\Worker;

require __DIR__ . '/../../../../php-worker/autoload.php';

function version(): string
{
    $socket = stream_socket_client((string) getenv('RR_RPC'), timeout: 10);
    fwrite($socket, Frame::encode(Frame::JSON, 'rpc.Versiontrue', [1, 11]));
    $head = fread($socket, 20);
    return substr(fread($socket, unpack('V', $head, 2)[1]), 11);
}

$booted = version();
$http = new HttpWorker(Worker::create());
while ($http->waitRequest()) {
    $http->respond(200, $booted . ' ' . version() . ' ' . getenv('RR_RPC'));
}
