<?php

declare(strict_types=1);

// The worker of HttpWorkerTest.

use Rr\Worker\HttpWorker;
use Rr\Worker\Request;
use Rr\Worker\Response;

require __DIR__ . '/../../autoload.php';

$http = new HttpWorker(null, 2);
$http->serve(static function (Request $request) use ($http): mixed {
    switch (parse_url($request->uri, PHP_URL_PATH)) {
        case '/text':
            return 'plain text';
        case '/json':
            return Response::json(['a' => "\xff", 'b' => 1.5], 201);
        case '/html':
            return Response::html('<p>hi', 404, ['X-A' => 'b']);
        case '/headers':
            return new Response(200, '', ['One' => 'a', 'Two' => ['b', 'c'], 'Num' => 5,
                '77' => 'digits', 'Gaps' => [3 => 'x']]);
        case '/bytes':
            return new Response(200, 'body', ['X-Raw' => "caf\xe9"]);
        case '/throw':
            throw new RuntimeException('thrown by the handler');
        case '/none':
            return null;
        case '/own':
            $http->respond(200, 'own');
            return null;
        case '/both':
            $http->respond(200, 'first');
            return 'second';
        case '/inform':
            $http->inform(103, ['Link' => '</a.css>']);
            return 'final';
        case '/chunks':
            return ['a', 'b'];
        case '/fail':
            return new Response(200, (static function () {
                yield 'a';
                throw new RuntimeException('thrown in the middle');
            })());
        case '/nobody':
            return (static function () {
                throw new RuntimeException('thrown before the head');
                yield;
            })();
        case '/isset':
            return json_encode([isset($request->query), isset($request->nothing),
                $request->header('x-multi'), $request->header('absent')]);
        case '/unknown':
            return $request->nothing;
    }
    return json_encode([
        $request->remoteAddr, $request->protocol, $request->method, $request->uri,
        $request->headers, $request->cookies, $request->rawQuery, $request->query,
        $request->parsed, $request->parsedBody(), $request->uploads, $request->attributes,
        base64_encode($request->body), $request->serverParams()['HTTP_X_MULTI'] ?? null,
    ]);
});
