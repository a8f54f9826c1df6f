<?php

declare(strict_types=1);

// Answers with the headers and the status that the query asks for, and a body of its own.

use Rr\Worker\HttpWorker;

require __DIR__ . '/../../../../php-worker/autoload.php';

$http = new HttpWorker();
while ($request = $http->waitRequest()) {
    $query = $request->query;
    $path = (string) parse_url($request->uri, PHP_URL_PATH);
    if ($path === '/written') {
        file_put_contents('written.txt', $query['text']);
        $http->respond(200, '', ['X-Sendfile' => 'written.txt']);
        continue;
    }
    if ($path === '/stream') {
        $http->respond(200, (static function (): Generator {
            yield 'one,';
            usleep(50_000);
            yield 'two';
        })(), ['X-Sendfile' => $query['file'] ?? '']);
        continue;
    }
    $headers = array_filter(['X-Sendfile' => $query['file'] ?? '', 'ETag' => $query['etag'] ?? '',
        'Content-Disposition' => $query['disposition'] ?? '']);
    $http->respond((int) ($query['code'] ?? 200), 'of the worker', $headers);
}
