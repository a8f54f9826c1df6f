<?php

declare(strict_types=1);

namespace Rr\Worker\Tests;

use PHPUnit\Framework\Assert;

/**
 * The server's side of one worker process, over any relay. Frames are built and taken apart here
 * independently of the library, so that a mistake in it cannot answer itself.
 */
final class Peer
{
    private const PATIENCE = 10;

    public int $pid = 0;
    /** @var array<string, mixed> the worker's answer to the handshake */
    public array $hello = [];

    private $process;
    private $toWorker;
    private $fromWorker;
    private $errors;
    private $listener = null;
    private string $path = '';
    private string $buffer = '';
    private string $stderr = '';
    private int $number = 0;

    /**
     * @param string|list<string> $script below workers/, or a whole command
     * @param list<string> $options of php itself
     * @param array<string, string> $environment
     */
    public function __construct(
        string|array $script,
        private string $relay = 'pipes',
        array $options = [],
        array $environment = [],
    ) {
        $pipes = $relay === 'pipes';
        $descriptors = [
            $pipes ? ['pipe', 'r'] : ['file', '/dev/null', 'r'],
            $pipes ? ['pipe', 'w'] : ['file', '/dev/null', 'w'],
            ['pipe', 'w'],
        ];
        $environment['RR_RELAY'] = $pipes ? 'pipes' : $this->listen($relay);
        $command = \is_array($script) ? $script
            : [PHP_BINARY, ...$options, __DIR__ . "/workers/$script"];
        $this->process = proc_open($command, $descriptors, $handles, null,
            $environment + getenv());
        $this->errors = $handles[2];
        stream_set_blocking($this->errors, false);
        if ($pipes) {
            [$this->toWorker, $this->fromWorker] = $handles;
        } else {
            $this->fromWorker = stream_socket_accept($this->listener, self::PATIENCE);
            $this->toWorker = $this->fromWorker;
        }
        stream_set_blocking($this->fromWorker, false);
        $this->pid = proc_get_status($this->process)['pid'];
    }

    public function __destruct()
    {
        if (\is_resource($this->process)) {
            proc_terminate($this->process, 9);
            proc_close($this->process);
        }
        if ($this->path !== '') {
            @unlink($this->path);
        }
    }

    public static function frame(
        int $flags,
        string $payload = '',
        array $options = [],
        int $stream = 0,
    ): string {
        $head = \chr(0x10 | 3 + \count($options)) . \chr($flags) . pack('V', \strlen($payload));
        $checksum = strrev(hash('crc32b', $head, true));
        return $head . $checksum . \chr($stream) . "\0"
            . implode('', array_map(static fn (int $o): string => pack('V', $o), $options))
            . $payload;
    }

    public function greet(bool $numbered = true): self
    {
        $this->send(self::frame(0x09, $numbered ? '{"pid":100,"rr":1}' : '{"pid":100}'));
        $answer = $this->receive();
        Assert::assertSame(0x01, $answer['flags']);
        Assert::assertSame([], $answer['options']);
        $this->hello = json_decode($answer['payload'], true);
        return $this;
    }

    /** Sends a request; numbered as the handshake agreed, or as $number says. */
    public function request(string $path, string $body = '', array $fields = []): int
    {
        $this->send($this->requestFrame($path, $body, $fields));
        return $this->number;
    }

    public function requestFrame(string $path, string $body = '', array $fields = []): string
    {
        $context = json_encode($fields + [
            'remoteAddr' => '127.0.0.1',
            'protocol' => 'HTTP/1.1',
            'method' => 'GET',
            'uri' => "http://localhost:8080$path",
            'headers' => new \stdClass(),
            'cookies' => new \stdClass(),
            'rawQuery' => (string) parse_url($path, PHP_URL_QUERY),
            'parsed' => false,
            'uploads' => null,
            'attributes' => new \stdClass(),
        ]);
        return $this->rawRequestFrame(0x08, $context, $body);
    }

    public function rawRequestFrame(int $flags, string $context, string $body = ''): string
    {
        $options = [\strlen($context)];
        ++$this->number;
        if (isset($this->hello['rr'])) {
            $options[] = $this->number;
        }
        return self::frame($flags, $context . $body, $options);
    }

