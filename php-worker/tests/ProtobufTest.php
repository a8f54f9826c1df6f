<?php

declare(strict_types=1);

namespace Rr\Worker\Tests;

use PHPUnit\Framework\TestCase;
use Rr\Worker\Protobuf;
use Rr\Worker\RelayException;

final class ProtobufTest extends TestCase
{
    public static function text(int $field, string $value): string
    {
        self::assertLessThan(128, \strlen($value));
        return \chr($field << 3 | 2) . \chr(\strlen($value)) . $value;
    }

    public static function entry(int $field, string $key, string ...$values): string
    {
        $list = implode('', array_map(static fn (string $v): string => self::text(1, $v), $values));
        return self::text($field, self::text(1, $key) . self::text(2, $list));
    }

    public function testDecodesTheDocumentedRequest(): void
    {
        $bytes = "\x0a\x09127.0.0.1\x12\x08HTTP/1.0\x1a\x03GET\x22\x09http:///x";
        self::assertSame(37, \strlen($bytes));
        self::assertEquals(['remoteAddr' => '127.0.0.1', 'protocol' => 'HTTP/1.0',
            'method' => 'GET', 'uri' => 'http:///x'], Protobuf::decodeRequest($bytes));
    }

    public function testDecodesMapsFlagsAndUploads(): void
    {
        $upload = '{"f":{"name":"a","size":1}}';
        $bytes = self::entry(5, 'X-Many', 'a', "b\xff") . self::entry(5, 'X-None')
            . self::entry(6, 'c', 'v w') . self::text(7, 'a=1') . "\x40\x01"
            . self::text(9, $upload) . self::entry(10, 'who', 'me', 'you');
        self::assertEquals(['protocol' => '', 'method' => '',
            'headers' => ['X-Many' => ['a', "b\xff"], 'X-None' => []], 'cookies' => ['c' => 'v w'],
            'rawQuery' => 'a=1', 'parsed' => true,
            'uploads' => ['f' => ['name' => 'a', 'size' => 1]],
            'attributes' => ['who' => 'me']], Protobuf::decodeRequest($bytes));
    }

    public function testSkipsFieldsItDoesNotKnow(): void
    {
        $bytes = "\x78\xff\xff\x01" . "\x7d1234" . "\x79" . '12345678' . self::text(20 - 5, 'x')
            . self::text(3, 'PUT');
        self::assertSame('PUT', Protobuf::decodeRequest($bytes)['method']);
    }

    /** @dataProvider brokenMessages */
    public function testRefusesBrokenMessages(string $bytes): void
    {
        $this->expectException(RelayException::class);
        Protobuf::decodeRequest($bytes);
    }

    public static function brokenMessages(): array
    {
        return [
            'cut text' => ["\x0a\x05abc"],
            'cut length' => ["\x0a"],
            'endless number' => [str_repeat("\xff", 11)],
            'length beyond 2^63' => ["\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01abc"],
            'group' => ["\x0b"],
            'cut map entry' => ["\x2a\x02\x0a\x09"],
        ];
    }

    public function testEncodesAnswers(): void
    {
        self::assertSame("\x08\xc8\x01", Protobuf::encodeResponse(200, []));
        self::assertSame("\x08\xc8\x01" . self::entry(2, 'X-A', '1', "\xff"),
            Protobuf::encodeResponse(200, ['X-A' => ['1', "\xff"]]));
        $long = str_repeat('v', 300);
        self::assertSame("\x12\xb5\x02\x0a\x01L\x12\xaf\x02\x0a" . "\xac\x02$long",
            Protobuf::encodeResponse(0, ['L' => [$long]]));
    }

    public function testPutsMessagesTogether(): void
    {
        $message = Protobuf::text(1, 'mem') . Protobuf::text(2, '') . Protobuf::number(3, 300)
            . Protobuf::number(4, 0) . Protobuf::number(5, true)
            . Protobuf::map(16, ['k' => 'v', 'e' => '']) . Protobuf::message(7, '');
        self::assertSame("\x0a\x03mem\x18\xac\x02\x28\x01\x82\x01\x06\x0a\x01k\x12\x01v"
            . "\x82\x01\x03\x0a\x01e\x3a\x00", $message);
        self::assertSame([[1, 'mem'], [3, 300], [5, 1], [16, "\x0a\x01k\x12\x01v"],
            [16, "\x0a\x01e"], [7, '']], Protobuf::fields($message));
        self::assertSame([[1, "\x00\x00\x80\x3f"], [2, -1]],
            Protobuf::fields("\x0d\x00\x00\x80\x3f" . Protobuf::number(2, -1)));
    }
}
