<?php

declare(strict_types=1);

namespace Rr\Worker\Tests;

use PHPUnit\Framework\TestCase;
use Rr\Worker\Cache;
use Rr\Worker\CacheArgumentException;
use Rr\Worker\CacheException;
use Rr\Worker\IgbinarySerializer;
use Rr\Worker\PhpSerializer;
use Rr\Worker\Rpc;
use Rr\Worker\Serializer;
use Rr\Worker\ServiceException;
use Rr\Worker\SodiumSerializer;

/** Cache against the real server, by the rules of PSR-16: in memory and in a file. */
final class CacheTest extends TestCase
{
    private const KEY = 'AZaz09_.AZaz09_.AZaz09_.AZaz09_.AZaz09_.AZaz09_.AZaz09_.AZaz09_.';

    private static ?Server $server = null;

    public static function setUpBeforeClass(): void
    {
        self::$server = new Server('tcp', <<<YAML
            kv:
              memory: {driver: memory, config: {}}
              boltdb: {driver: boltdb, config: {file: kv.db}}

            YAML);
    }

    public static function tearDownAfterClass(): void
    {
        self::$server = null;
    }

    public static function storages(): array
    {
        return ['memory' => ['memory'], 'boltdb' => ['boltdb']];
    }

    /** An empty one. */
    private static function cache(string $storage, ?Serializer $serializer = null): Cache
    {
        $cache = new Cache(self::$server->client(), $storage, $serializer);
        $cache->clear();
        return $cache;
    }

    private static function list(iterable $values): array
    {
        return iterator_to_array($values);
    }

    private static function soon(callable $is): void
    {
        $until = hrtime(true) + 20e9;
        while (!$is()) {
            self::assertLessThan($until, hrtime(true), 'it did not happen');
            usleep(5000);
        }
    }

    /** @dataProvider storages */
    public function testWhatWasSetIsThere(string $storage): void
    {
        $cache = self::cache($storage);
        self::assertFalse($cache->has('key'));
        self::assertNull($cache->get('key'));
        self::assertSame('default', $cache->get('key', 'default'));
        self::assertTrue($cache->set('key', 'value'));
        self::assertTrue($cache->has('key'));
        self::assertSame('value', $cache->get('key', 'default'));
        self::assertTrue($cache->set('key', 'other'));
        self::assertSame('other', $cache->get('key'));
        self::assertTrue($cache->delete('key'));
        self::assertTrue($cache->delete('key'), 'what is not there is deleted as well');
        self::assertFalse($cache->has('key'));
    }

    /** @dataProvider storages */
    public function testClearTakesAllKeys(string $storage): void
    {
        $cache = self::cache($storage);
        $cache->setMultiple(['a' => 1, 'b' => 2]);
        self::assertTrue($cache->clear());
        self::assertTrue($cache->clear(), 'an empty one, too');
        self::assertSame(['a' => null, 'b' => null], self::list($cache->getMultiple(['a', 'b'])));
    }

    /** @dataProvider storages */
    public function testSeveralKeys(string $storage): void
    {
        $cache = self::cache($storage);
        self::assertTrue($cache->setMultiple(['a' => 1, 'b' => null, '7' => 'seven']));
        self::assertSame(['b' => null, 'none' => 'x', '7' => 'seven', 'a' => 1],
            self::list($cache->getMultiple(['b', 'none', '7', 'a'], 'x')));
        self::assertTrue($cache->has('b'), 'null is a value');
        self::assertTrue($cache->deleteMultiple(['a', 'none']));
        self::assertSame(['a' => null, '7' => 'seven'],
            self::list($cache->getMultiple(['a', '7'])));
        self::assertSame([], self::list($cache->getMultiple([])));
        self::assertTrue($cache->setMultiple([]) && $cache->deleteMultiple([]));
    }

    /** @dataProvider storages */
    public function testSeveralKeysOfGenerators(string $storage): void
    {
        $cache = self::cache($storage);
        $of = static fn (iterable $list) => (static fn () => yield from $list)();
        self::assertTrue($cache->setMultiple($of(['a' => 1, 'b' => 2])));
        self::assertSame(['a' => 1, 'b' => 2], self::list($cache->getMultiple($of(['a', 'b']))));
        self::assertTrue($cache->deleteMultiple($of(['a'])));
        self::assertSame(['a' => null, 'b' => 2], self::list($cache->getMultiple(['a', 'b'])));
    }