    public function send(string $bytes): void
    {
        while ($bytes !== '') {
            $written = @fwrite($this->toWorker, $bytes);
            Assert::assertNotFalse($written, 'the worker closed its end');
            if ($written === 0) {
                usleep(1000);
            }
            $bytes = substr($bytes, $written);
        }
    }

    /** @return array{flags: int, stream: int, options: list<int>, payload: string} */
    public function receive(): array
    {
        $frame = $this->next();
        Assert::assertNotNull($frame, "the worker ended; stderr:\n" . $this->stderr());
        return $frame;
    }

    /** The next frame, null at the end of the channel. */
    public function next(): ?array
    {
        while (true) {
            if (\strlen($this->buffer) >= 12) {
                $head = 4 * (\ord($this->buffer[0]) & 15);
                $length = unpack('V', $this->buffer, 2)[1];
                if (\strlen($this->buffer) >= $head + $length) {
                    $bytes = substr($this->buffer, 0, $head + $length);
                    $this->buffer = substr($this->buffer, $head + $length);
                    Assert::assertSame(1, \ord($bytes[0]) >> 4);
                    Assert::assertSame(strrev(hash('crc32b', substr($bytes, 0, 6), true)),
                        substr($bytes, 6, 4), 'checksum of ' . bin2hex(substr($bytes, 0, 12)));
                    $options = unpack('V*', substr($bytes, 12, $head - 12)) ?: [];
                    return [
                        'flags' => \ord($bytes[1]),
                        'stream' => \ord($bytes[10]),
                        'options' => array_values($options),
                        'payload' => substr($bytes, $head),
                    ];
                }
            }
            if (!$this->readMore()) {
                return null;
            }
        }
    }

    /** An answer to number $number: [context decoded, body, stream flags, flags]. */
    public function answer(?int $number): array
    {
        $frame = $this->receive();
        Assert::assertSame(0, $frame['flags'] & 0x40, 'an error frame: ' . $frame['payload']);
        Assert::assertCount($number === null ? 1 : 2, $frame['options']);
        if ($number !== null) {
            Assert::assertSame($number, $frame['options'][1]);
        }
        $context = substr($frame['payload'], 0, $frame['options'][0]);
        return [json_decode($context, true) ?? $context,
            substr($frame['payload'], $frame['options'][0]), $frame['stream'], $frame['flags']];
    }

    public function error(): string
    {
        $frame = $this->receive();
        Assert::assertSame(0x40, $frame['flags']);
        return $frame['payload'];
    }

    /** Closes our end of what the worker reads (sockets: both directions). */
    public function hangUp(): void
    {
        if ($this->relay === 'pipes') {
            fclose($this->toWorker);
        } else {
            stream_socket_shutdown($this->toWorker, STREAM_SHUT_WR);
        }
    }

    /** Waits for the end of the process. */
    public function exitCode(): int
    {
        for ($i = 0; $i < self::PATIENCE * 1000; ++$i) {
            $status = proc_get_status($this->process);
            $this->readErrors();
            if (!$status['running']) {
                return $status['signaled'] ? -$status['termsig'] : $status['exitcode'];
            }
            usleep(1000);
        }
        Assert::fail('the worker does not end');
    }

    public function stop(): int
    {
        $this->send(self::frame(0x09, '{"stop":true}'));
        return $this->exitCode();
    }

    public function stderr(): string
    {
        $this->readErrors();
        return $this->stderr;
    }

    private function listen(string $relay): string
    {
        if ($relay === 'unix') {
            $this->path = sys_get_temp_dir() . '/rr-php-' . bin2hex(random_bytes(6)) . '.sock';
            $address = 'unix://' . $this->path;
            $this->listener = stream_socket_server($address);
            return $address;
        }
        $this->listener = stream_socket_server('tcp://127.0.0.1:0');
        return 'tcp://' . stream_socket_get_name($this->listener, false);
    }

    private function readMore(): bool
    {
        $read = [$this->fromWorker];
        $none = null;
        if (!stream_select($read, $none, $none, self::PATIENCE)) {
            Assert::fail("nothing from the worker; stderr:\n" . $this->stderr());
        }
        $bytes = (string) fread($this->fromWorker, 65536);
        $this->buffer .= $bytes;
        return $bytes !== '' || !feof($this->fromWorker);
    }

    private function readErrors(): void
    {
        $this->stderr .= (string) stream_get_contents($this->errors);
    }
}
