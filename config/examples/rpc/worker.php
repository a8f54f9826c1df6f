<?php

declare(strict_types=1);

use Rr\Worker\AppLogger;
use Rr\Worker\HttpWorker;
use Rr\Worker\Lock;
use Rr\Worker\LockException;
use Rr\Worker\Metrics;
use Rr\Worker\Request;
use Rr\Worker\Response;
use Rr\Worker\Rpc;
use Rr\Worker\WorkerInfo;
use Rr\Worker\WorkerPoolInfo;

require __DIR__ . '/../../../php-worker/autoload.php';

// One connection for all; it opens at the first call. No call may take longer than five seconds.
$rpc = Rpc::create(timeout: 5.0);
$log = new AppLogger($rpc);
$lock = new Lock($rpc);
$pool = new WorkerPoolInfo($rpc);
$metrics = new Metrics($rpc);
$metrics->declareCounter('example_pages', 'Pages that the example showed.', ['path']);

$routes = [
    // Who works here, and what each has done.
    '/workers' => fn (): array => array_map(
        static fn (WorkerInfo $w): string =>
            "$w->pid $w->status, $w->execs requests, " . ($w->memoryUsage >> 20) . ' MB',
        $pool->workers('http')),

    // One at a time, however many workers there are: open it in two tabs.
    '/report' => fn (): array => $lock->with('report', static function (): array {
        usleep(500_000); // something that must not run twice at once
        return ['the report was written by ' . getmypid()];
    }, ttl: 10, wait: 3),

    // New workers, as after a deploy: /workers shows other numbers then.
    '/reset' => function () use ($pool): array {
        $pool->reset('http');
        return ['new workers serve'];
    },
];

(new HttpWorker())->serve(function (Request $request) use ($routes, $metrics, $log): Response {
    $path = (string) parse_url($request->uri, PHP_URL_PATH);
    $route = $routes[$path] ?? null;
    $metrics->add('example_pages', 1, [$route === null ? 'other' : $path]);
    if ($route === null) {
        return Response::json(['pages' => array_keys($routes)]);
    }
    try {
        return Response::json($route());
    } catch (LockException $busy) {
        $log->warning('somebody else writes the report', ['path' => $path]);
        return Response::json(['error' => $busy->getMessage()], 503);
    }
});
