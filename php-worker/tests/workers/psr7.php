<?php

declare(strict_types=1);

// The worker of PsrWorkerTest. PLAIN_FACTORIES=1: factories that PsrWorker does not know.

use Nyholm\Psr7\Factory\Psr17Factory;
use Nyholm\Psr7\Response;
use Nyholm\Psr7\Stream;
use Psr\Http\Message\ServerRequestFactoryInterface;
use Psr\Http\Message\ServerRequestInterface;
use Psr\Http\Message\UploadedFileInterface;
use Rr\Worker\PsrWorker;

require 'Nyholm/Psr7/autoload.php';
require __DIR__ . '/../../autoload.php';

$requests = null;
if (getenv('PLAIN_FACTORIES') === '1') {
    $requests = new class () implements ServerRequestFactoryInterface {
        public function createServerRequest(
            string $method,
            $uri,
            array $serverParams = [],
        ): ServerRequestInterface {
            return (new Psr17Factory())->createServerRequest($method, $uri, $serverParams);
        }
    };
}

(new PsrWorker(null, $requests))->serve(static function (ServerRequestInterface $request): mixed {
    switch ($request->getUri()->getPath()) {
        case '/large':
            return new Response(200, [], str_repeat('x', 9 << 20));
        case '/unsized':
            // A stream that PHP cannot stat; read as it is, since it is not compressed.
            $stream = fopen('compress.zlib://' . __DIR__ . '/unsized.txt', 'rb');
            return new Response(200, [], Stream::create($stream));
        case '/chunks':
            return ['a', 'b'];
        case '/throw':
            throw new RuntimeException('thrown by the handler');
    }
    $file = static fn (UploadedFileInterface $file): array => [$file->getClientFilename(),
        $file->getClientMediaType(), $file->getSize(), $file->getError(),
        $file->getError() === 0 ? (string) $file->getStream() : null];
    $files = [];
    foreach ($request->getUploadedFiles() as $name => $entry) {
        $files[$name] = is_array($entry) ? array_map($file, $entry) : $file($entry);
    }
    return new Response(202, ['X-Two' => ['a', 'b']], json_encode([
        $request->getMethod(), (string) $request->getUri(), $request->getProtocolVersion(),
        $request->getHeaders(), $request->getCookieParams(), $request->getQueryParams(),
        $request->getParsedBody(), $request->getAttributes(), (string) $request->getBody(), $files,
        $request->getServerParams()['REMOTE_ADDR'],
    ]));
});
