<?php

declare(strict_types=1);

namespace Rr\Worker\Tests;

use PHPUnit\Framework\TestCase;
use Rr\Worker\Frame;
use Rr\Worker\Lock;
use Rr\Worker\LockException;
use Rr\Worker\Protobuf;
use Rr\Worker\ServiceException;
use Rr\Worker\TimeoutException;

/** Lock against the real server. */
final class LockTest extends TestCase
{
    private static ?Server $server = null;
    private Lock $lock;
    private string $name;

    public static function setUpBeforeClass(): void
    {
        self::$server = new Server();
    }

    public static function tearDownAfterClass(): void
    {
        self::$server = null;
    }

    protected function setUp(): void
    {
        $this->lock = new Lock(self::$server->client());
        $this->name = 'lock of ' . $this->getName();
    }

    private static function request(string $name, string $id, float $wait): string
    {
        return Protobuf::text(1, $name) . Protobuf::text(2, $id)
            . Protobuf::number(4, (int) ($wait * 1e6));
    }

    public function testOneHolderKeepsOthersOut(): void
    {
        self::assertFalse($this->lock->exists($this->name));
        $id = $this->lock->lock($this->name);
        self::assertSame(32, \strlen($id));
        self::assertNull($this->lock->lock($this->name));
        self::assertNull($this->lock->lock($this->name, $id), 'the same id, too');
        self::assertNull($this->lock->lockRead($this->name));
        self::assertTrue($this->lock->exists($this->name));
        self::assertTrue($this->lock->exists($this->name, $id));
        self::assertFalse($this->lock->exists($this->name, 'other'));
        self::assertFalse($this->lock->release($this->name, 'other'));
        self::assertTrue($this->lock->release($this->name, $id));
        self::assertFalse($this->lock->release($this->name, $id));
        self::assertSame('mine', $this->lock->lock($this->name, 'mine'));
    }

    public function testReadersShareIt(): void
    {
        self::assertSame('a', $this->lock->lockRead($this->name, 'a'));
        self::assertSame('b', $this->lock->lockRead($this->name, 'b'));
        self::assertNull($this->lock->lock($this->name, 'c'));
        self::assertTrue($this->lock->release($this->name, 'a'));
        self::assertTrue($this->lock->release($this->name, 'b'));
        self::assertSame('c', $this->lock->lock($this->name, 'c'));
    }

    public function testItEndsWithItsTtl(): void
    {
        self::assertNotNull($this->lock->lock($this->name, ttl: 0.05));
        $began = hrtime(true);
        self::assertNotNull($this->lock->lock($this->name, wait: 10));
        self::assertLessThan(9, (hrtime(true) - $began) / 1e9);
    }

    public function testTheTtlCanBeChanged(): void
    {
        $id = $this->lock->lock($this->name, ttl: 3600);
        self::assertTrue($this->lock->updateTtl($this->name, $id, 0.05));
        self::assertNotNull($this->lock->lock($this->name, wait: 10));
        self::assertFalse($this->lock->updateTtl($this->name, 'other', 1));
    }

    public function testItCanBeTakenFromItsHolders(): void
    {
        self::assertFalse($this->lock->forceRelease($this->name));
        $this->lock->lock($this->name, 'a');
        self::assertTrue($this->lock->forceRelease($this->name));
        self::assertFalse($this->lock->exists($this->name, 'a'));
    }

    public function testWorkIsDoneWhileItIsHeld(): void
    {
        $result = $this->lock->with($this->name, function (): string {
            self::assertTrue($this->lock->exists($this->name));
            return 'done';
        });
        self::assertSame('done', $result);
        try {
            $this->lock->with($this->name, fn () => throw new \DomainException('on purpose'));
        } catch (\DomainException) {
        }
        self::assertFalse($this->lock->exists($this->name));
        $this->lock->lock($this->name);
        $this->expectException(LockException::class);
        $this->lock->with($this->name, fn () => self::fail('not to be run'), wait: 0.01);
    }

    public function testAWaitHoldsUpNoOtherCall(): void
    {
        $this->lock->lock($this->name, 'first');
        $pool = self::$server->pool(1); // all on one connection
        $wait = $pool->callRawAsync('lock.Lock', self::request($this->name, 'second', 60),
            Frame::PROTO);
        for ($i = 0; $i < 20; ++$i) {
            self::assertIsString($pool->call('rpc.Version'));
        }
        self::assertFalse($pool->hasResponse($wait));
        self::assertTrue((new Lock($pool))->release($this->name, 'first'));
        self::assertSame("\x08\x01", $pool->getResponse($wait));
        self::assertTrue($this->lock->exists($this->name, 'second'));
    }

    public function testFiftyConnectionsWaitForOneLock(): void
    {
        $this->lock->lock($this->name, 'first');
        $pool = self::$server->pool(50);
        $waits = [];
        for ($i = 0; $i < 50; ++$i) {
            $waits[$pool->callRawAsync('lock.Lock', self::request($this->name, "id$i", 60),
                Frame::PROTO)] = "id$i";
        }
        // None has an answer, so each has its own connection.
        self::assertGreaterThanOrEqual(50, self::$server->connections());
        $this->lock->release($this->name, 'first');
        $holders = [];
        foreach ($pool->getResponses(array_keys($waits)) as $wait => $answer) {
            self::assertSame("\x08\x01", $answer);
            $holders[] = $waits[$wait];
            self::assertTrue($this->lock->release($this->name, $waits[$wait]));
        }
        sort($holders);
        self::assertCount(50, array_unique($holders));
    }

    public function testACallGivesUpAfterItsTimeAndTheWait(): void
    {
        $this->lock->lock($this->name, 'first');
        $impatient = self::$server->client(0.05);
        // The wait is added to the client's own time: the server answers first.
        self::assertNull((new Lock($impatient))->lock($this->name, wait: 0.2));
        $this->expectException(TimeoutException::class);
        $this->expectExceptionMessage('lock.Lock: no answer from the server in time');
        $impatient->callRaw('lock.Lock', self::request($this->name, 'x', 30), Frame::PROTO);
    }

    public function testAnEmptyIdIsTheServersError(): void
    {
        $this->expectException(ServiceException::class);
        $this->expectExceptionMessage('empty ID is not allowed');
        $this->lock->lock($this->name, '');
    }

    public function testNegativeTimesAreRefused(): void
    {
        $this->expectException(\InvalidArgumentException::class);
        $this->lock->lock($this->name, ttl: -1);
    }
}
