<?php

declare(strict_types=1);

namespace Rr\Worker;

/** The server did not answer an RPC call in time. It may have carried it out, or still do so. */
final class TimeoutException extends RelayException
{
}
