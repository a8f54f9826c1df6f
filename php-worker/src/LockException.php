<?php

declare(strict_types=1);

namespace Rr\Worker;

/** A lock was not free in time. */
final class LockException extends \RuntimeException
{
}
