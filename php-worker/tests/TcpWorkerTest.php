<?php

declare(strict_types=1);

namespace Rr\Worker\Tests;

use PHPUnit\Framework\TestCase;

final class TcpWorkerTest extends TestCase
{
    private const UUID = '50a6c1ce-1e83-48c9-9d3e-6f942895400e';

    private function peer(bool $numbered = true, array $environment = []): Peer
    {
        return (new Peer('tcp.php', environment: $environment))->greet($numbered);
    }

    /** An event and, behind it, the control frame that is answered when the event is over. */
    private static function send(
        Peer $peer,
        string $event,
        string $body = '',
        string $server = 'main',
    ): void {
        $context = json_encode(['remote_addr' => '127.0.0.1:40000', 'server' => $server,
            'uuid' => self::UUID, 'event' => $event]);
        $peer->send($peer->rawRequestFrame(0, $context, $body)
            . Peer::frame(0x09, '{"pid":100,"rr":1}'));
    }

    /** @return list<string> each reply as `VERB body`, up to the end of the event */
    private static function replies(Peer $peer): array
    {
        $replies = [];
        while (true) {
            $frame = $peer->receive();
            if ($frame['flags'] & 0x01) {
                self::assertSame($peer->pid, json_decode($frame['payload'], true)['pid']);
                return $replies;
            }
            if ($frame['flags'] & 0x40) {
                $replies[] = 'ERROR ' . strtok($frame['payload'], "\n");
                continue;
            }
            $verb = substr($frame['payload'], 0, $frame['options'][0]);
            $replies[] = ($frame['stream'] & 1 ? '+' : '') . $verb . ' '
                . substr($frame['payload'], $frame['options'][0]);
        }
    }

    private static function ask(Peer $peer, string $event, string $body = '', string $server = 'main'): array
    {
        self::send($peer, $event, $body, $server);
        return self::replies($peer);
    }

    /** @return list<array{bool}> */
    public function bothKinds(): array
    {
        return ['numbered' => [true], 'plain' => [false]];
    }

    /** @dataProvider bothKinds */
    public function testAnswersEachEventAsItsHandlerSays(bool $numbered): void
    {
        $peer = $this->peer($numbered);
        self::assertSame(["WRITE hello from main\r\n"], self::ask($peer, 'CONNECTED'));
        self::assertSame(['WRITE text'], self::ask($peer, 'DATA', 'text'));
        self::assertSame([], self::ask($peer, 'DATA', 'silent'));
        self::assertSame(['WRITE first', 'WRITE second'], self::ask($peer, 'DATA', 'twice'));
        self::assertSame(['WRITECLOSE bye'], self::ask($peer, 'DATA', 'last'));
        self::assertSame(['CLOSE '], self::ask($peer, 'DATA', 'close'));
        self::assertSame(['CONTINUE '], self::ask($peer, 'DATA', 'continue'));
        self::assertSame([], self::ask($peer, 'CLOSE'), 'there is no handler for it');
        self::assertSame([], self::ask($peer, 'SOMETHING'));
        self::assertSame(0, $peer->stop());
        self::assertSame('', $peer->stderr());
    }

    public function testHandsOverEveryField(): void
    {
        $peer = $this->peer();
        $body = "bytes \x00\xff";
        self::send($peer, 'DATA', 'text', 'facts');
        $answer = self::replies($peer);
        self::assertSame(['WRITE ' . json_encode(['DATA', 'facts', self::UUID, '127.0.0.1:40000',
            'text'])], $answer);
        self::assertSame(["WRITE $body"], self::ask($peer, 'DATA', $body));
    }

    public function testAHandlerOfOneServerWinsOverTheOneOfAll(): void
    {
        $peer = $this->peer();
        self::assertSame(['WRITE closure: x'], self::ask($peer, 'DATA', 'x', 'closure'));
        self::assertSame(['WRITE x'], self::ask($peer, 'DATA', 'x', 'other'));
    }

    /** @dataProvider bothKinds */
    public function testAStreamIsSentPieceByPiece(bool $numbered): void
    {
        $peer = $this->peer($numbered);
        // Every piece carries its verb: for UDP each frame stands alone.
        self::assertSame(['+WRITE a', '+WRITE b', '+WRITE c', 'CONTINUE '],
            self::ask($peer, 'DATA', 'stream'));
        self::assertSame(['CONTINUE '], self::ask($peer, 'DATA', 'nothing'));
        self::assertSame(['WRITE next'], self::ask($peer, 'DATA', 'next'));
    }

