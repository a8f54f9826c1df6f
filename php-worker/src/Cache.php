<?php

declare(strict_types=1);

namespace Rr\Worker;

use Psr\SimpleCache\CacheInterface;

// PSR-16's interface where it is installed (psr/simple-cache 1 to 3), none where it is not.
if (interface_exists(CacheInterface::class)) {
    /** @internal */
    interface CacheContract extends CacheInterface
    {
    }
} else {
    /** @internal */
    interface CacheContract
    {
    }
}

/**
 * A storage of the section `kv`, which all clients of the server share; a PSR-16 cache if
 * psr/simple-cache is there.
 *
 *     $cache = new Cache(Rpc::create(), 'sessions');
 *     $cache->set('greeting', ['hello'], ttl: 60);
 *
 * Keys are UTF-8 without `{}()/\@:`. A ttl is seconds or a DateInterval, null: the key stays; what
 * has no time left is deleted. A value that cannot be read any more (another serializer, another
 * key, a class that has gone) is not there, as PSR-16 wants it. Methods with several keys are one
 * call.
 */
final class Cache implements CacheContract
{
    private const LAST = 253402300799; // the year 9999: what ends later does not end

    private Serializer $serializer;

    public function __construct(
        private RpcClient $rpc,
        public readonly string $storage,
        ?Serializer $serializer = null,
    ) {
        $this->serializer = $serializer ?? new PhpSerializer();
    }

    // Parameters have no types: those of psr/simple-cache 1 have none, those of 3 do.

    /** @param string $key */
    public function get($key, $default = null): mixed
    {
        return $this->values([self::key($key)], $default)[$key];
    }

    /**
     * @param string $key
     * @param null|int|\DateInterval $ttl
     */
    public function set($key, $value, $ttl = null): bool
    {
        return $this->store([self::key($key) => $value], $ttl);
    }

    /** @param string $key */
    public function delete($key): bool
    {
        return $this->remove([self::key($key)]);
    }

    public function clear(): bool
    {
        $this->call('kv.Clear', '');
        return true;
    }

    /**
     * One call, made at once; the keys come as they were asked for, '5' as a string.
     *
     * @param iterable<string> $keys
     * @return iterable<string, mixed>
     */
    public function getMultiple($keys, $default = null): iterable
    {
        $keys = self::keys($keys);
        $values = $this->values($keys, $default);
        return (static function () use ($keys, $values): \Generator {
            foreach ($keys as $key) {
                yield $key => $values[$key];
            }
        })();
    }

    /**
     * @param iterable<string, mixed> $values
     * @param null|int|\DateInterval $ttl
     */
    public function setMultiple($values, $ttl = null): bool
    {
        $checked = [];
        foreach (self::list($values) as $key => $value) {
            $checked[self::key($key, true)] = $value;
        }
        return $this->store($checked, $ttl);
    }

    /** @param iterable<string> $keys */
    public function deleteMultiple($keys): bool
    {
        return $this->remove(self::keys($keys));
    }

    /** @param string $key */
    public function has($key): bool
    {
        return $this->call('kv.Has', self::items([self::key($key)])) !== [];
    }

    /** When the key ends; null: never, or it is not there. memcached does not know it. */
    public function getTtl(string $key): ?\DateTimeImmutable
    {
        $text = $this->call('kv.TTL', self::items([self::key($key)]))[$key][3] ?? '';
        return $text === '' ? null : new \DateTimeImmutable($text);
    }

    /**
     * Lets keys end at another time; values stay, keys that are not there are passed over.
     *
     * @param iterable<string> $keys
     */
    public function expire(iterable $keys, int|\DateInterval $ttl): bool
    {
        $keys = self::keys($keys);
        $end = self::end($ttl) ?? throw new CacheArgumentException('an end after the year 9999');
        if ($end === '') {
            return $this->remove($keys);
        }
        $items = '';
        foreach ($keys as $key) {
            $items .= Protobuf::message(2, Protobuf::text(1, $key) . Protobuf::text(3, $end));
        }
        $keys === [] || $this->call('kv.MExpire', $items);
        return true;
    }

