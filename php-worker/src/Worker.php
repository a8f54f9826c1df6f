<?php

declare(strict_types=1);

namespace Rr\Worker;

/**
 * One worker: waits for requests, answers each, obeys the server.
 *
 *     $worker = Worker::create();
 *     while ($worker->receive()) {
 *         $worker->respond($worker->body, $worker->context);
 *     }
 *
 * The request in hand stands in public properties rather than in an object: this loop is the whole
 * cost that a request has on our side. Answers repeat the number of the request where the server
 * gave one (see README.md, Handshake).
 *
 * A channel that ended is never an exception: receive() then returns false and the script ends.
 */
final class Worker
{
    /** Every so many chunks of a stream over pipes the server is asked for a sign of life. */
    private const PING_EVERY = 5;

    /** Of the request in hand. */
    public string $context = '';
    public string $body = '';
    public int $flags = 0;
    /** The request's number, null where the server gave none. */
    public ?int $number = null;
    /** True from receive() until the last frame of the answer. */
    public bool $open = false;

    /** @var list<array{int, int, list<int>, string, string}> met while looking for STOP or PONG */
    private array $kept = [];
    private int $pid;

    /** @param bool $numbered offer the server numbered requests, so that it may prefetch */
    public function __construct(private Relay $relay, private bool $numbered = true)
    {
        $this->pid = getmypid() ?: 0;
        Stdio::guard();
        register_shutdown_function($this->reportUnanswered(...));
    }

    public static function create(?string $address = null, bool $numbered = true): self
    {
        return new self(Relay::open($address), $numbered);
    }

    /** Waits for a request; false when the server says stop or is gone. */
    public function receive(): bool
    {
        $relay = $this->relay;
        while (true) {
            // The short path: a whole numbered request that came in one read.
            if ($this->kept === []) {
                if ($relay->buffer === '' && !$relay->closed) {
                    $bytes = @fread($relay->in, 8192);
                    $relay->buffer = $bytes === false ? '' : $bytes;
                }
                $buffer = $relay->buffer;
                if (isset($buffer[20]) && $buffer[0] === "\x15") {
                    ['f' => $flags, 'l' => $length, 'c' => $crc, 's' => $stream, 'o' => $cut,
                        'n' => $number] = unpack('x/Cf/Vl/Vc/Cs/x/Vo/Vn', $buffer);
                    $size = \strlen($buffer) - 20;
                    if ($size >= $length && $cut <= $length && ($flags & Frame::CONTROL) === 0
                        && $stream === 0 && $crc === crc32(substr($buffer, 0, 6))
                    ) {
                        $this->flags = $flags;
                        $this->number = $number;
                        $this->context = substr($buffer, 20, $cut);
                        $this->body = $cut === $length
                            ? '' : substr($buffer, 20 + $cut, $length - $cut);
                        $relay->buffer = $size === $length ? '' : substr($buffer, 20 + $length);
                        return $this->open = true;
                    }
                }
            }
            $frame = array_shift($this->kept) ?? $relay->read();
            if ($frame === null) {
                return $this->open = false;
            }
            [$flags, $stream, $options, $context, $body] = $frame;
            if ($flags & Frame::CONTROL) {
                if (!$this->obey($body)) {
                    return $this->open = false;
                }
            } elseif (($stream & (Frame::STOP | Frame::PONG)) === 0) {
                $this->flags = $flags;
                $this->number = $options[1] ?? null;
                $this->context = $context;
                $this->body = $body;
                return $this->open = true;
            }
            // else: a STOP or PONG that came after its stream had ended
        }
    }

    /** Answers the request in hand. */
    public function respond(string $body, string $context = '', int $flags = 0): void
    {
        $this->close();
        $this->send($body, $context, $flags);
    }

    /**
     * Answers piece by piece: each chunk is sent as it comes, $context with the first one (an empty
     * first chunk sends the context alone). Returns false when the server said that nobody listens
     * any more; a generator has then got StreamStopped at its yield, its finally blocks have run.
     *
     * @param iterable<string|\Stringable> $chunks
     * @param ?string $end for protocols whose every frame needs a context (tcp): each chunk carries
     *     $context then, and the frame after the last chunk carries this
     */
    public function stream(
        iterable $chunks,
        string $context = '',
        int $flags = 0,
        ?string $end = null,
    ): bool {
        $this->requireOpen();
        $sent = 0;
        $waiting = false;
        $wanted = true;
        foreach ($chunks as $chunk) {
            $chunk = (string) $chunk;
            if ($sent > 0) {
                $told = $this->poll();
                if ($told === Frame::STOP) {
                    $wanted = false;
                    self::endGenerator($chunks);
                    break;
                }
                $waiting = $waiting && $told !== Frame::PONG;
                if ($chunk === '') {
                    continue;
                }
            }
            $ping = 0;
            if ($this->relay->pipes && !$waiting && $sent > 0 && $sent % self::PING_EVERY === 0) {
                $ping = Frame::PING;
                $waiting = true;
            }
            $this->send($chunk, $context, $flags, Frame::STREAM | $ping);
            $context = $end === null ? '' : $context;
            ++$sent;
        }
        $this->open = false;
        $this->send('', $end ?? $context, $flags);
        return $wanted;
    }

