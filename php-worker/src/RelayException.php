<?php

declare(strict_types=1);

namespace Rr\Worker;

/** The channel cannot be opened, or what it carries is no frame. */
final class RelayException extends \RuntimeException
{
}
