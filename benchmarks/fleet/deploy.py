# What the trust script does, by pyinfra's own operations.
from pyinfra import host
from pyinfra.operations import files, server

registry = host.data.registry
ca = f"/etc/docker/certs.d/{registry}/ca.crt"
files.block(
    name="Name",
    path="/etc/hosts",
    content=f"{host.data.address} {host.data.hostname}",
)
files.put(name="Certificates", src=host.data.ca, dest=ca, mode="444")
server.shell(
    name="Proof",
    commands=[
        "test 401 = $(curl -q --silent --show-error --output /dev/null "
        f"--write-out %{{http_code}} --cacert {ca} https://{registry}/v2/)"
    ],
)