    /** Sends a part of the answer that more parts follow: an informational HTTP answer, say. */
    public function sendPart(string $body, string $context = '', int $flags = 0): void
    {
        $this->requireOpen();
        $this->send($body, $context, $flags, Frame::STREAM);
    }

    /**
     * For protocols whose requests may be answered several times or not at all (tcp): sends one
     * answer, or with $more a part of one, whether the request is open or not.
     */
    public function reply(string $body, string $context, bool $more = false): void
    {
        $this->send($body, $context, 0, $more ? Frame::STREAM : 0);
    }

    /** The request in hand needs no answer, or none after those of reply(). */
    public function settle(): void
    {
        $this->open = false;
    }

    /** Answers the request in hand with an error; the worker stays in service. */
    public function error(string $message): void
    {
        $this->close();
        $options = $this->number === null ? [] : [0, $this->number];
        $this->relay->write(Frame::encode(Frame::ERROR, $message, $options));
    }

    /** error(), and the whole story to stderr. */
    public function fail(\Throwable $error): void
    {
        Stdio::report("$error\n");
        if ($this->open) {
            $this->error((string) $error);
        }
    }

    /** Instead of an answer: the server gives this request to another worker and replaces us. */
    public function stop(): void
    {
        $this->respond('', '{"stop":true}');
    }

    /** Bytes to the server as they are: for protocols on top, and for tests of the server. */
    public function relay(): Relay
    {
        return $this->relay;
    }

    private function send(string $body, string $context, int $flags, int $stream = 0): void
    {
        $cut = \strlen($context);
        if ($this->number === null) {
            $head = pack('CCV', 0x14, $flags, $cut + \strlen($body));
            $head .= pack('VvV', crc32($head), $stream, $cut);
        } else {
            $head = pack('CCV', 0x15, $flags, $cut + \strlen($body));
            $head .= pack('VvVV', crc32($head), $stream, $cut, $this->number);
        }
        $this->relay->write($head . $context, $body);
    }

    /** Looks for word from the server about the stream in hand, without waiting. */
    private function poll(): int
    {
        $told = 0;
        while ($this->relay->pending()) {
            $frame = $this->relay->read();
            if ($frame === null) {
                return Frame::STOP;
            }
            if ($frame[1] & Frame::STOP) {
                return Frame::STOP;
            }
            if ($frame[1] & Frame::PONG) {
                $told = Frame::PONG;
            } else {
                $this->kept[] = $frame; // the next request, or a command that stands behind it
            }
        }
        return $told;
    }

    /** @param iterable<string|\Stringable> $chunks */
    private static function endGenerator(iterable $chunks): void
    {
        if ($chunks instanceof \Generator) {
            try {
                $chunks->throw(new StreamStopped('nobody listens any more'));
            } catch (StreamStopped) {
                // as it should be: not caught inside
            } catch (\Throwable $error) {
                Stdio::report("$error\n");
            }
        }
    }

    /** Carries out a control frame; false for stop. */
    private function obey(string $command): bool
    {
        $object = json_decode($command, true);
        if (\is_array($object) && !empty($object['stop'])) {
            return false;
        }
        if (!\is_array($object) || !isset($object['pid'])) {
            throw new RelayException("the server sent an unknown command: $command");
        }
        $answer = ['pid' => $this->pid];
        if ($this->numbered && ($object['rr'] ?? 0) === 1) {
            $answer['rr'] = 1;
        }
        $this->relay->write(Frame::encode(Frame::CONTROL, (string) json_encode($answer)));
        return true;
    }

    private function requireOpen(): void
    {
        if (!$this->open) {
            throw new \LogicException('no request is waiting for an answer');
        }
    }

    private function close(): void
    {
        $this->requireOpen();
        $this->open = false;
    }

    private function reportUnanswered(): void
    {
        if ($this->open && !$this->relay->closed) {
            $number = $this->number === null ? '' : " $this->number";
            Stdio::report("worker $this->pid: the script ended (exit or fatal error) before request"
                . "$number was answered\n");
        }
    }
}
