<?php

declare(strict_types=1);

namespace Rr\Worker;

/**
 * The Protocol Buffers wire format by hand: the two messages of http.v1 (a request has ten fields,
 * an answer has two), and the pieces that RPC messages are made of. Unknown fields are skipped.
 */
final class Protobuf
{
    private const FIELDS = [1 => 'remoteAddr', 2 => 'protocol', 3 => 'method', 4 => 'uri',
        5 => 'headers', 6 => 'cookies', 7 => 'rawQuery', 8 => 'parsed', 9 => 'uploads',
        10 => 'attributes'];

    /** @return array<string, mixed> the fields under the names of the JSON context */
    public static function decodeRequest(string $bytes): array
    {
        $request = ['protocol' => '', 'method' => ''];
        for ($at = 0, $end = \strlen($bytes); $at < $end;) {
            [$number, $value] = self::field($bytes, $at);
            $name = self::FIELDS[$number] ?? null;
            if ($number === 8) {
                $request[$name] = $value !== 0;
            } elseif ($number === 5 || $number === 6 || $number === 10) {
                [$key, $values] = self::mapEntry((string) $value);
                $request[$name][$key] = $number === 5 ? $values : ($values[0] ?? '');
            } elseif ($number === 9) {
                $request[$name] = json_decode((string) $value, true) ?? [];
            } elseif ($name !== null) {
                $request[$name] = (string) $value;
            }
        }
        return $request;
    }

    /** @param array<string, list<string>> $headers */
    public static function encodeResponse(int $status, array $headers): string
    {
        $bytes = $status === 0 ? '' : "\x08" . self::varint($status);
        foreach ($headers as $name => $values) {
            $list = '';
            foreach ($values as $value) {
                $list .= "\x0a" . self::varint(\strlen($value)) . $value;
            }
            $name = (string) $name;
            $entry = "\x0a" . self::varint(\strlen($name)) . $name
                . "\x12" . self::varint(\strlen($list)) . $list;
            $bytes .= "\x12" . self::varint(\strlen($entry)) . $entry;
        }
        return $bytes;
    }

    /** A string, bytes or message field; nothing if it is empty, as proto3 has it. */
    public static function text(int $number, string $value): string
    {
        return $value === '' ? '' : self::message($number, $value);
    }

    /** A field that is there even if it is empty: an element of a list, or of a map. */
    public static function message(int $number, string $value): string
    {
        return self::varint($number << 3 | 2) . self::varint(\strlen($value)) . $value;
    }

    /** An integer or boolean field; nothing if it is zero. */
    public static function number(int $number, int|bool $value): string
    {
        return (int) $value === 0 ? '' : self::varint($number << 3) . self::varint((int) $value);
    }

    /** @param array<string, string> $pairs of a field map<string, string> */
    public static function map(int $number, array $pairs): string
    {
        $bytes = '';
        foreach ($pairs as $key => $value) {
            $bytes .= self::message($number,
                self::text(1, (string) $key) . self::text(2, $value));
        }
        return $bytes;
    }

    /**
     * The fields of a message in the order they came; fixed32 and fixed64 as their bytes.
     *
     * @return list<array{int, int|string}> field number and value
     */
    public static function fields(string $bytes): array
    {
        $fields = [];
        for ($at = 0, $end = \strlen($bytes); $at < $end;) {
            $fields[] = self::field($bytes, $at);
        }
        return $fields;
    }

    /** @return array{string, list<string>} */
    private static function mapEntry(string $bytes): array
    {
        $key = '';
        $values = [];
        for ($at = 0, $end = \strlen($bytes); $at < $end;) {
            [$number, $value] = self::field($bytes, $at);
            if ($number === 1) {
                $key = (string) $value;
            } elseif ($number === 2) {
                $list = (string) $value;
                for ($from = 0, $to = \strlen($list); $from < $to;) {
                    [$item, $text] = self::field($list, $from);
                    if ($item === 1) {
                        $values[] = (string) $text;
                    }
                }
            }
        }
        return [$key, $values];
    }

    /** @return array{int, int|string} field number and value; $at moves behind it */
    private static function field(string $bytes, int &$at): array
    {
        $tag = self::readVarint($bytes, $at);
        $number = $tag >> 3;
        switch ($tag & 7) {
            case 0:
                return [$number, self::readVarint($bytes, $at)];
            case 1:
                $length = 8;
                break;
            case 2:
                $length = self::readVarint($bytes, $at);
                break;
            case 5:
                $length = 4;
                break;
            default:
                throw new RelayException('malformed protobuf: wire type ' . ($tag & 7));
        }
        if ($length < 0 || $length > \strlen($bytes) - $at) {
            throw new RelayException('malformed protobuf: a field is cut off');
        }
        $value = substr($bytes, $at, $length);
        $at += $length;
        return [$number, $value];
    }

    private static function readVarint(string $bytes, int &$at): int
    {
        $value = 0;
        for ($shift = 0; $shift < 64; $shift += 7) {
            if (!isset($bytes[$at])) {
                break;
            }
            $byte = \ord($bytes[$at++]);
            $value |= ($byte & 0x7f) << $shift;
            if ($byte < 0x80) {
                return $value;
            }
        }
        throw new RelayException('malformed protobuf: a number has no end');
    }

    private static function varint(int $value): string
    {
        $bytes = '';
        while ($value > 0x7f || $value < 0) {
            $bytes .= \chr($value & 0x7f | 0x80);
            $value = $value >> 7 & 0x01ffffffffffffff;
        }
        return $bytes . \chr($value);
    }
}
