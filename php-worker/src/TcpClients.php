<?php

declare(strict_types=1);

namespace Rr\Worker;

/**
 * The clients of all tcp servers, from any worker or script: written to, listed, closed over RPC.
 *
 *     $clients = new TcpClients(Rpc::create());
 *     $clients->broadcast("the server closes in a minute\n", 'chat');
 */
final class TcpClients
{
    public function __construct(private RpcClient $rpc)
    {
    }

    /**
     * @param string $target a connection's uuid, or the address of a sender of datagrams
     * @throws ServiceException there is no such client, or it does not read
     */
    public function write(string $target, string $bytes): void
    {
        $this->rpc->call('tcp.Write', ['uuid' => $target, 'data_b64' => base64_encode($bytes)]);
    }

    /** Writes to all clients of a server, or of all servers; the number of them. */
    public function broadcast(string $bytes, string $server = ''): int
    {
        return (int) $this->rpc->call(
            'tcp.Broadcast',
            ['server' => $server, 'data_b64' => base64_encode($bytes)],
        );
    }

    /** Closes a connection; nothing happens if there is none of this name. */
    public function close(string $uuid): void
    {
        $this->rpc->call('tcp.Close', $uuid);
    }

    /**
     * @return list<array{uuid: string, server: string, remote_addr: string, connected_at: int,
     *     bytes_in: int, bytes_out: int}> oldest first; connected_at in nanoseconds since 1970
     */
    public function list(string $server = ''): array
    {
        return (array) $this->rpc->call('tcp.List', ['server' => $server]);
    }

    /** @return list<array<string, int|string>> one for each server */
    public function stats(): array
    {
        return (array) $this->rpc->call('tcp.Stats');
    }
}
