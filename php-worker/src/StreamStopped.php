<?php

declare(strict_types=1);

namespace Rr\Worker;

/** Thrown inside a generator whose chunks nobody wants any more, at its yield. */
final class StreamStopped extends \RuntimeException
{
}
