<?php

declare(strict_types=1);

namespace Rr\Worker;

use Nyholm\Psr7\Factory\Psr17Factory;
use Nyholm\Psr7\ServerRequest;
use Psr\Http\Message\ResponseInterface;
use Psr\Http\Message\ServerRequestFactoryInterface;
use Psr\Http\Message\ServerRequestInterface;
use Psr\Http\Message\StreamFactoryInterface;
use Psr\Http\Message\StreamInterface;
use Psr\Http\Message\UploadedFileFactoryInterface;
use Psr\Http\Server\RequestHandlerInterface;

/**
 * HttpWorker in PSR-7 terms. Any PSR-17 factories serve; without them Nyholm's are taken if they
 * can be loaded, which is also the fastest way.
 *
 *     (new PsrWorker())->serve(fn (ServerRequestInterface $r) => new Response(200, [], 'Hi'));
 */
final class PsrWorker
{
    /** Larger bodies, and those whose size is not known, are sent in chunks of READ_SIZE. */
    private const WHOLE_LIMIT = 8 << 20;
    private const READ_SIZE = 65536;

    private HttpWorker $http;
    private ServerRequestFactoryInterface $requests;
    private StreamFactoryInterface $streams;
    private UploadedFileFactoryInterface $files;
    /** Nyholm's constructor takes everything at once; other factories need a copy per part. */
    private bool $nyholm;

    public function __construct(
        ?HttpWorker $http = null,
        ?ServerRequestFactoryInterface $requests = null,
        ?StreamFactoryInterface $streams = null,
        ?UploadedFileFactoryInterface $files = null,
    ) {
        if ($requests === null || $streams === null || $files === null) {
            if (!class_exists(Psr17Factory::class)) {
                throw new \LogicException('PsrWorker needs PSR-17 factories, or nyholm/psr7');
            }
            $nyholm = new Psr17Factory();
        }
        $this->requests = $requests ?? $nyholm;
        $this->streams = $streams ?? $nyholm;
        $this->files = $files ?? $nyholm;
        $this->nyholm = $this->requests instanceof Psr17Factory;
        $this->http = $http ?? new HttpWorker();
    }

    /**
     * Waits for a request; null when the worker has to end. A request that PSR-7 cannot express
     * (an address that is no URI) is answered 400 here.
     */
    public function waitRequest(): ?ServerRequestInterface
    {
        while (($request = $this->http->waitRequest()) !== null) {
            $mapped = $this->mapOrRefuse($request);
            if ($mapped !== null) {
                return $mapped;
            }
        }
        return null;
    }

    /** Answers the request in hand; false when the client left before the end of a long body. */
    public function respond(ResponseInterface $response): bool
    {
        $body = $response->getBody();
        $headers = $response->getHeaders();
        $size = $body->getSize();
        if ($size !== null && $size <= self::WHOLE_LIMIT) {
            return $this->http->respond($response->getStatusCode(), (string) $body, $headers);
        }
        if ($size !== null && !$response->hasHeader('Content-Length')) {
            $headers['Content-Length'] = [(string) $size];
        }
        return $this->http->respond($response->getStatusCode(), self::chunks($body), $headers);
    }

    /**
     * Calls $handler with each request until the server says stop. It returns a PSR-7 response, or
     * what HttpWorker::serve() takes (a Response with a generator, say). What it throws becomes an
     * error answer and a text on stderr; the worker goes on.
     *
     * @param (callable(ServerRequestInterface): mixed)|RequestHandlerInterface $handler
     */
    public function serve(callable|RequestHandlerInterface $handler): void
    {
        $handle = $handler instanceof RequestHandlerInterface ? $handler->handle(...) : $handler;
        $this->http->serve(function (Request $request) use ($handle): mixed {
            $mapped = $this->mapOrRefuse($request);
            $answer = $mapped === null ? null : $handle($mapped);
            if ($answer instanceof ResponseInterface) {
                $this->respond($answer);
                return null;
            }
            return $answer;
        });
    }

    public function http(): HttpWorker
    {
        return $this->http;
    }

    private function mapOrRefuse(Request $request): ?ServerRequestInterface
    {
        try {
            return $this->map($request);
        } catch (\InvalidArgumentException) {
            $this->http->respond(400);
            return null;
        }
    }

    private function map(Request $request): ServerRequestInterface
    {
        // HTTP/1.0 without Host: the server cannot name one, and parse_url takes no empty host.
        $uri = $request->uri;
        if (strncmp($uri, 'http:///', 8) === 0) {
            $uri = substr($uri, 7);
        }
        $version = match ($request->protocol) {
            'HTTP/1.0' => '1.0',
            'HTTP/2.0', 'HTTP/2' => '2',
            default => '1.1',
        };
        $raw = $request->parsed ? '' : $request->body;
        $server = $request->serverParams();
        if ($this->nyholm) {
            $mapped = new ServerRequest($request->method, $uri, $request->headers,
                $raw === '' ? null : $raw, $version, $server);
        } else {
            $mapped = $this->requests->createServerRequest($request->method, $uri, $server)
                ->withProtocolVersion($version);
            foreach ($request->headers as $name => $values) {
                $mapped = $mapped->withHeader((string) $name, $values);
            }
            if ($raw !== '') {
                $mapped = $mapped->withBody($this->streams->createStream($raw));
            }
        }
        if ($request->rawQuery !== '') {
            $mapped = $mapped->withQueryParams($request->query);
        }
        if ($request->cookies !== []) {
            $mapped = $mapped->withCookieParams($request->cookies);
        }
        foreach ($request->attributes as $name => $value) {
            $mapped = $mapped->withAttribute((string) $name, $value);
        }
        if ($request->parsed) {
            $mapped = $mapped->withAttribute('rr_parsed_body', true)
                ->withParsedBody($request->parsedBody());
        }
        if ($request->uploads !== []) {
            $mapped = $mapped->withUploadedFiles($this->mapUploads($request->uploads));
        }
        return $mapped;
    }

    /**
     * @param array<array-key, mixed> $tree
     * @return array<array-key, mixed>
     */
    private function mapUploads(array $tree): array
    {
        $mapped = [];
        foreach ($tree as $key => $file) {
            if (!\is_array($file)) {
                continue;
            }
            if (!isset($file['name']) || !\is_string($file['name'])) {
                $mapped[$key] = $this->mapUploads($file);
                continue;
            }
            $error = (int) ($file['error'] ?? UPLOAD_ERR_OK);
            $path = (string) ($file['tmpName'] ?? '');
            $stream = $error === UPLOAD_ERR_OK && $path !== ''
                ? $this->streams->createStreamFromFile($path)
                : $this->streams->createStream();
            $mapped[$key] = $this->files->createUploadedFile($stream, (int) ($file['size'] ?? 0),
                $error, $file['name'], $file['mime'] ?? null);
        }
        return $mapped;
    }

    /** @return iterable<string> */
    private static function chunks(StreamInterface $body): iterable
    {
        if ($body->isSeekable()) {
            $body->rewind();
        }
        while (!$body->eof()) {
            $chunk = $body->read(self::READ_SIZE);
            if ($chunk !== '') {
                yield $chunk;
            }
        }
    }
}
