"""nginx in front of rr: one process in a folder of its own, on loopback, ended by its pid."""

import os
import pathlib
import shutil
import signal
import socket
import subprocess

from harness import process

CONFIG = """
daemon off;
master_process off;
pid {d}/nginx.pid;
error_log {d}/nginx.log info;
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path {d}/body;
    proxy_temp_path {d}/proxy;
    fastcgi_temp_path {d}/fastcgi;
    uwsgi_temp_path {d}/uwsgi;
    scgi_temp_path {d}/scgi;
    client_max_body_size 100m;
    upstream rr {{
        server {upstream};
        {keepalive}
    }}
    server {{
        listen 127.0.0.1:{port};
        location / {{
            fastcgi_pass rr;
            {options}
            fastcgi_param QUERY_STRING $query_string;
            fastcgi_param REQUEST_METHOD $request_method;
            fastcgi_param CONTENT_TYPE $content_type;
            fastcgi_param CONTENT_LENGTH $content_length;
            fastcgi_param SCRIPT_NAME $fastcgi_script_name;
            fastcgi_param REQUEST_URI $request_uri;
            fastcgi_param DOCUMENT_URI $document_uri;
            fastcgi_param DOCUMENT_ROOT $document_root;
            fastcgi_param SERVER_PROTOCOL $server_protocol;
            fastcgi_param REQUEST_SCHEME $scheme;
            fastcgi_param HTTPS $https if_not_empty;
            fastcgi_param GATEWAY_INTERFACE CGI/1.1;
            fastcgi_param SERVER_SOFTWARE nginx/$nginx_version;
            fastcgi_param REMOTE_ADDR $remote_addr;
            fastcgi_param REMOTE_PORT $remote_port;
            fastcgi_param SERVER_ADDR $server_addr;
            fastcgi_param SERVER_PORT $server_port;
            fastcgi_param SERVER_NAME $server_name;
        }}
    }}
}}
"""


def binary():
    return shutil.which("nginx") or shutil.which("/usr/sbin/nginx")


class Nginx:
    """upstream: host:port or unix:path. options: lines of the location."""

    def __init__(self, directory, upstream, options="", keep=True):
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        if keep:
            options += " fastcgi_keep_conn on;"
        (self.directory / "nginx.conf").write_text(CONFIG.format(
            d=self.directory, upstream=upstream, port=self.port, options=options,
            keepalive="keepalive 4;" if keep else ""))
        with open(self.directory / "output", "wb") as output:
            self._process = subprocess.Popen(
                [binary(), "-c", str(self.directory / "nginx.conf"), "-p", str(self.directory)],
                stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                env={**os.environ, "NGINX": ""})
        process.eventually(self._answers, what="nginx")

    @property
    def address(self):
        return ("127.0.0.1", self.port)

    def _answers(self):
        with socket.socket() as probe:
            return probe.connect_ex(self.address) == 0

    def log(self):
        return (self.directory / "nginx.log").read_text()

    def stop(self):
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