    /** @dataProvider bothKinds */
    public function testAStreamWhoseClientLeftIsOver(bool $numbered): void
    {
        $peer = $this->peer($numbered);
        self::send($peer, 'DATA', 'endless');
        $peer->receive();
        $peer->send(Peer::frame(0, '', [], 0x02));
        $replies = self::replies($peer);
        self::assertSame('CONTINUE ', end($replies));
        self::assertSame(['WRITE next'], self::ask($peer, 'DATA', 'next'));
        self::assertSame(0, $peer->stop());
        self::assertSame("the generator ended\n", $peer->stderr());
    }

    /** @dataProvider bothKinds */
    public function testAGeneratorThatThrowsEndsItsStreamWithAnError(bool $numbered): void
    {
        $peer = $this->peer($numbered);
        [$piece, $error] = self::ask($peer, 'DATA', 'half');
        self::assertSame('+WRITE half', $piece);
        self::assertStringContainsString('thrown in the middle', $error);
        self::assertSame(['WRITE next'], self::ask($peer, 'DATA', 'next'));
    }

    /** @dataProvider bothKinds */
    public function testTheLoopInOnesOwnHands(bool $numbered): void
    {
        $peer = $this->peer($numbered, ['LOOP' => '1']);
        self::assertSame(['CONTINUE ', "WRITE 220 ready\r\n"], self::ask($peer, 'CONNECTED'));
        self::assertSame([], self::ask($peer, 'DATA', 'silent'));
        self::assertSame(['+WRITE a', '+WRITE b', 'CONTINUE '], self::ask($peer, 'DATA', 'stream'));
        [$error] = self::ask($peer, 'DATA', 'fail');
        self::assertStringStartsWith('ERROR RuntimeException: failed by hand', $error);
        self::assertSame(['WRITECLOSE bye'], self::ask($peer, 'DATA', 'quit'));
        self::assertSame(['CLOSE '], self::ask($peer, 'DATA', 'stranger'));
        self::assertSame([], self::ask($peer, 'CLOSE'));
        self::assertSame(0, $peer->stop());
    }

    public function testAStopBehindAnEventComesAfterItsEnd(): void
    {
        $peer = $this->peer();
        self::send($peer, 'DATA', 'stream');
        self::send($peer, 'CLOSE');
        $peer->send(Peer::frame(0x09, '{"stop":true}'));
        self::assertCount(4, self::replies($peer));
        self::assertSame([], self::replies($peer));
        self::assertNull($peer->next(), 'nothing is sent for a stop');
        self::assertSame(0, $peer->exitCode());
    }

    /** @dataProvider mistakes */
    public function testMistakesInHandlersAreSaid(string $which, string $text): void
    {
        $peer = new Peer('tcp.php', environment: ['MISTAKE' => $which]);
        self::assertSame(0, $peer->exitCode());
        self::assertSame($text, $peer->stderr());
    }

    public function mistakes(): array
    {
        return [
            // RoadRunner's documentation calls it so
            ['event', 'there is no event CLOSED; there are CONNECTED, DATA, CLOSE'],
            ['object', 'no method of ArrayObject carries #[\Rr\Worker\TcpOn]'],
            ['nothing', 'serve() without a handler for any event'],
        ];
    }

    public function testWhatAHandlerThrowsIsAnErrorAndTheWorkerGoesOn(): void
    {
        $peer = $this->peer();
        [$error] = self::ask($peer, 'DATA', 'throw');
        self::assertStringContainsString('thrown by the handler', $error);
        self::assertStringStartsWith('ERROR ', $error);
        self::assertStringContainsString('thrown by the handler', $peer->stderr());
        self::assertSame(['WRITE on'], self::ask($peer, 'DATA', 'on'));
    }

    public function testEventsThatComeTogetherAreAnsweredOneByOne(): void
    {
        $peer = $this->peer();
        for ($i = 0; $i < 50; ++$i) {
            self::send($peer, 'DATA', $i % 3 === 0 ? 'silent' : "n$i");
        }
        for ($i = 0; $i < 50; ++$i) {
            self::assertSame($i % 3 === 0 ? [] : ["WRITE n$i"], self::replies($peer));
        }
    }

    public function testAnExitEndsTheProcessWithoutAnAnswer(): void
    {
        $peer = $this->peer();
        self::send($peer, 'DATA', 'exit');
        self::assertSame(3, $peer->exitCode());
        self::assertNull($peer->next());
    }
}
