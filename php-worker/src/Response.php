<?php

declare(strict_types=1);

namespace Rr\Worker;

/** What a handler returns to HttpWorker::serve(). */
final class Response
{
    /**
     * @param string|iterable<string> $body an iterable is sent chunk by chunk
     * @param array<string, string|list<string>> $headers
     */
    public function __construct(
        public int $status = 200,
        public string|iterable $body = '',
        public array $headers = [],
    ) {
    }

    /** @param array<string, string|list<string>> $headers */
    public static function html(string $html, int $status = 200, array $headers = []): self
    {
        return new self($status, $html, ['Content-Type' => 'text/html; charset=utf-8'] + $headers);
    }

    /** @param array<string, string|list<string>> $headers */
    public static function json(mixed $value, int $status = 200, array $headers = []): self
    {
        $flags = JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE | JSON_INVALID_UTF8_SUBSTITUTE;
        return new self($status, json_encode($value, $flags | JSON_THROW_ON_ERROR),
            ['Content-Type' => 'application/json'] + $headers);
    }
}
