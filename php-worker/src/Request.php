<?php

declare(strict_types=1);

namespace Rr\Worker;

/**
 * An HTTP request as the server describes it.
 *
 * Cheap: the context is decoded when the first property is read, the query and the parsed body when
 * asked for. Reading decodes once; afterwards these are plain properties.
 */
final class Request
{
    public string $remoteAddr;
    public string $protocol;
    public string $method;
    /** The whole address, scheme and host included. */
    public string $uri;
    /** @var array<string, list<string>> */
    public array $headers;
    /** @var array<string, string> */
    public array $cookies;
    public string $rawQuery;
    /** True where $body is the JSON tree of a form that the server parsed. */
    public bool $parsed;
    /** @var array<array-key, mixed> leaves are {name, mime, size, error, tmpName} */
    public array $uploads;
    /** @var array<string, mixed> */
    public array $attributes;
    /** @var array<array-key, mixed> $rawQuery as PHP understands it */
    public array $query;

    public string $body = '';

    private string $context = '';
    private int $flags = 0;

    /** What all requests are cloned from: its properties are unset, so that __get is asked. */
    public static function prototype(): self
    {
        $request = new self();
        unset(
            $request->remoteAddr,
            $request->protocol,
            $request->method,
            $request->uri,
            $request->headers,
            $request->cookies,
            $request->rawQuery,
            $request->parsed,
            $request->uploads,
            $request->attributes,
            $request->query,
        );
        return $request;
    }

    public function of(string $context, string $body, int $flags): self
    {
        $request = clone $this;
        $request->context = $context;
        $request->body = $body;
        $request->flags = $flags;
        return $request;
    }

    /** All values of a header joined by ", "; null where the request has none. */
    public function header(string $name): ?string
    {
        $values = $this->headers[$name] ?? null;
        if ($values === null) {
            $headers = array_change_key_case($this->headers, CASE_LOWER);
            $values = $headers[strtolower($name)] ?? null;
        }
        return $values === null ? null : implode(', ', $values);
    }

    /** @return ?array<array-key, mixed> the form's fields; null where the body was not a form */
    public function parsedBody(): ?array
    {
        if (!$this->parsed) {
            return null;
        }
        return $this->body === '' ? [] : json_decode($this->body, true, 512, JSON_THROW_ON_ERROR);
    }

    /** @return array<string, mixed> $_SERVER as the script got it, with this request's part */
    public function serverParams(): array
    {
        $server = $_SERVER;
        $now = microtime(true);
        $server['REQUEST_URI'] = $this->uri;
        $server['REQUEST_TIME'] = (int) $now;
        $server['REQUEST_TIME_FLOAT'] = $now;
        $server['REMOTE_ADDR'] = $this->remoteAddr;
        $server['REQUEST_METHOD'] = $this->method;
        $server['HTTP_USER_AGENT'] = '';
        foreach ($this->headers as $name => $values) {
            $key = strtoupper(strtr((string) $name, '-', '_'));
            if ($key !== 'CONTENT_TYPE' && $key !== 'CONTENT_LENGTH') {
                $key = "HTTP_$key";
            }
            $server[$key] = implode(', ', $values);
        }
        return $server;
    }

    public function __get(string $name): mixed
    {
        if ($name === 'query') {
            parse_str($this->rawQuery, $query);
            return $this->query = $query;
        }
        if (!property_exists($this, $name)) {
            throw new \LogicException("a request has no property $name");
        }
        $this->decode();
        return $this->$name;
    }

    public function __isset(string $name): bool
    {
        return property_exists($this, $name);
    }

    private function decode(): void
    {
        $fields = $this->flags & Frame::PROTO
            ? Protobuf::decodeRequest($this->context)
            : json_decode($this->context === '' ? '{}' : $this->context, true, 512,
                JSON_THROW_ON_ERROR);
        $this->remoteAddr = $fields['remoteAddr'] ?? '';
        $this->protocol = $fields['protocol'] ?? 'HTTP/1.1';
        $this->method = $fields['method'] ?? 'GET';
        $this->uri = $fields['uri'] ?? '';
        $this->headers = $fields['headers'] ?? [];
        $this->cookies = $fields['cookies'] ?? [];
        $this->rawQuery = $fields['rawQuery'] ?? '';
        $this->parsed = $fields['parsed'] ?? false;
        $this->uploads = $fields['uploads'] ?? [];
        $this->attributes = $fields['attributes'] ?? [];
        $this->context = '';
    }
}
