"""nginx + php-fpm with the configuration of a careful admin, in a folder of its own, on loopback."""

import os
import pathlib
import shutil
import signal
import socket
import subprocess

from harness import process

SCRIPT = pathlib.Path(__file__).resolve().parent / "workers" / "fpm.php"

FPM = """
[global]
pid = {d}/fpm.pid
error_log = {d}/fpm.log
daemonize = no
[www]
{user}
listen = {d}/fpm.sock
listen.mode = 0666
listen.backlog = 511
pm = static
pm.max_children = {children}
"""

NGINX = """
daemon off;
{user}
worker_processes {workers};
pid {d}/nginx.pid;
error_log {d}/nginx.log;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    keepalive_requests 100000000;
    client_body_temp_path {d}/body;
    proxy_temp_path {d}/proxy;
    fastcgi_temp_path {d}/fastcgi;
    uwsgi_temp_path {d}/uwsgi;
    scgi_temp_path {d}/scgi;
    upstream php {{
        server unix:{d}/fpm.sock;
        {keepalive}
    }}
    server {{
        listen 127.0.0.1:{port};
        location / {{
            fastcgi_pass php;
            {keep_conn}
            fastcgi_param SCRIPT_FILENAME {script};
            fastcgi_param QUERY_STRING $query_string;
            fastcgi_param REQUEST_METHOD $request_method;
            fastcgi_param CONTENT_TYPE $content_type;
            fastcgi_param CONTENT_LENGTH $content_length;
            fastcgi_param REQUEST_URI $request_uri;
            fastcgi_param SERVER_PROTOCOL $server_protocol;
            fastcgi_param REMOTE_ADDR $remote_addr;
        }}
    }}
}}
"""


def fpm_binary():
    for name in ("php-fpm8.2", "php-fpm", "/usr/sbin/php-fpm8.2"):
        if shutil.which(name):
            return shutil.which(name)
    return None


def nginx_binary():
    return shutil.which("nginx") or shutil.which("/usr/sbin/nginx")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class NginxFpm:
    """Both processes; stop() ends them by pid.

    Kept FastCGI connections hold a child each, so requests on further connections starve until a
    kept one is closed: 200 requests per connection is a compromise that answers everybody.
    """

    def __init__(self, directory, children=2, keep_alive=True, nginx=NGINX, more=None, php=True):
        directory = pathlib.Path(directory)
        directory.mkdir(parents=True, exist_ok=True)
        root = os.geteuid() == 0
        if root:
            os.chmod(directory, 0o755)
        self.port = free_port()
        values = {
            "d": directory, "children": children, "port": self.port, "script": SCRIPT,
            "workers": 2,
            "keepalive": f"keepalive {children}; keepalive_requests 200;" if keep_alive else "",
            "keep_conn": "fastcgi_keep_conn on;" if keep_alive else "",
            **(more or {})}
        (directory / "fpm.conf").write_text(
            FPM.format(**values, user="user = root\ngroup = root" if root else ""))
        (directory / "nginx.conf").write_text(
            nginx.format(**values, user="user root;" if root else ""))
        with open(directory / "output", "wb") as output:
            self._fpm = php and subprocess.Popen(
                [fpm_binary(), "-y", str(directory / "fpm.conf")] + (["-R"] if root else []),
                stdin=subprocess.DEVNULL, stdout=output, stderr=output)
            if php:
                process.eventually(lambda: (directory / "fpm.sock").exists(), what="php-fpm")
            self._nginx = subprocess.Popen(
                [nginx_binary(), "-c", str(directory / "nginx.conf"), "-p", str(directory)],
                stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        process.eventually(self._answers, what="nginx")

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/"

    def _answers(self):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def stop(self):
        for each in filter(None, (self._nginx, self._fpm)):
            each.send_signal(signal.SIGTERM)
            try:
                each.wait(10)
            except subprocess.TimeoutExpired:
                each.kill()
                each.wait()


ONE = """
daemon off;
{user}
worker_processes 1;
pid {d}/nginx.pid;
error_log {d}/nginx.log crit;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    default_type text/plain;
    sendfile on;
    tcp_nopush on;
    open_file_cache max=1000;
    open_file_cache_valid 1s;
    keepalive_requests 100000000;
    client_max_body_size 100m;
    client_body_temp_path {d}/body;
    proxy_temp_path {d}/proxy;
    fastcgi_temp_path {d}/fastcgi;
    uwsgi_temp_path {d}/uwsgi;
    scgi_temp_path {d}/scgi;
    upstream php {{
        server unix:{d}/fpm.sock;
        {keepalive}
    }}
    server {{
        listen 127.0.0.1:{port};
        listen 127.0.0.1:{h2c_port} http2;
        {tls}
        root {d}/public;
        location = /v1/traces {{ return 200; }}
        fastcgi_param SCRIPT_FILENAME {script};
        fastcgi_param QUERY_STRING $query_string;
        fastcgi_param REQUEST_METHOD $request_method;
        fastcgi_param CONTENT_TYPE $content_type;
        fastcgi_param CONTENT_LENGTH $content_length;
        fastcgi_param REQUEST_URI $request_uri;
        fastcgi_param SERVER_PROTOCOL $server_protocol;
        fastcgi_param REMOTE_ADDR $remote_addr;
        location = / {{
            fastcgi_pass php;
            {keep_conn}
        }}
    }}
}}
"""


def children(pid):
    return [int(word) for word in
            pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


class Nginx(NginxFpm):
    """One process of nginx: files of DIRECTORY/public, and PHP at / by two children of php-fpm."""

    def __init__(self, directory, certificate=None, key=None, php=True, keep_alive=True):
        self.h2c_port = free_port()
        self.tls_port = free_port() if certificate else None
        tls = (f"listen 127.0.0.1:{self.tls_port} ssl http2; ssl_certificate {certificate}; "
               f"ssl_certificate_key {key};" if certificate else "")
        super().__init__(directory, 2, keep_alive, ONE, {"h2c_port": self.h2c_port, "tls": tls}, php)
        process.eventually(self.worker_pids, what="nginx's worker")
        self.plain = f"http://127.0.0.1:{self.port}"
        self.h2c = f"http://127.0.0.1:{self.h2c_port}"
        self.tls = f"https://127.0.0.1:{self.tls_port}" if certificate else None

    def worker_pids(self):
        return process.eventually(lambda: children(self._nginx.pid), what="a worker of nginx")

    def php_pids(self):
        return children(self._fpm.pid)
