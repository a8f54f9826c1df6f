<?php

declare(strict_types=1);

// The peer of the tcp plugin: a server in plain PHP, one process around stream_select, that sends
// every line back. Prints `port=P`; ends when its standard input does.

$listener = stream_socket_server('tcp://127.0.0.1:0', $code, $message);
if ($listener === false) {
    fwrite(STDERR, "stream_select.php: $message\n");
    exit(2);
}
stream_set_blocking($listener, false);
$address = (string) stream_socket_get_name($listener, false);
echo 'port=', substr((string) strrchr($address, ':'), 1), "\n";

$clients = [];
$lines = [];
while (true) {
    $read = $clients;
    $read[] = $listener;
    $read[] = STDIN;
    $none = null;
    if (stream_select($read, $none, $none, null) === false) {
        exit(1);
    }
    foreach ($read as $socket) {
        if ($socket === STDIN) {
            exit(0);
        }
        if ($socket === $listener) {
            $client = @stream_socket_accept($listener, 0);
            if ($client !== false) {
                stream_set_blocking($client, false);
                stream_set_read_buffer($client, 0);
                $clients[(int) $client] = $client;
                $lines[(int) $client] = '';
            }
            continue;
        }
        $id = (int) $socket;
        $bytes = fread($socket, 65536);
        if ($bytes === '' || $bytes === false) {
            fclose($socket);
            unset($clients[$id], $lines[$id]);
            continue;
        }
        $line = $lines[$id] . $bytes;
        if (!str_ends_with($line, "\r\n")) {
            $lines[$id] = $line;
            continue;
        }
        $lines[$id] = '';
        fwrite($socket, $line);
    }
}
