<?php

declare(strict_types=1);

namespace Rr\Worker\Tests;

use PHPUnit\Framework\TestCase;

/** Each test with a real process, most over every relay. */
final class WorkerTest extends TestCase
{
    private const STOP = 0x02;
    private const PONG = 0x08;

    public static function relays(): array
    {
        return ['pipes' => ['pipes'], 'tcp' => ['tcp'], 'unix' => ['unix']];
    }

    private static function request(Peer $peer, string $body, string $context = '{}'): ?int
    {
        $peer->send($peer->rawRequestFrame(0x08, $context, $body));
        static $numbers = null;
        $numbers ??= new \WeakMap();
        $numbers[$peer] = ($numbers[$peer] ?? 0) + 1;
        return isset($peer->hello['rr']) ? $numbers[$peer] : null;
    }

    /** @dataProvider relays */
    public function testNegotiatesAndRepeatsNumbers(string $relay): void
    {
        $peer = (new Peer('raw.php', $relay))->greet();
        self::assertSame(['pid' => $peer->pid, 'rr' => 1], $peer->hello);
        for ($i = 1; $i <= 3; ++$i) {
            $number = self::request($peer, "echo body $i", "[$i]");
            self::assertSame([[$i], "body $i", 0, 0x08], $peer->answer($number));
        }
        self::assertSame(0, $peer->stop());
        self::assertSame('the loop ended', $peer->stderr());
    }

    /** @dataProvider relays */
    public function testServesAServerThatDoesNotNumber(string $relay): void
    {
        $peer = (new Peer('raw.php', $relay))->greet(false);
        self::assertSame(['pid' => $peer->pid], $peer->hello);
        self::request($peer, 'echo body');
        self::assertSame('body', $peer->answer(null)[1]);
        self::request($peer, 'error boom');
        $frame = $peer->receive();
        self::assertSame(0x40, $frame['flags']);
        self::assertSame([[], 'boom'], [$frame['options'], $frame['payload']]);
        self::assertSame(0, $peer->stop());
    }

    public function testDoesNotOfferNumbersWhenToldNotTo(): void
    {
        $peer = (new Peer('raw.php', 'pipes', [], ['PLAIN' => '1']))->greet();
        self::assertSame(['pid' => $peer->pid], $peer->hello);
    }

    /** @dataProvider relays */
    public function testTakesARequestSentBeforeTheAnswerToTheLast(string $relay): void
    {
        $peer = (new Peer('raw.php', $relay))->greet();
        $peer->send($peer->rawRequestFrame(0x08, '{}', 'echo one')
            . $peer->rawRequestFrame(0x08, '{}', 'echo two')
            . Peer::frame(0x09, '{"stop":true}'));
        self::assertSame('one', $peer->answer(1)[1]);
        self::assertSame('two', $peer->answer(2)[1]);
        self::assertSame(0, $peer->exitCode());
    }

    /** @dataProvider relays */
    public function testAnswersAPidRequestBehindARequestAfterIt(string $relay): void
    {
        $peer = (new Peer('raw.php', $relay))->greet();
        $peer->send($peer->rawRequestFrame(0x08, '{}', 'stream 3')
            . Peer::frame(0x09, '{"pid":1}'));
        for ($i = 1; $i <= 4; ++$i) {
            $peer->answer(1);
        }
        self::assertSame('{"pid":' . $peer->pid . '}', $peer->receive()['payload']);
        self::assertSame(0, $peer->stop());
    }

    /** @dataProvider relays */
    public function testReadsLargeBodiesWhole(string $relay): void
    {
        $peer = (new Peer('raw.php', $relay))->greet();
        foreach ([0, 1, 8170, 8192, 65536, 3_000_000] as $size) {
            $body = substr(str_repeat('0123456789abcdef', 200_000), 0, $size);
            $number = self::request($peer, "length $body");
            self::assertSame("$size " . md5($body), $peer->answer($number)[1]);
        }
        $number = self::request($peer, "echo $body");
        self::assertSame(md5($body), md5($peer->answer($number)[1]));
        self::assertSame(0, $peer->stop());
    }

    /** @dataProvider relays */
    public function testEndsQuietlyWhenTheServerIsGone(string $relay): void
    {
        $peer = (new Peer('raw.php', $relay))->greet();
        $peer->hangUp();
        self::assertSame(0, $peer->exitCode());
        self::assertSame('the loop ended', $peer->stderr());
    }

