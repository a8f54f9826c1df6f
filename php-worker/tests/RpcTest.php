<?php

declare(strict_types=1);

namespace Rr\Worker\Tests;

use PHPUnit\Framework\TestCase;

/** The client runs in a process of its own, the server is this test. */
final class RpcTest extends TestCase
{
    private $process;
    private $toClient;
    private $fromClient;
    private $listener;
    private $connection = null;
    private string $path = '';

    protected function tearDown(): void
    {
        proc_terminate($this->process, 9);
        proc_close($this->process);
        if ($this->path !== '') {
            unlink($this->path);
        }
    }

    public static function relays(): array
    {
        return ['tcp' => ['tcp'], 'unix' => ['unix']];
    }

    private function start(string $relay): void
    {
        if ($relay === 'unix') {
            $this->path = sys_get_temp_dir() . '/rr-php-rpc-' . bin2hex(random_bytes(6)) . '.sock';
            $address = "unix://$this->path";
            $this->listener = stream_socket_server($address);
        } else {
            $this->listener = stream_socket_server('tcp://127.0.0.1:0');
            $address = 'tcp://' . stream_socket_get_name($this->listener, false);
        }
        $this->process = proc_open([PHP_BINARY, __DIR__ . '/workers/rpc.php'],
            [['pipe', 'r'], ['pipe', 'w'], STDERR], $pipes, null,
            ['RR_RPC' => $address] + getenv());
        [$this->toClient, $this->fromClient] = $pipes;
    }

    /** Lets the client call; returns the frame's header as hex and the payload. */
    private function call(
        string $kind,
        string $method,
        mixed $argument,
        ?float $timeout = null,
    ): array {
        fwrite($this->toClient, json_encode([$kind, $method, $argument, $timeout]) . "\n");
        $this->connection ??= stream_socket_accept($this->listener, 10);
        $head = unpack('Cwords/Cflags/Vlength/Vcrc/vstream/Vsequence/Vmethod',
            stream_get_contents($this->connection, 20));
        return $head + ['payload' => stream_get_contents($this->connection, $head['length'])];
    }

    private function reply(int $flags, string $result, array $call, ?int $sequence = null): mixed
    {
        $method = substr($call['payload'], 0, $call['method']);
        fwrite($this->connection, Peer::frame($flags, $method . $result,
            [$sequence ?? $call['sequence'], $call['method']]));
        return $this->outcome();
    }

    private function outcome(): mixed
    {
        return json_decode(fgets($this->fromClient), true);
    }

    /** @dataProvider relays */
    public function testCallsWithJson(string $relay): void
    {
        $this->start($relay);
        $call = $this->call('json', 'informer.Workers', 'http');
        self::assertSame([0x15, 0x08, 0, 1, 16, 'informer.Workers"http"'], [$call['words'],
            $call['flags'], $call['stream'], $call['sequence'], $call['method'], $call['payload']]);
        self::assertSame(['workers' => []], $this->reply(0x08, '{"workers":[]}', $call));
        $call = $this->call('json', 'a.B', ['x' => 1.5, 'y' => 'é/']);
        self::assertSame([2, 'a.B{"x":1.5,"y":"é/"}'], [$call['sequence'], $call['payload']]);
        self::assertNull($this->reply(0x08, '', $call));
    }

    public function testCallsWithBytes(): void
    {
        $this->start('tcp');
        $call = $this->call('raw', 'svc.Raw', 'some bytes');
        self::assertSame([0x04, 'svc.Rawsome bytes'], [$call['flags'], $call['payload']]);
        $large = str_repeat('x', 300_000);
        self::assertSame($large, $this->reply(0x04, $large, $call));
    }

    public function testTheServersErrorIsAServiceException(): void
    {
        $this->start('tcp');
        $text = "rpc: can't find service no.Such";
        self::assertSame(['error' => 'ServiceException', 'text' => "no.Such: $text"],
            $this->reply(0x48, $text, $this->call('json', 'no.Such', null)));
        self::assertTrue($this->reply(0x08, 'true', $this->call('json', 'still.Here', null)));
    }

    public function testRefusesTheAnswerToAnotherCall(): void
    {
        $this->start('tcp');
        $outcome = $this->reply(0x08, '1', $this->call('json', 'a.B', null), 99);
        self::assertSame('RelayException', $outcome['error']);
    }

    public function testALateAnswerIsNotTakenForTheNext(): void
    {
        $this->start('tcp');
        $late = $this->call('json', 'slow.One', null, 0.05);
        self::assertSame(['error' => 'TimeoutException',
            'text' => 'slow.One: no answer from the server in time'], $this->outcome());
        $next = $this->call('json', 'fast.Two', null);
        fwrite($this->connection, Peer::frame(0x08, 'slow.One"late"', [$late['sequence'], 8]));
        self::assertSame('in time', $this->reply(0x08, '"in time"', $next));
    }

    public function testARequestNobodyReadsEndsInTime(): void
    {
        $this->start('unix');
        $large = str_repeat('x', 4_000_000);
        fwrite($this->toClient, json_encode(['raw', 'a.B', $large, 0.1]) . "\n");
        $this->connection = stream_socket_accept($this->listener, 10);
        self::assertSame(['error' => 'TimeoutException',
            'text' => 'a.B: a request was not taken by the server in time'], $this->outcome());
        // Half a request is of no use: the next call has a connection of its own.
        $this->connection = null;
        self::assertSame(7, $this->reply(0x08, '7', $this->call('json', 'c.D', null)));
    }

    public function testAnAnswerIsReadWhileALargeRequestIsSent(): void
    {
        $this->start('unix');
        fwrite($this->toClient, json_encode(['raw', 'a.B', str_repeat('x', 4_000_000), 10.0])
            . "\n");
        $this->connection = stream_socket_accept($this->listener, 10);
        $answer = str_repeat('y', 1_000_000);
        stream_set_blocking($this->connection, true);
        // More than the kernel holds: it is taken although the client is not done sending.
        self::assertSame(\strlen($answer) + 23,
            fwrite($this->connection, Peer::frame(0x04, 'a.B' . $answer, [1, 3])));
        self::assertSame(4_000_023,
            \strlen(stream_get_contents($this->connection, 4_000_023)));
        self::assertSame($answer, $this->outcome());
    }

    public function testAnAnswerInPiecesIsOne(): void
    {
        $this->start('unix');
        $call = $this->call('json', 'a.B', null);
        foreach (str_split(Peer::frame(0x08, 'a.B[1,2]', [$call['sequence'], 3]), 3) as $piece) {
            fwrite($this->connection, $piece);
        }
        self::assertSame([1, 2], $this->outcome());
    }

    public function testBytesThatAreNoFrameEndTheConnection(): void
    {
        $this->start('tcp');
        $this->call('json', 'a.B', null);
        fwrite($this->connection, "HTTP/1.1 400 Bad Request\r\n\r\n");
        self::assertSame(['error' => 'RelayException', 'text' => 'a.B: the server sent bytes that'
            . ' are no RPC frame: ' . bin2hex('HTTP/1.1 400')], $this->outcome());
    }

    public function testConnectsAgainAfterTheServerLeft(): void
    {
        $this->start('tcp');
        self::assertSame(1, $this->reply(0x08, '1', $this->call('json', 'a.B', null)));
        fclose($this->connection);
        $this->connection = null;
        self::assertSame(2, $this->reply(0x08, '2', $this->call('json', 'a.B', null)));
        $this->call('json', 'a.B', null);
        fclose($this->connection);
        self::assertSame('RelayException', $this->outcome()['error']);
    }
}
