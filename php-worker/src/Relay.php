<?php

declare(strict_types=1);

namespace Rr\Worker;

/**
 * A byte channel to the server and the frame decoder on it.
 *
 * Reads are unbuffered by PHP and go through $buffer, which may hold the beginning of the next
 * frame: a server that prefetches writes one ahead. An ended channel is reported by null or false,
 * once and for ever; bytes that are no frame throw RelayException.
 */
final class Relay
{
    private const READ_SIZE = 8192;
    /** Bodies of unknown size are read in slices: fread allocates what it is asked for. */
    private const SLICE_SIZE = 262144;
    /** From here on a copy costs more than a second write. */
    private const JOIN_LIMIT = 65536;

    /** Bytes read and not yet taken. Public for the worker's short path only. */
    public string $buffer = '';
    public bool $closed = false;

    /**
     * @param resource $in
     * @param resource $out
     */
    public function __construct(public $in, public $out, public readonly bool $pipes = false)
    {
        stream_set_read_buffer($in, 0);
        stream_set_write_buffer($out, 0);
    }

    /** @param ?string $address pipes, tcp://host:port or unix://path; null: RR_RELAY, else pipes */
    public static function open(?string $address = null): self
    {
        $address ??= self::env('RR_RELAY') ?? 'pipes';
        if ($address === '' || strncmp($address, 'pipes', 5) === 0) {
            return new self(...Stdio::claim(), pipes: true);
        }
        return self::connect($address);
    }

    /** Connects to tcp://host:port or unix://path, trying again while nobody listens yet. */
    public static function connect(string $address, int $attempts = 20): self
    {
        if (!preg_match('~^(?:tcp://.+:\d+|unix://.+)$~i', $address)) {
            throw new RelayException("relay address '$address': expected pipes, tcp://host:port"
                . ' or unix://path');
        }
        $message = '';
        for ($pause = 1000; $attempts > 0; --$attempts, $pause = min($pause * 2, 100_000)) {
            $socket = @stream_socket_client($address, $code, $message, 5.0);
            if ($socket !== false) {
                // Without an end: PHP would give up a silent socket after default_socket_timeout.
                stream_set_timeout($socket, -1);
                self::sendAtOnce($socket, $address);
                return new self($socket, $socket);
            }
            usleep($pause);
        }
        throw new RelayException("relay address '$address': $message");
    }

    public static function env(string $name): ?string
    {
        $value = $_ENV[$name] ?? $_SERVER[$name] ?? getenv($name);
        return \is_string($value) && $value !== '' ? $value : null;
    }

    /**
     * Waits for the next whole frame; null when the channel ended.
     *
     * The payload comes in two parts, cut at option number $cut (or whole in the second part where
     * there is no such option), so that a large body is never copied.
     *
     * @return ?array{int, int, list<int>, string, string} flags, stream flags, options, both parts
     */
    public function read(int $cut = 0): ?array
    {
        while (\strlen($this->buffer) < 12) {
            if (!$this->fill()) {
                return null;
            }
        }
        $head = unpack('Cwords/Cflags/Vlength/Vcrc/Cstream', $this->buffer);
        $words = $head['words'] & 0x0f;
        if ($head['crc'] !== crc32(substr($this->buffer, 0, 6)) || $words < 3 || $words > 13) {
            throw new RelayException('the server sent bytes that are no frame: '
                . bin2hex(substr($this->buffer, 0, 12)));
        }
        while (\strlen($this->buffer) < $words * 4) {
            if (!$this->fill()) {
                return null;
            }
        }
        $options = $words > 3 ? array_values(unpack('V' . ($words - 3), $this->buffer, 12)) : [];
        $first = $options[$cut] ?? 0;
        if ($first > $head['length']) {
            throw new RelayException("the server sent a context of $first bytes in a frame of "
                . $head['length']);
        }
        while (\strlen($this->buffer) < $words * 4 + $first) {
            if (!$this->fill()) {
                return null;
            }
        }
        $context = substr($this->buffer, $words * 4, $first);
        $body = substr($this->buffer, $words * 4 + $first, $head['length'] - $first);
        $this->buffer = substr($this->buffer, $words * 4 + $head['length']);
        while (($missing = $head['length'] - $first - \strlen($body)) > 0) {
            $bytes = $this->readSome(min($missing, self::SLICE_SIZE));
            if ($bytes === '') {
                return null;
            }
            $body .= $bytes;
        }
        return [$head['flags'], $head['stream'], $options, $context, $body];
    }

    /** True when read() would find something without waiting: bytes, or the end of the channel. */
    public function pending(): bool
    {
        if ($this->buffer !== '' || $this->closed) {
            return true;
        }
        $read = [$this->in];
        $none = null;
        return (bool) @stream_select($read, $none, $none, 0);
    }

    /** Writes whole frames; false when the channel ended. $more follows without being copied. */
    public function write(string $frame, string $more = ''): bool
    {
        if ($more !== '') {
            if (\strlen($more) < self::JOIN_LIMIT) {
                $frame .= $more;
            } elseif (!$this->write($frame)) {
                return false;
            } else {
                $frame = $more;
            }
        }
        if ($this->closed || @fwrite($this->out, $frame) !== \strlen($frame)) {
            $this->closed = true;
            return false;
        }
        return true;
    }

    /** Waits for bytes and adds them to the buffer; false when the channel ended. */
    public function fill(): bool
    {
        $bytes = $this->readSome(self::READ_SIZE);
        $this->buffer .= $bytes;
        return $bytes !== '';
    }

    public function close(): void
    {
        $this->closed = true;
        if (\is_resource($this->in)) {
            fclose($this->in);
        }
        if (\is_resource($this->out)) {
            fclose($this->out);
        }
    }

    private function readSome(int $limit): string
    {
        while (!$this->closed) {
            $bytes = @fread($this->in, $limit);
            if ($bytes !== '' && $bytes !== false) {
                return $bytes;
            }
            if (feof($this->in)) {
                $this->closed = true;
                break;
            }
            // A signal or a descriptor somebody made non-blocking: sleep until there is more.
            $read = [$this->in];
            $none = null;
            @stream_select($read, $none, $none, null);
        }
        return '';
    }

    /** @param resource $socket */
    private static function sendAtOnce($socket, string $address): void
    {
        if (strncasecmp($address, 'tcp:', 4) === 0 && \function_exists('socket_import_stream')) {
            $raw = socket_import_stream($socket);
            if ($raw) {
                @socket_set_option($raw, SOL_TCP, TCP_NODELAY, 1);
            }
        }
    }
}