    /** @dataProvider relays */
    public function testEndsQuietlyWhenTheServerLeavesInsideAFrame(string $relay): void
    {
        $peer = (new Peer('raw.php', $relay))->greet();
        $peer->send(substr($peer->rawRequestFrame(0x08, '{}', 'echo body'), 0, -1));
        $peer->hangUp();
        self::assertSame(0, $peer->exitCode());
        self::assertSame('the loop ended', $peer->stderr());
    }

    public function testRefusesBytesThatAreNoFrame(): void
    {
        $peer = (new Peer('raw.php'))->greet();
        $peer->send("what is this doing here?\n");
        self::assertSame(255, $peer->exitCode());
        self::assertStringContainsString('bytes that are no frame', $peer->stderr());
    }

    /** @dataProvider protections */
    public function testKeepsOutputOutOfTheFrames(string $relay, array $options): void
    {
        $peer = (new Peer('raw.php', $relay, $options))->greet();
        $number = self::request($peer, 'output');
        self::assertSame('fine', $peer->answer($number)[1]);
        self::assertSame(0, $peer->stop());
        $expected = ['echoed', 'printed', 'dumped', 'to php://output', 'from a child'];
        if ($relay === 'pipes') {
            $expected[] = 'to php://stdout';
        }
        foreach ($expected as $text) {
            self::assertStringContainsString($text, $peer->stderr());
        }
    }

    public static function protections(): array
    {
        return [
            'pipes' => ['pipes', []],
            'pipes without FFI' => ['pipes', ['-d', 'ffi.enable=0']],
            'pipes without php.ini' => ['pipes', ['-n', '-d', 'display_errors=1']],
            'tcp' => ['tcp', []],
            'unix' => ['unix', []],
        ];
    }

    /** @dataProvider protections */
    public function testKeepsFramesFromReadersOfStdin(string $relay, array $options): void
    {
        $peer = (new Peer('raw.php', $relay, $options))->greet();
        $peer->send($peer->rawRequestFrame(0x08, '{}', 'steal')
            . $peer->rawRequestFrame(0x08, '{}', 'echo next'));
        self::assertSame('["",null,""]', $peer->answer(1)[1]);
        self::assertSame('next', $peer->answer(2)[1]);
        self::assertSame(0, $peer->stop());
    }

    /** @dataProvider protections */
    public function testReportsWarningsOnStderrOnce(string $relay, array $options): void
    {
        $peer = (new Peer('raw.php', $relay, $options))->greet();
        $number = self::request($peer, 'warn');
        self::assertSame('warned', $peer->answer($number)[1]);
        self::assertSame(0, $peer->stop());
        self::assertSame(1, substr_count($peer->stderr(), 'a warning by hand'), $peer->stderr());
    }

    /** @dataProvider relays */
    public function testStaysInServiceAfterAnError(string $relay): void
    {
        $peer = (new Peer('raw.php', $relay))->greet();
        self::request($peer, 'error boom');
        $frame = $peer->receive();
        self::assertSame([0x40, [0, 1], 'boom'], [$frame['flags'], $frame['options'],
            $frame['payload']]);
        $number = self::request($peer, 'echo on');
        self::assertSame('on', $peer->answer($number)[1]);
        self::assertSame(0, $peer->stop());
    }

    public function testASecondAnswerIsAnErrorOfTheScript(): void
    {
        $peer = (new Peer('raw.php'))->greet();
        self::request($peer, 'twice');
        self::assertSame('first', $peer->answer(1)[1]);
        self::request($peer, 'echo next');
        self::assertSame('next', $peer->answer(2)[1]);
        self::assertStringContainsString('no request is waiting', $peer->stderr());
    }

    public function testAsksToBeReplaced(): void
    {
        $peer = (new Peer('raw.php'))->greet();
        self::request($peer, 'stop');
        self::assertSame('{"stop":true}', $peer->receive()['payload']);
        self::assertSame(0, $peer->stop());
    }

    /** @dataProvider ends */
    public function testReportsAScriptThatEndsInsideARequest(
        string $do,
        int $code,
        string $text,
    ): void {
        $peer = (new Peer('raw.php'))->greet();
        self::request($peer, $do);
        self::assertNull($peer->next());
        self::assertSame($code, $peer->exitCode());
        self::assertStringContainsString($text, $peer->stderr());
        self::assertStringContainsString('before request 1 was answered', $peer->stderr());
    }

    public static function ends(): array
    {
        return [
            'exit' => ['exit 7', 7, ''],
            'exception' => ['throw', 255, 'nobody catches this'],
            'fatal error' => ['fatal', 255, 'Allowed memory size'],
        ];
    }

