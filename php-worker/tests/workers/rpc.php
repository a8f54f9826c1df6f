<?php

declare(strict_types=1);

// The client of RpcTest: makes the calls that its standard input names, one JSON array per line,
// and prints each outcome as a line of JSON. RR_RPC says where to.

use Rr\Worker\Rpc;

require __DIR__ . '/../../autoload.php';

$rpc = Rpc::create();
while (($line = fgets(STDIN)) !== false) {
    [$kind, $method, $argument, $timeout] = json_decode($line, true);
    try {
        $outcome = $kind === 'raw' ? $rpc->callRaw($method, $argument, timeout: $timeout)
            : $rpc->call($method, $argument, $timeout);
    } catch (Throwable $error) {
        $outcome = ['error' => (new ReflectionClass($error))->getShortName(),
            'text' => $error->getMessage()];
    }
    echo json_encode($outcome), "\n";
}
