<?php

declare(strict_types=1);

namespace Rr\Worker;

/**
 * Encrypts what another serializer makes; needs ext-sodium.
 *
 *     $key = sodium_crypto_box_keypair(); // once, kept in a safe place
 *     new SodiumSerializer(new PhpSerializer(), $key)
 *
 * Sealed boxes, as spiral/roadrunner-kv makes them: with the same key each reads the other's.
 */
final class SodiumSerializer implements Serializer
{
    private string $public;

    public function __construct(
        private Serializer $inner,
        #[\SensitiveParameter] private string $key,
    ) {
        if (!\function_exists('sodium_crypto_box_seal')) {
            throw new \LogicException('SodiumSerializer needs ext-sodium');
        }
        if (\strlen($key) !== SODIUM_CRYPTO_BOX_KEYPAIRBYTES) {
            throw new \InvalidArgumentException(
                'the key of SodiumSerializer is made by sodium_crypto_box_keypair()');
        }
        $this->public = sodium_crypto_box_publickey($key);
    }

    public function serialize(mixed $value): string
    {
        return sodium_crypto_box_seal($this->inner->serialize($value), $this->public);
    }

    public function unserialize(string $bytes): mixed
    {
        $opened = sodium_crypto_box_seal_open($bytes, $this->key);
        if ($opened === false) {
            throw new \UnexpectedValueException('encrypted with another key, or not at all');
        }
        return $this->inner->unserialize($opened);
    }
}
