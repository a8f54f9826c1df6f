<?php
// The official package kv, unmodified: official_kv.php ADDRESS STORAGE DRIVER. What its own tests expect
// of a scripted server, asked of ours. RR_SDK_KV_AUTOLOAD names its autoload file. Prints `ok` or what
// was not as expected.

use Spiral\Goridge\RPC\RPC;
use Spiral\RoadRunner\KeyValue\Exception\InvalidArgumentException;
use Spiral\RoadRunner\KeyValue\Exception\KeyValueException;
use Spiral\RoadRunner\KeyValue\Exception\NotImplementedException;
use Spiral\RoadRunner\KeyValue\Exception\SerializationException;
use Spiral\RoadRunner\KeyValue\Exception\StorageException;
use Spiral\RoadRunner\KeyValue\Factory;
use Spiral\RoadRunner\KeyValue\Serializer\DefaultSerializer;
use Spiral\RoadRunner\KeyValue\Serializer\IgbinarySerializer;
use Spiral\RoadRunner\KeyValue\Serializer\SodiumSerializer;

error_reporting(E_ALL & ~E_DEPRECATED); // of the package's version 2
set_error_handler(static function (int $level, string $text, string $file, int $line): bool {
    if ((error_reporting() & $level) === 0) {
        return false;
    }
    throw new ErrorException($text, 0, $level, $file, $line);
});
require getenv('RR_SDK_KV_AUTOLOAD');

function same(mixed $expected, mixed $actual, string $what): void
{
    if ($expected !== $actual) {
        echo $what, ': ', var_export($actual, true), ' instead of ', var_export($expected, true), "\n";
        exit(1);
    }
}

function fails(string $class, string $text, callable $work, string $what): void
{
    try {
        $result = $work();
        $result instanceof Traversable && iterator_to_array($result);
    } catch (Throwable $error) {
        same($class, get_class($error), "$what: {$error->getMessage()}");
        same(true, str_contains($error->getMessage(), $text), "$what: {$error->getMessage()}");
        return;
    }
    same('an exception', null, $what);
}

function soon(callable $is, string $what): void
{
    for ($i = 0; $i < 1000 && !$is(); ++$i) {
        usleep(10000);
    }
    same(true, $is(), $what);
}

[, $address, $storage, $driver] = $argv;
$factory = new Factory(RPC::create($address));
$plain = $factory->select($storage);
same($storage, $plain->getName(), 'getName');
same(true, $plain->clear(), 'clear');

$serializers = ['php' => new DefaultSerializer()];
if (extension_loaded('igbinary')) {
    $serializers['igbinary'] = new IgbinarySerializer();
}
if (extension_loaded('sodium')) {
    foreach ($serializers as $name => $serializer) {
        $serializers["sodium through $name"] =
            new SodiumSerializer($serializer, sodium_crypto_box_keypair());
    }
}
$values = ['null' => null, 'int' => 0xDEAD_BEEF, 'zero' => 0, 'true' => true, 'false' => false,
    'float' => 1.5, 'infinite' => INF, 'empty' => '', 'text' => 'äöü', 'bytes' => "\0\xff\x80" . random_bytes(64),
    'list' => [1, 'a', [true]], 'map' => ['a' => ['b' => null]], 'large' => str_repeat('x', 500_000)];

foreach ($serializers as $name => $serializer) {
    $cache = $plain->withSerializer($serializer);
    same(true, $cache->clear(), "$name: clear");
    foreach ($values as $key => $value) {
        same(false, $cache->has($key), "$name: has $key, before");
        same(null, $cache->get($key), "$name: get $key, before");
        same('default', $cache->get($key, 'default'), "$name: get $key with a default");
        same(true, $cache->set($key, $value), "$name: set $key");
        same(true, $cache->has($key), "$name: has $key");
        same($value, $cache->get($key, 'default'), "$name: get $key");
    }
    same($values, iterator_to_array($cache->getMultiple(array_keys($values))), "$name: getMultiple");
    $object = new ArrayObject(['a' => 1]);
    same(true, $cache->set('object', $object), "$name: set an object");
    same(true, $object == $cache->get('object'), "$name: get an object");

    same(true, $cache->setMultiple(['key' => $name, 'key2' => [$name]]), "$name: setMultiple");
    same(['key' => $name, 'none' => null, 'key2' => [$name], 'none2' => null],
        iterator_to_array($cache->getMultiple(['key', 'none', 'key2', 'none2'])),
        "$name: getMultiple, some missing");
    same(['none' => 7], iterator_to_array($cache->getMultiple(['none'], 7)), "$name: its default");
    same(true, $cache->delete('key'), "$name: delete");
    same(true, $cache->delete('key'), "$name: delete again");
    same(false, $cache->has('key'), "$name: has what was deleted");
    same(true, $cache->deleteMultiple(['key2', 'none', 'text']), "$name: deleteMultiple");
    same(['key2' => null, 'text' => null, 'zero' => 0],
        iterator_to_array($cache->getMultiple(['key2', 'text', 'zero'])), "$name: what is left");
    same(true, $cache->clear(), "$name: clear");
    same(false, $cache->has('zero'), "$name: has after clear");
}

