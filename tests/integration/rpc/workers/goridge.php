<?php

declare(strict_types=1);

// The official goridge package as a client: prints what it saw, one line per call.
// php goridge.php ADDRESS; RR_SDK_AUTOLOAD names the autoload file.

use Spiral\Goridge\Relay;
use Spiral\Goridge\RPC\Codec\JsonCodec;
use Spiral\Goridge\RPC\Codec\RawCodec;
use Spiral\Goridge\RPC\Exception\ServiceException;
use Spiral\Goridge\RPC\MultiRPC;
use Spiral\Goridge\RPC\RPC;

require getenv('RR_SDK_AUTOLOAD');

$rpc = RPC::create($argv[1]);
echo 'version ', $rpc->call('rpc.Version', true), "\n";
echo 'list ', json_encode($rpc->call('informer.List', true)), "\n";
echo 'prefix ', $rpc->withServicePrefix('rpc')->call('version', true), "\n";
$workers = $rpc->call('informer.Workers', 'http')['workers'];
echo 'workers ', count($workers), ' ', implode(',', array_keys($workers[0])), "\n";
$raw = new RPC(Relay::create($argv[1]), new RawCodec());
echo 'config ', json_decode($raw->call('rpc.Config', ''), true)['version'], "\n";
foreach (['nosuch.Foo', 'rpc.Foo'] as $method) {
    try {
        $rpc->call($method, 1);
    } catch (ServiceException $e) {
        echo 'error ', preg_replace('/ on .*$/', '', $e->getMessage()), "\n";
    }
}
for ($i = 0; $i < 1000; $i++) {
    $rpc->call('rpc.Version', true);
}
echo "thousand\n";
if (class_exists(MultiRPC::class)) {
    $multi = MultiRPC::create($argv[1], 10, codec: new JsonCodec());
    for ($i = 0; $i < 100; $i++) {
        $multi->callIgnoreResponse('rpc.Version', true);
    }
    $ids = [];
    for ($i = 0; $i < 100; $i++) {
        $ids[] = $multi->callAsync('rpc.Version', true);
    }
    $good = 0;
    foreach ($ids as $id) {
        $good += $multi->getResponse($id) === $rpc->call('rpc.Version', true) ? 1 : 0;
    }
    echo 'multi ', $good, "\n";
}