    /** @param list<string> $keys */
    private function values(array $keys, mixed $default): array
    {
        $values = array_fill_keys($keys, $default);
        if ($keys === []) {
            return $values;
        }
        foreach ($this->call('kv.MGet', self::items($keys)) as $key => $item) {
            try {
                $values[$key] = $this->serializer->unserialize($item[2] ?? '');
            } catch (\Throwable) {
                // Not there, says PSR-16; a TypeError if a property has got another type.
            }
        }
        return $values;
    }

    /** @param array<string, mixed> $values */
    private function store(array $values, mixed $ttl): bool
    {
        $end = self::end($ttl);
        if ($end === '') {
            return $this->remove(array_map('strval', array_keys($values)));
        }
        $items = '';
        foreach ($values as $key => $value) {
            try {
                $bytes = $this->serializer->serialize($value);
            } catch (\Exception $error) {
                throw new CacheException("the value of $key: {$error->getMessage()}", 0, $error);
            }
            $items .= Protobuf::message(2, Protobuf::text(1, (string) $key)
                . Protobuf::text(2, $bytes) . Protobuf::text(3, (string) $end));
        }
        $values === [] || $this->call('kv.Set', $items);
        return true;
    }

    /** @param list<string> $keys */
    private function remove(array $keys): bool
    {
        $keys === [] || $this->call('kv.Delete', self::items($keys));
        return true;
    }

    /** @return array<string, array<int, string>> key to the fields of its item */
    private function call(string $method, string $items): array
    {
        try {
            $answer = $this->rpc->callRaw($method, Protobuf::text(1, $this->storage) . $items,
                Frame::PROTO);
        } catch (ServiceException | RelayException $error) {
            throw new CacheException($error->getMessage(), 0, $error);
        }
        $found = [];
        foreach (Protobuf::fields($answer) as [$number, $bytes]) {
            if ($number === 1) {
                $item = array_column(Protobuf::fields((string) $bytes), 1, 0);
                $found[$item[1] ?? ''] = $item;
            }
        }
        return $found;
    }

    /** @param list<string> $keys */
    private static function items(array $keys): string
    {
        $items = '';
        foreach ($keys as $key) {
            $items .= Protobuf::message(2, Protobuf::text(1, $key));
        }
        return $items;
    }

    /** @return list<string> */
    private static function keys(mixed $keys): array
    {
        $checked = [];
        foreach (self::list($keys) as $key) {
            $checked[] = self::key($key);
        }
        return $checked;
    }

    private static function list(mixed $list): iterable
    {
        return is_iterable($list) ? $list : throw new CacheArgumentException(
            'cache keys: an array or a Traversable is expected, not ' . get_debug_type($list));
    }

    /** @param bool $ofArray PHP makes a number of an array's key '5' */
    private static function key(mixed $key, bool $ofArray = false): string
    {
        if (!\is_string($key) && !($ofArray && \is_int($key))) {
            throw new CacheArgumentException(
                'cache key: a string is expected, not ' . get_debug_type($key));
        }
        $key = (string) $key;
        if (!preg_match('~^(?=.*\S)[^{}()/\\\\@:]+$~usD', $key)) {
            throw new CacheArgumentException("cache key '$key': expected is UTF-8, not empty, "
                . 'without any of {}()/\@:');
        }
        return $key;
    }

    /** Null: never; '': it is over; else RFC 3339. */
    private static function end(mixed $ttl): ?string
    {
        if ($ttl === null) {
            return null;
        }
        $now = new \DateTimeImmutable('now', new \DateTimeZone('UTC'));
        if (\is_int($ttl)) {
            if ($ttl <= 0) {
                return '';
            }
            if ($ttl > self::LAST - $now->getTimestamp()) {
                return null;
            }
            $ttl = new \DateInterval("PT{$ttl}S");
        } elseif (!$ttl instanceof \DateInterval) {
            throw new CacheArgumentException('cache ttl: null, an int or a DateInterval is'
                . ' expected, not ' . get_debug_type($ttl));
        }
        $end = $now->add($ttl);
        if ($end <= $now) {
            return '';
        }
        return $end->getTimestamp() > self::LAST ? null : $end->format(\DATE_RFC3339_EXTENDED);
    }
}
