<?php

declare(strict_types=1);

namespace Rr\Worker\Tests;

use PHPUnit\Framework\TestCase;
use Rr\Worker\Relay;
use Rr\Worker\RelayException;

final class RelayTest extends TestCase
{
    private $far;
    private Relay $relay;

    protected function setUp(): void
    {
        [$near, $this->far] = stream_socket_pair(STREAM_PF_UNIX, STREAM_SOCK_STREAM, 0);
        $this->relay = new Relay($near, $near);
    }

    public function testTakesSeveralFramesFromOneRead(): void
    {
        fwrite($this->far, Peer::frame(1, 'one') . Peer::frame(8, 'ctxbody', [3, 7], 2));
        self::assertSame([1, 0, [], '', 'one'], $this->relay->read());
        self::assertTrue($this->relay->pending());
        self::assertSame([8, 2, [3, 7], 'ctx', 'body'], $this->relay->read());
        self::assertFalse($this->relay->pending());
    }

    public function testCutsThePayloadAtTheOptionAskedFor(): void
    {
        fwrite($this->far, Peer::frame(8, 'methodresult', [77, 6]));
        self::assertSame([8, 0, [77, 6], 'method', 'result'], $this->relay->read(1));
    }

    public function testReadsAFrameThatComesByteByByte(): void
    {
        $frame = Peer::frame(8, 'ctxbody', [3]);
        $code = 'foreach (str_split(base64_decode($argv[1])) as $b) {'
            . ' fwrite(STDOUT, $b); usleep(200); }';
        $child = proc_open([PHP_BINARY, '-r', $code, base64_encode($frame)],
            [1 => ['pipe', 'w']], $pipes);
        $relay = new Relay($pipes[1], $this->far);
        self::assertSame([8, 0, [3], 'ctx', 'body'], $relay->read());
        self::assertNull($relay->read());
        proc_close($child);
    }

    /** @dataProvider brokenFrames */
    public function testRefusesBytesThatAreNoFrame(string $bytes): void
    {
        fwrite($this->far, $bytes);
        $this->expectException(RelayException::class);
        $this->relay->read();
    }

    public static function brokenFrames(): array
    {
        $frame = Peer::frame(8, 'ctxbody', [3]);
        $checksum = $frame;
        $checksum[7] = \chr(\ord($checksum[7]) ^ 1);
        return [
            'garbage' => ["Warning: something in line 3\n"],
            'checksum' => [$checksum],
            'too many options' => [Peer::frame(8, 'x', array_fill(0, 11, 0))],
            'context longer than payload' => [Peer::frame(8, 'x', [2])],
        ];
    }

    /** @dataProvider cuts */
    public function testTheEndOfTheChannelIsNullWhereverItComes(int $length): void
    {
        fwrite($this->far, substr(Peer::frame(8, 'ctxbody', [3]), 0, $length));
        fclose($this->far);
        self::assertNull($this->relay->read());
        self::assertNull($this->relay->read());
        self::assertTrue($this->relay->closed);
        self::assertTrue($this->relay->pending());
    }

    public static function cuts(): array
    {
        return [[0], [1], [11], [12], [15], [16], [18], [19], [22]];
    }

    public function testWritingIntoAClosedChannelIsFalseAndNoNotice(): void
    {
        fclose($this->far);
        self::assertFalse($this->relay->write(Peer::frame(1, 'x')));
        self::assertTrue($this->relay->closed);
    }

    public function testWaitsOnADescriptorThatDoesNotBlock(): void
    {
        stream_set_blocking($this->relay->in, false);
        self::assertFalse($this->relay->pending());
        $child = proc_open([PHP_BINARY, '-r', 'usleep(30000); fwrite(STDOUT, "late");'],
            [1 => ['pipe', 'w']], $pipes);
        stream_set_blocking($pipes[1], false);
        $relay = new Relay($pipes[1], $this->far);
        self::assertTrue($relay->fill());
        self::assertSame('late', $relay->buffer);
        proc_close($child);
    }

    /** @dataProvider badAddresses */
    public function testRefusesAddressesItDoesNotKnow(string $address): void
    {
        $this->expectException(RelayException::class);
        Relay::connect($address);
    }

    public static function badAddresses(): array
    {
        return [['http://127.0.0.1:80'], ['tcp://127.0.0.1'], ['tcp://:6001'], ['unix://'], ['x']];
    }

    public function testSaysWhyItCannotConnect(): void
    {
        $this->expectException(RelayException::class);
        $this->expectExceptionMessage('/nowhere/at/all.sock');
        Relay::connect('unix:///nowhere/at/all.sock', 1);
    }
}
