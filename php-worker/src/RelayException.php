<?php

declare(strict_types=1);

namespace Rr\Worker;

/** The channel cannot be opened, or what it carries is no frame. */
class RelayException extends \RuntimeException
{
}