    /** @dataProvider storages */
    public function testAKeyEndsWithItsTtl(string $storage): void
    {
        $cache = self::cache($storage);
        self::assertTrue($cache->set('second', 1, 1));
        self::assertSame(1, $cache->get('second'), 'a second is not over at once');
        self::assertTrue($cache->setMultiple(['a' => 1, 'b' => 2], new \DateInterval('PT1S')));
        self::assertTrue($cache->set('hour', 1, 3600));
        self::assertTrue($cache->set('endless', 1));
        self::soon(static fn () => !$cache->has('second') && !$cache->has('a'));
        self::assertSame(['second' => null, 'a' => null, 'hour' => 1, 'endless' => 1],
            self::list($cache->getMultiple(['second', 'a', 'hour', 'endless'])));
    }

    /** @dataProvider storages */
    public function testATtlThatIsOverDeletes(string $storage): void
    {
        $cache = self::cache($storage);
        foreach ([0, -1, new \DateInterval('PT0S'),
            \DateInterval::createFromDateString('-1 day')] as $ttl) {
            $cache->setMultiple(['a' => 1, 'b' => 2, '7' => 3]);
            self::assertTrue($cache->set('a', 'new', $ttl));
            self::assertTrue($cache->setMultiple(['b' => 'new', '7' => 'new'], $ttl));
            self::assertSame(['a' => null, 'b' => null, '7' => null],
                self::list($cache->getMultiple(['a', 'b', '7'])));
        }
    }

    /** @dataProvider storages */
    public function testASetWithoutTtlEndsAnEarlierOne(string $storage): void
    {
        $cache = self::cache($storage);
        $cache->set('a', 1, 3600);
        self::assertNotNull($cache->getTtl('a'));
        $cache->set('a', 1);
        self::assertNull($cache->getTtl('a'));
    }

    /** @dataProvider storages */
    public function testEndsCanBeReadAndChanged(string $storage): void
    {
        $cache = self::cache($storage);
        $now = time();
        $cache->setMultiple(['a' => 1, 'b' => 2]);
        $cache->set('far', 1, PHP_INT_MAX);
        self::assertSame([null, null, null],
            [$cache->getTtl('a'), $cache->getTtl('none'), $cache->getTtl('far')]);
        self::assertSame(1, $cache->get('far'));
        self::assertTrue($cache->expire(['a', 'none'], 3600));
        $left = $cache->getTtl('a')->getTimestamp() - $now;
        self::assertGreaterThanOrEqual(3600, $left);
        self::assertLessThanOrEqual(3600 + time() - $now + 1, $left);
        self::assertSame([1, null], [$cache->get('a'), $cache->get('none')]);
        self::assertTrue($cache->expire(['b'], 0));
        self::assertFalse($cache->has('b'));
        self::assertTrue($cache->expire([], 5));
    }

    /** @dataProvider storages */
    public function testKeys(string $storage): void
    {
        $cache = self::cache($storage);
        foreach ([self::KEY, '0', 'ä ö', 'a-b|c"d'] as $key) {
            self::assertTrue($cache->set($key, $key));
            self::assertSame($key, $cache->get($key));
            self::assertTrue($cache->has($key));
            self::assertTrue($cache->delete($key));
            self::assertFalse($cache->has($key));
        }
    }

    public static function wrongKeys(): array
    {
        $keys = ['', ' ', '{a', 'a}', 'a(', 'a)', 'a/b', 'a\\b', 'a@b', 'a:b', "\xff",
            true, false, null, 2.5, ['a'], new \stdClass()];
        return array_map(static fn ($key) => [$key], $keys);
    }

    /** @dataProvider wrongKeys */
    public function testWrongKeysAreRefused(mixed $key): void
    {
        $cache = self::cache('memory');
        $cache->set('good', 1);
        $calls = [fn () => $cache->get($key), fn () => $cache->set($key, 1),
            fn () => $cache->delete($key), fn () => $cache->has($key),
            fn () => $cache->getMultiple(['good', $key]),
            fn () => $cache->deleteMultiple(['good', $key]),
            fn () => $cache->setMultiple((static function () use ($key) {
                yield 'good' => 2;
                yield $key => 2;
            })())];
        foreach ($calls as $number => $call) {
            try {
                $call();
                self::fail("an exception is expected of call $number");
            } catch (CacheArgumentException $error) {
                self::assertStringStartsWith('cache key', $error->getMessage());
            }
        }
        self::assertSame(1, $cache->get('good'), 'nothing has changed');
    }

    public function testANumberIsAKeyOfAnArrayOnly(): void
    {
        $cache = self::cache('memory');
        $cache->setMultiple([5 => 'v']); // as PHP has it of '5'
        foreach ($cache->getMultiple(['5']) as $key => $value) {
            self::assertSame(['5', 'v'], [$key, $value]);
        }
        foreach ([fn () => $cache->get(5), fn () => $cache->getMultiple([5])] as $call) {
            try {
                $call();
                self::fail('an exception is expected');
            } catch (CacheArgumentException $error) {
                self::assertSame('cache key: a string is expected, not int', $error->getMessage());
            }
        }
    }

