"""Certificates that a test makes with openssl: an authority and who it signs."""

import pathlib
import subprocess


class Authority:
    """ca.pem in `folder`, and `make(name, names)`: name.pem and name.key, signed by it."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self._openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                      "-nodes", "-keyout", "ca.key", "-out", "ca.pem", "-days", "2", "-subj",
                      f"/CN=authority {self.folder.name}")
        self.ca = str(self.folder / "ca.pem")

    def _openssl(self, *arguments):
        subprocess.run(["openssl", *arguments], cwd=self.folder, check=True, capture_output=True,
                       timeout=60)

    def make(self, name, names="IP:127.0.0.1,DNS:localhost"):
        """The paths of certificate and key."""
        (self.folder / f"{name}.names").write_text(f"subjectAltName={names}\n")
        self._openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                      "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}")
        self._openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key",
                      "-CAcreateserial", "-out", f"{name}.pem", "-days", "2", "-extfile",
                      f"{name}.names")
        return str(self.folder / f"{name}.pem"), str(self.folder / f"{name}.key")
