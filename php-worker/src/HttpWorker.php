<?php

declare(strict_types=1);

namespace Rr\Worker;

/**
 * Answers HTTP requests.
 *
 *     (new HttpWorker())->serve(fn (Request $request) => "Hello from $request->uri");
 *
 * or, with the loop in your own hands, waitRequest() and respond(). Each answer is in the codec of
 * its request, JSON or protobuf.
 */
final class HttpWorker
{
    private Worker $worker;
    private Request $prototype;

    /** The head encoded last: most workers send the same few again and again. */
    private int $lastStatus = -1;
    /** @var array<string, mixed> */
    private array $lastHeaders = [];
    private int $lastCodec = -1;
    private string $lastHead = '';
    private int $lastFlags = 0;

    /** @param int $gcEvery collect PHP's cycles after so many requests; 0 leaves it to PHP */
    public function __construct(?Worker $worker = null, private int $gcEvery = 0)
    {
        $this->worker = $worker ?? Worker::create();
        $this->prototype = Request::prototype();
    }

    /** Waits for a request; null when the worker has to end. */
    public function waitRequest(): ?Request
    {
        $worker = $this->worker;
        if ($worker->open) {
            $worker->error('the worker did not answer this request');
        }
        if (!$worker->receive()) {
            return null;
        }
        $request = $this->prototype->of($worker->context, $worker->body, $worker->flags);
        $worker->context = $worker->body = ''; // a large body lives as long as the request does
        return $request;
    }

    /**
     * Calls $handler with each request until the server says stop. It returns a Response, a string,
     * anything iterable (sent in chunks), or null if it called respond() itself. What it throws
     * becomes an error answer and a text on stderr; the worker goes on.
     *
     * @param callable(Request): (Response|string|iterable<string>|null) $handler
     */
    public function serve(callable $handler): void
    {
        for ($count = 1; ($request = $this->waitRequest()) !== null; ++$count) {
            try {
                $answer = $handler($request);
                if ($answer instanceof Response) {
                    $this->respond($answer->status, $answer->body, $answer->headers);
                } elseif ($answer !== null) {
                    $this->respond(200, $answer);
                }
            } catch (\Throwable $error) {
                $this->worker->fail($error);
            }
            // While we wait for the next request, nothing of this one is kept.
            $request = $answer = $error = null;
            if ($this->gcEvery > 0 && $count % $this->gcEvery === 0) {
                gc_collect_cycles();
            }
        }
    }

    /**
     * Answers the request in hand. An iterable body is sent chunk by chunk as it comes; false then
     * says that the client left before its end.
     *
     * @param string|iterable<string> $body
     * @param array<string, string|list<string>> $headers
     */
    public function respond(int $status, string|iterable $body = '', array $headers = []): bool
    {
        if ($status !== $this->lastStatus || $headers !== $this->lastHeaders
            || ($this->worker->flags & Frame::PROTO) !== $this->lastCodec
        ) {
            $this->encodeHead($status, $headers);
        }
        if (\is_string($body)) {
            $this->worker->respond($body, $this->lastHead, $this->lastFlags);
            return true;
        }
        return $this->worker->stream($body, $this->lastHead, $this->lastFlags);
    }

    /**
     * Sends an informational answer (103 Early Hints, 102 Processing) before the real one.
     *
     * @param array<string, string|list<string>> $headers
     */
    public function inform(int $status, array $headers = []): void
    {
        $this->encodeHead($status, $headers);
        $this->worker->sendPart('', $this->lastHead, $this->lastFlags);
    }

    /** Answers with an error: 500, whose text the client sees only in pool.debug. */
    public function error(string $message): void
    {
        $this->worker->error($message);
    }

    public function worker(): Worker
    {
        return $this->worker;
    }

    /** @param array<string, string|list<string>> $headers */
    private function encodeHead(int $status, array $headers): void
    {
        $lists = [];
        foreach ($headers as $name => $values) {
            $lists[$name] = \is_array($values)
                ? array_map(strval(...), array_values($values)) : [(string) $values];
        }
        $codec = $this->worker->flags & Frame::PROTO;
        $flags = $codec;
        $head = false;
        if ($codec === 0) {
            $json = $lists === [] ? ['status' => $status]
                : ['status' => $status, 'headers' => (object) $lists];
            $head = json_encode($json, JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE);
            $flags = Frame::JSON;
        }
        if ($head === false) {
            // Also where a value is not UTF-8: JSON cannot carry it. Servers without numbered
            // requests may not take the other codec, so they get the value mended instead.
            if ($codec !== 0 || $this->worker->number !== null) {
                $head = Protobuf::encodeResponse($status, $lists);
                $flags = Frame::PROTO;
            } else {
                $head = (string) json_encode($json, JSON_UNESCAPED_SLASHES
                    | JSON_UNESCAPED_UNICODE | JSON_INVALID_UTF8_SUBSTITUTE);
            }
        }
        $this->lastStatus = $status;
        $this->lastHeaders = $headers;
        $this->lastCodec = $codec;
        $this->lastHead = $head;
        $this->lastFlags = $flags;
    }
}