// Iterables that are no arrays.
same(true, $plain->setMultiple((fn () => yield from ['g1' => 1, 'g2' => 2])()), 'a generator');
same([1, 2], [$plain->get('g1'), $plain->get('g2')], 'what the generator gave');
same([], iterator_to_array($plain->getMultiple([])), 'no keys');
same(true, $plain->deleteMultiple([]) && $plain->setMultiple([]), 'no items');

// Times. The package writes whole seconds.
$now = time();
same(true, $plain->set('hour', 'v', 3600), 'set with seconds');
same(true, $plain->setMultiple(['a' => 'v', 'b' => 'v'], new DateInterval('PT2H')), 'with an interval');
same(true, $plain->set('endless', 'v'), 'set without');
if ($driver === 'memcached') {
    fails(NotImplementedException::class, "Storage \"$storage\" does not support kv.TTL",
        fn () => $plain->getTtl('hour'), 'getTtl of memcached');
} else {
    $near = static function (?DateTimeInterface $end, int $seconds, string $what) use ($now): void {
        $late = $end === null ? -1 : $end->getTimestamp() - $now - $seconds;
        same(true, $late >= 0 && $late <= time() - $now + 1, "$what: $late s off");
    };
    $near($plain->getTtl('hour'), 3600, 'getTtl');
    same(0, $plain->getTtl('hour')->getOffset(), 'UTC');
    same(null, $plain->getTtl('endless'), 'getTtl of a key without an end');
    same(null, $plain->getTtl('none'), 'getTtl of no key');
    $ends = iterator_to_array($plain->getMultipleTtl(['none', 'b', 'endless', 'a']));
    same(['none', 'b', 'endless', 'a'], array_keys($ends), 'getMultipleTtl');
    same([null, null], [$ends['none'], $ends['endless']], 'its keys without an end');
    $near($ends['a'], 7200, 'getMultipleTtl a');
    $near($ends['b'], 7200, 'getMultipleTtl b');
    same(true, $plain->set('hour', 'w'), 'set again without a time');
    same(null, $plain->getTtl('hour'), 'the time is gone');
}
same(true, $plain->set('short', 'v', 1), 'set for a second');
soon(fn () => $plain->get('short') === null, 'it ends');
same(false, $plain->has('short'), 'has what has ended');
same('v', $plain->get('a'), 'the others stay');
same(true, $plain->set('a', 'w', -10), 'a time that has passed');
same('default', $plain->get('a', 'default'), 'removes the key');
$far = 0xDEAD_BEEF; // a century: the package's own tests
same(true, $plain->set('far', 'v', $far), 'a far end');
same('v', $plain->get('far'), 'is an end in the future');

// Errors.
$none = $factory->select('nowhere');
$text = 'Storage "nowhere" has not been defined. Please make sure your RoadRunner "kv" configuration '
    . 'contains a storage key named "nowhere"';
foreach (['getTtl' => ['key'], 'getMultipleTtl' => [['key']], 'get' => ['key'], 'set' => ['key', 'v'],
    'getMultiple' => [['key']], 'setMultiple' => [['key' => 'v']], 'deleteMultiple' => [['key']],
    'delete' => ['key'], 'has' => ['key'], 'clear' => []] as $method => $arguments) {
    fails(StorageException::class, $text, fn () => $none->$method(...$arguments), "nowhere: $method");
}
foreach (['getMultiple' => [5], 'setMultiple' => [5 => 'v'], 'deleteMultiple' => [5]] as $method => $keys) {
    fails(InvalidArgumentException::class, 'Cache key must be a string, but int passed',
        fn () => $plain->$method($keys), "a number as key: $method");
}
foreach (['get', 'has', 'delete'] as $method) {
    fails(KeyValueException::class, "key can't be empty string", fn () => $plain->$method(''),
        "an empty key: $method");
}
same(true, $plain->set('sealed', 'v'), 'set for another serializer');
if (extension_loaded('sodium')) {
    fails(SerializationException::class, 'Can not decode the received data',
        fn () => $plain->withSerializer(new SodiumSerializer(new DefaultSerializer(),
            sodium_crypto_box_keypair()))->get('sealed'), 'another key');
    $sealed = $plain->withSerializer(new SodiumSerializer(new DefaultSerializer(),
        sodium_crypto_box_keypair()));
    $sealed->set('sealed', 'v');
    fails(SerializationException::class, '', fn () => $plain->get('sealed'), 'what is no serialized value');
    same('v', $sealed->get('sealed'), 'the right key');
}
same(true, $plain->clear(), 'clear at the end');

echo "ok\n";
