<?php

declare(strict_types=1);

// Shows what the plugin says: its attribute of the request, and its RPC method.

use Rr\Worker\HttpWorker;
use Rr\Worker\RelayException;
use Rr\Worker\Request;
use Rr\Worker\Response;
use Rr\Worker\Rpc;
use Rr\Worker\ServiceException;

require __DIR__ . '/../../../php-worker/autoload.php';

$rpc = Rpc::create(); // connects at the first call

(new HttpWorker())->serve(function (Request $request) use ($rpc): Response {
    try {
        $status = $rpc->call('maintenance.Status');
    } catch (ServiceException | RelayException $error) {
        $status = ['error' => $error->getMessage(),
            'hint' => 'this rr was built without the plugin; see README.md'];
    }
    return Response::json([
        'visit' => $request->attributes['visit'] ?? null,
        'maintenance' => $status,
        'pid' => getmypid(),
    ]);
});
