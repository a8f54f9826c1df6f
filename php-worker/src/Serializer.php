<?php

declare(strict_types=1);

namespace Rr\Worker;

/** Makes bytes of the values that a Cache keeps, and values of these bytes. */
interface Serializer
{
    /** @throws \Exception there are no bytes for this value: a closure, a resource */
    public function serialize(mixed $value): string;

    /** @throws \Exception these bytes are not of this serializer, or their class is not here */
    public function unserialize(string $bytes): mixed;
}