    public function testSendsPartsBeforeTheAnswer(): void
    {
        $peer = (new Peer('raw.php'))->greet();
        self::request($peer, 'part');
        self::assertSame(['hint', '', 1, 0], $peer->answer(1));
        self::assertSame(['head', 'whole', 0, 0], $peer->answer(1));
    }

    /** @dataProvider relays */
    public function testStreamsInChunksAndPingsOverPipes(string $relay): void
    {
        $peer = (new Peer('raw.php', $relay))->greet();
        self::request($peer, 'stream 13');
        $streams = [];
        for ($i = 1; $i <= 13; ++$i) {
            [$context, $body, $stream] = $peer->answer(1);
            self::assertSame($i === 1 ? 'head' : '', $context);
            self::assertSame("chunk $i", $body);
            $streams[] = $stream;
        }
        self::assertSame(['', '', 0, 0], $peer->answer(1));
        // Without a PONG there is no second PING.
        $expected = array_fill(0, 13, 1);
        $expected[5] = $relay === 'pipes' ? 5 : 1;
        self::assertSame($expected, $streams);
        self::assertSame(0, $peer->stop());
        self::assertStringContainsString('generator ended whole', $peer->stderr());
    }

    public function testPingsAgainAfterAPong(): void
    {
        $peer = (new Peer('raw.php', 'pipes', [], ['STEP' => '1']))->greet();
        self::request($peer, 'stream 12');
        $pings = [];
        for ($i = 1; $i <= 12; ++$i) {
            if ($peer->answer(1)[2] & 0x04) {
                $pings[] = $i;
                $peer->send(Peer::frame(0, '', [], self::PONG));
            }
        }
        self::assertSame([6, 11], $pings);
        self::assertSame(0, $peer->answer(1)[2]);
        self::assertSame(0, $peer->stop());
    }

    /** @dataProvider relays */
    public function testEndsAStreamThatNobodyReads(string $relay): void
    {
        $peer = (new Peer('raw.php', $relay, [], ['STEP' => '1']))->greet();
        self::request($peer, 'stream 1000');
        $peer->answer(1);
        $peer->send(Peer::frame(0, '', [], self::STOP));
        for ($count = 0; $peer->answer(1)[2] & 0x01; ++$count) {
            self::assertLessThan(100, $count);
        }
        self::request($peer, 'echo next');
        self::assertSame('next', $peer->answer(2)[1]);
        self::assertSame(0, $peer->stop());
        self::assertStringContainsString('generator ended stopped', $peer->stderr());
    }

    /** @dataProvider relays */
    public function testKeepsRequestsAndCommandsMetInsideAStream(string $relay): void
    {
        $peer = (new Peer('raw.php', $relay, [], ['STEP' => '1']))->greet();
        self::request($peer, 'stream 1000');
        $peer->answer(1);
        $peer->send($peer->rawRequestFrame(0x08, '{}', 'echo kept'));
        $peer->answer(1);
        $peer->send(Peer::frame(0x09, '{"pid":1}'));
        $peer->send(Peer::frame(0, '', [], self::STOP));
        while ($peer->answer(1)[2] & 0x01);
        self::assertSame('kept', $peer->answer(2)[1]);
        self::assertSame('{"pid":' . $peer->pid . '}', $peer->receive()['payload']);
        self::assertSame(0, $peer->stop());
    }

    public function testSkipsALateStopAndPong(): void
    {
        $peer = (new Peer('raw.php'))->greet();
        $peer->send(Peer::frame(0, '', [], self::STOP) . Peer::frame(0, '', [], self::PONG));
        self::request($peer, 'echo on');
        self::assertSame('on', $peer->answer(1)[1]);
    }

    public function testSendsTheContextOfAStreamWithoutChunks(): void
    {
        $peer = (new Peer('raw.php'))->greet();
        self::request($peer, 'stream 0');
        self::assertSame(['head', '', 0, 0], $peer->answer(1));
        self::request($peer, 'list ,a,,b');
        self::assertSame(['head', '', 1, 0], $peer->answer(2));
        self::assertSame(['', 'a', 1, 0], $peer->answer(2));
        self::assertSame(['', 'b', 1, 0], $peer->answer(2));
        self::assertSame(['', '', 0, 0], $peer->answer(2));
    }

    public function testAStreamEndsWhenTheServerIsGone(): void
    {
        $peer = (new Peer('raw.php', 'tcp', [], ['STEP' => '1']))->greet();
        self::request($peer, 'stream 1000');
        $peer->answer(1);
        $peer->hangUp();
        self::assertSame(0, $peer->exitCode());
        self::assertStringContainsString('generator ended stopped', $peer->stderr());
    }
}
