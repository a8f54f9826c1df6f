<?php

declare(strict_types=1);

namespace Rr\Worker;

/** The server answered an RPC call with an error; the message is the server's text. */
final class ServiceException extends \RuntimeException
{
}
