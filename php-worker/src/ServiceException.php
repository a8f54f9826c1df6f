<?php

declare(strict_types=1);

namespace Rr\Worker;

/** The server answered an RPC call with an error: the message is `Service.Method: its text`. */
final class ServiceException extends \RuntimeException
{
    /** @param string $text the server's own, as it came: lines and tabs between operations */
    public function __construct(public readonly string $method, public readonly string $text)
    {
        parent::__construct($method . ': ' . strtr($text, ["\n" => ' ', "\t" => '']));
    }
}