    public function testListsMustBeLists(): void
    {
        $cache = self::cache('memory');
        foreach (['getMultiple', 'setMultiple', 'deleteMultiple'] as $method) {
            try {
                $cache->$method('a');
                self::fail('an exception is expected');
            } catch (CacheArgumentException $error) {
                self::assertSame('cache keys: an array or a Traversable is expected, not string',
                    $error->getMessage());
            }
        }
    }

    public function testWrongTtlsAreRefused(): void
    {
        $cache = self::cache('memory');
        foreach (['', '1', true, 2.5, new \stdClass(), [1]] as $ttl) {
            foreach (['set' => ['a', 1], 'setMultiple' => [['a' => 1]]] as $method => $with) {
                try {
                    $cache->$method(...$with, ttl: $ttl);
                    self::fail('an exception is expected');
                } catch (CacheArgumentException $error) {
                    self::assertStringStartsWith('cache ttl: ', $error->getMessage());
                }
            }
        }
        self::assertFalse($cache->has('a'));
    }

    public static function serializers(): array
    {
        $all = ['php' => new PhpSerializer()];
        if (\extension_loaded('igbinary')) {
            $all['igbinary'] = new IgbinarySerializer();
        }
        if (\extension_loaded('sodium')) {
            foreach ($all as $name => $inner) {
                $all["sodium, $name"] = new SodiumSerializer($inner, sodium_crypto_box_keypair());
            }
        }
        $rows = [];
        foreach ($all as $name => $serializer) {
            foreach (array_keys(self::storages()) as $storage) {
                $rows["$name, $storage"] = [$storage, $serializer];
            }
        }
        return $rows;
    }

    /** @dataProvider serializers */
    public function testValuesComeBackAsTheyWere(string $storage, Serializer $serializer): void
    {
        $cache = self::cache($storage, $serializer);
        $values = ['null' => null, 'true' => true, 'false' => false, 'int' => PHP_INT_MIN,
            'float' => 0.1, 'infinite' => -INF, 'empty' => '', 'text' => 'äöü',
            'bytes' => implode(array_map('chr', range(0, 255))), 'list' => [1, [2], []],
            'map' => ['a' => ['b' => null], 5 => 'five'], 'large' => str_repeat("\0x", 500_000)];
        self::assertTrue($cache->setMultiple($values));
        self::assertSame($values, self::list($cache->getMultiple(array_keys($values), 'default')));
        self::assertFalse($cache->get('false', 'default'), 'false is no miss');
        $object = new \ArrayObject(['a' => new \DateTimeImmutable('2026-01-02')]);
        $cache->set('object', $object);
        $object['a'] = 'changed later';
        self::assertEquals(new \ArrayObject(['a' => new \DateTimeImmutable('2026-01-02')]),
            $cache->get('object'));
    }

    /** @dataProvider serializers */
    public function testWhatCannotBeReadIsNotThere(string $storage, Serializer $serializer): void
    {
        $raw = new class implements Serializer {
            public function serialize(mixed $value): string
            {
                return $value;
            }

            public function unserialize(string $bytes): mixed
            {
                return $bytes;
            }
        };
        self::cache($storage, $raw)->setMultiple(
            ['a' => 'rubbish', 'b' => '', 'c' => 's:100:"cut']);
        $cache = new Cache(self::$server->client(), $storage, $serializer);
        $cache->set('good', 1);
        self::assertSame(['a' => 'x', 'b' => 'x', 'c' => 'x', 'good' => 1],
            self::list($cache->getMultiple(['a', 'b', 'c', 'good'], 'x')));
    }

    public function testAnObjectWithoutItsClassIsNotThere(): void
    {
        $bytes = serialize([new class1ForTest()]);
        $this->expectException(\UnexpectedValueException::class);
        $this->expectExceptionMessage('there is no class Rr\Worker\Tests\class2ForTest');
        (new PhpSerializer())->unserialize(str_replace('class1', 'class2', $bytes));
    }

    public function testTheHandlersOfTheApplicationStay(): void
    {
        $seen = [];
        set_error_handler(static function (int $level, string $text) use (&$seen): bool {
            $seen[] = $text;
            return true;
        });
        $function = ini_set('unserialize_callback_func', 'their_own');
        try {
            (new PhpSerializer())->unserialize('rubbish');
            self::fail('an exception is expected');
        } catch (\UnexpectedValueException) {
        } finally {
            trigger_error('still there', E_USER_NOTICE);
            restore_error_handler();
            self::assertSame('their_own', ini_set('unserialize_callback_func', (string) $function));
        }
        self::assertSame(['still there'], $seen);
    }

