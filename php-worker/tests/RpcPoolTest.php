<?php

declare(strict_types=1);

namespace Rr\Worker\Tests;

use PHPUnit\Framework\TestCase;
use Rr\Worker\RelayException;
use Rr\Worker\ServiceException;

/** RpcPool against the real server. */
final class RpcPoolTest extends TestCase
{
    private static ?Server $server = null;

    public static function setUpBeforeClass(): void
    {
        self::$server = new Server();
    }

    public static function tearDownAfterClass(): void
    {
        self::$server = null;
    }

    public function testAThousandCallsOnFiftyConnections(): void
    {
        $pool = self::$server->pool(50);
        $calls = [];
        for ($i = 0; $i < 1000; ++$i) {
            $calls[$pool->callAsync('no.Such' . $i)] = $i;
        }
        self::assertGreaterThan(1, self::$server->connections());
        foreach (array_reverse($calls, true) as $call => $i) {
            try {
                $pool->getResponse($call);
                self::fail('an exception is expected');
            } catch (ServiceException $error) {
                self::assertSame('no.Such' . $i, $error->method);
                self::assertSame("rpc: can't find service no.Such$i", $error->text);
            }
        }
        $pool->close();
    }

    public function testAnswersComeAsTheyAreReady(): void
    {
        $pool = self::$server->pool(5);
        $calls = [];
        for ($i = 0; $i < 100; ++$i) {
            $calls[] = $pool->callAsync('rpc.Version');
        }
        $seen = [];
        foreach ($pool->getResponses($calls) as $call => $version) {
            self::assertIsString($version);
            $seen[] = $call;
        }
        sort($seen);
        self::assertSame($calls, $seen);
    }

    public function testAnAnswerIsThereOnce(): void
    {
        $pool = self::$server->pool(2);
        $call = $pool->callAsync('rpc.Version');
        $other = $pool->callRawAsync('rpc.Config');
        self::assertStringStartsWith('{"http"', $pool->getResponse($other));
        self::assertTrue($pool->hasResponse($call) || $pool->getResponse($call) !== '');
        $pool->forget($call);
        $this->expectException(\LogicException::class);
        $pool->getResponse($call);
    }

    public function testAnswersNobodyWantsAreDropped(): void
    {
        $pool = self::$server->pool(1);
        for ($i = 0; $i < 5000; ++$i) {
            $pool->callIgnoreResponse($i % 2 ? 'rpc.Version' : 'no.Such');
        }
        self::assertIsString($pool->call('rpc.Version'));
    }

    public function testWhenTheServerGoesItsCallsFailAndLaterOnesDoNot(): void
    {
        $server = new Server('unix');
        $pool = $server->pool(3);
        self::assertIsString($pool->call('rpc.Version'));
        $server->stop(9);
        try {
            $call = $pool->callAsync('rpc.Version');
            $pool->getResponse($call);
            self::fail('an exception is expected');
        } catch (RelayException $error) {
            self::assertNotSame('', $error->getMessage());
        }
        $server->start();
        self::assertIsString($pool->call('rpc.Version'));
    }

    public function testAPoolOfNothingIsRefused(): void
    {
        $this->expectException(\InvalidArgumentException::class);
        self::$server->pool(0);
    }
}