    /** @requires extension sodium */
    public function testEncryptedValuesNeedTheKey(): void
    {
        $key = sodium_crypto_box_keypair();
        $cache = self::cache('memory', new SodiumSerializer(new PhpSerializer(), $key));
        $cache->set('a', 'secret');
        $same = new SodiumSerializer(new PhpSerializer(), $key);
        $other = new SodiumSerializer(new PhpSerializer(), sodium_crypto_box_keypair());
        $rpc = self::$server->client();
        foreach ([[$same, 'secret'], [$other, 'miss'], [null, 'miss']] as [$serializer, $value]) {
            $reader = new Cache($rpc, 'memory', $serializer);
            self::assertSame($value, $reader->get('a', 'miss'));
        }
        // Sealed boxes over PHP's format: those of spiral/roadrunner-kv.
        self::assertSame('s:1:"a";', sodium_crypto_box_seal_open($same->serialize('a'), $key));
        $this->expectException(\InvalidArgumentException::class);
        new SodiumSerializer(new PhpSerializer(), 'too short');
    }

    public function testWhatHasNoBytesIsRefused(): void
    {
        $cache = self::cache('memory');
        try {
            $cache->setMultiple(['a' => 1, 'b' => fn () => 1]);
            self::fail('an exception is expected');
        } catch (CacheException $error) {
            self::assertStringStartsWith('the value of b: ', $error->getMessage());
        }
        self::assertFalse($cache->has('a'));
    }

    public function testTheServersErrors(): void
    {
        try {
            (new Cache(self::$server->client(), 'nowhere'))->get('a');
            self::fail('an exception is expected');
        } catch (CacheException $error) {
            self::assertSame('kv.MGet: rpc_mget: no such storage: nowhere', $error->getMessage());
            self::assertInstanceOf(ServiceException::class, $error->getPrevious());
        }
        $this->expectException(CacheException::class);
        (new Cache(Rpc::create('unix:///nobody/here', 0.01), 'memory'))->get('a');
    }

    public function testAFileOutlivesTheServer(): void
    {
        $server = new Server('unix', "kv: {a: {driver: boltdb, config: {file: kv.db}}}\n");
        $cache = new Cache($server->client(), 'a');
        $cache->set('endless', 1);
        $cache->set('hour', 2, 3600);
        $end = $cache->getTtl('hour');
        $server->stop();
        $server->start();
        self::assertSame(['endless' => 1, 'hour' => 2],
            self::list($cache->getMultiple(['endless', 'hour'])));
        self::assertEquals($end, $cache->getTtl('hour'));
    }

    public static function interfaces(): array
    {
        $get = 'get(string $key, mixed $default = null)';
        $set = 'set(string $key, mixed $value, null|int|\DateInterval $ttl = null)';
        $many = 'getMultiple(iterable $keys, mixed $default = null)';
        return [
            1 => ['', 'get($key, $default = null)', 'set($key, $value, $ttl = null)',
                'getMultiple($keys, $default = null)', '', ''],
            2 => ['extends \Throwable', $get, $set, $many, '', ''],
            3 => ['extends \Throwable', "$get: mixed", "$set: bool", "$many: iterable", 'string ',
                ': bool'],
        ];
    }

    /** @dataProvider interfaces */
    public function testItIsAPsrCacheWherePsrSimpleCacheIs(
        string $throwable,
        string $get,
        string $set,
        string $many,
        string $string,
        string $bool,
    ): void {
        $psr = "namespace Psr\\SimpleCache; interface CacheException $throwable {}"
            . 'interface InvalidArgumentException extends CacheException {}'
            . "interface CacheInterface { public function $get; public function $set;"
            . " public function $many; public function has({$string}\$key)$bool; public function clear()$bool; }";
        $load = 'require "' . \dirname(__DIR__) . '/autoload.php";';
        $is = '$rpc = \Rr\Worker\Rpc::create("unix:///nobody/here", 0.01);'
            . '$cache = new \Rr\Worker\Cache($rpc, "a");'
            . 'echo $cache instanceof CacheInterface ? "yes" : "no";'
            . 'try { $cache->get("{"); } catch (InvalidArgumentException) { echo " key"; }'
            . 'try { $cache->get("a"); } catch (CacheException) { echo " server"; }';
        self::assertSame('yes key server', shell_exec(escapeshellarg(PHP_BINARY) . ' -r '
            . escapeshellarg("$psr $load $is")));
    }
}

final class class1ForTest
{
}
