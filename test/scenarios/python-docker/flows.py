"""Flows of python3-docker 5.0, one function each: `flows.py VERSION ARCHIVE FLOW...`, the engine in DOCKER_HOST.

Prints a line of JSON for each flow: its name, its error or null, its seconds.
"""
import io
import json
import os
import struct
import sys
import tarfile
import tempfile
import threading
import time
import traceback

import distutils
# The other half of this package, where it is unpacked rather than installed.
distutils.__path__ += [path + "/distutils" for path in sys.path]

import docker
from docker.types import EndpointConfig, LogConfig, Mount, Ulimit

# "auto" is the version that the engine names.
version = sys.argv[1]
client = docker.from_env(version=version, timeout=30)
archive = sys.argv[2]


def eventually(probe, seconds=10):
    deadline = time.monotonic() + seconds
    while not probe():
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.02)


def sleeper(**options):
    return client.containers.run("busybox", ["sleep", "1000"], detach=True, **options)


def raises(kind, call, *words, **options):
    try:
        call(*words, **options)
    except kind as error:
        return error
    raise AssertionError("%s was not raised" % kind.__name__)


def versions():
    assert client.ping()
    assert client.version()["Version"]
    assert client.info()["OSType"] == "linux"
    assert client.api.api_version == (client.version()["ApiVersion"] if version == "auto" else version)
    assert version == "auto" or isinstance(client.df()["Images"], list)
    old = docker.from_env(version="1.24")
    assert old.version()["ApiVersion"]
    made = old.containers.run("busybox", ["echo", "old"], detach=True)
    assert made.wait()["StatusCode"] == 0
    assert made.logs() == b"old\n"
    made.remove()
    error = raises(docker.errors.APIError, docker.from_env(version="1.23").info)
    assert error.status_code == 400 and b"too old" in error.explanation


def run():
    assert client.containers.run("busybox", "echo hello world", remove=True) == b"hello world\n"
    both = ["sh", "-c", "echo out; echo err >&2"]
    assert client.containers.run("busybox", both, remove=True, stdout=False, stderr=True) == b"err\n"
    lines = client.containers.run("busybox", ["sh", "-c", "echo a; echo b"], remove=True, stream=True)
    assert list(lines) == [b"a\n", b"b\n"]
    error = raises(docker.errors.ContainerError, client.containers.run, "busybox", ["sh", "-c", "echo bad >&2; exit 3"])
    assert error.exit_status == 3 and error.stderr == b"bad\n", error
    error.container.remove()
    raises(docker.errors.APIError, client.containers.run, "127.0.0.1:1/nothing:here")
    error = raises(docker.errors.APIError, client.containers.run, "busybox", "no-such-program", name="cannot")
    assert "no-such-program" in error.explanation
    client.containers.get("cannot").remove()


def options():
    container = client.containers.run(
        "busybox", "sleep 1000", detach=True, name="options", hostname="a-host", user="1000:1000",
        environment={"A": "1", "B": "two words"}, labels=["x", "y"], working_dir="/tmp", tty=True, stdin_open=True,
        mem_limit="64m", cpu_shares=512, nano_cpus=500000000, pids_limit=50, shm_size="1m", init=True,
        cap_add=["NET_ADMIN"], cap_drop=["MKNOD"], dns=["192.0.2.1"], extra_hosts={"extra": "198.51.100.7"},
        tmpfs={"/scratch": "size=1m"}, ulimits=[Ulimit(name="nofile", soft=321, hard=654)],
        sysctls={"net.ipv4.ip_unprivileged_port_start": "0"}, read_only=True, ports={"80/tcp": None, "81/udp": ("127.0.0.1", None)},
        log_config=LogConfig(type="json-file", config={"max-size": "1m"}), restart_policy={"Name": "on-failure", "MaximumRetryCount": 2},
        volumes={"options-volume": {"bind": "/data", "mode": "rw"}}, mounts=[Mount("/more", None, type="tmpfs")], stop_signal="SIGINT")
    code, output = container.exec_run(["sh", "-c", "hostname; id -u; pwd; ulimit -n; echo $A $B; grep extra /etc/hosts; tr '\\0' ' ' </proc/1/cmdline"])
    words = output.decode().split("\n")
    assert words[:5] == ["a-host", "1000", "/tmp", "321", "1 two words"], words
    assert "198.51.100.7" in words[5] and "sleep 1000" in words[6], words
    container.reload()
    assert container.attrs["HostConfig"]["Memory"] == 64 * 2**20
    assert container.ports["80/tcp"][0]["HostPort"] and container.ports["81/udp"][0]["HostIp"] == "127.0.0.1"
    assert container.labels == {"x": "", "y": ""} and container.status == "running"
    container.update(mem_limit="96m", memswap_limit="192m")
    container.reload()
    assert container.attrs["HostConfig"]["Memory"] == 96 * 2**20
    container.remove(force=True, v=True)
    client.volumes.get("options-volume").remove()


def logs():
    script = "for i in 1 2 3 4 5 6; do echo line $i; echo err $i >&2; sleep 0.05; done"
    container = client.containers.run("busybox", ["sh", "-c", script], detach=True)
    followed = b"".join(container.logs(stream=True, follow=True))
    assert sorted(followed.split(b"\n")[:-1]) == sorted(b"%s %d" % (w, i) for w in (b"line", b"err") for i in range(1, 7))
    # The tail is of both streams, whichever is shown.
    assert container.logs(stderr=False, tail=2) in (b"line 6\n", b"line 5\nline 6\n")
    stamped = container.logs(stdout=False, timestamps=True).decode().split("\n")
    assert stamped[0].endswith("Z err 1"), stamped
    assert container.logs(since=int(time.time()) + 100) == b""
    assert container.logs(until=int(time.time()) - 100) == b""
    container.remove()


def exec_run():
    container = sleeper()
    assert container.exec_run("echo hello") == (0, b"hello\n")
    assert container.exec_run("sh -c 'exit 7'").exit_code == 7
    code, (out, err) = container.exec_run(["sh", "-c", "echo out; echo err >&2"], demux=True)
    assert (code, out, err) == (0, b"out\n", b"err\n")
    placed = container.exec_run("sh -c 'id -un; pwd; echo $X; tty'", user="nobody", workdir="/var", environment={"X": "y"}, tty=True)
    assert placed.output == b"nobody\r\n/var\r\ny\r\n/dev/pts/0\r\n", placed
    streamed = container.exec_run(["sh", "-c", "echo a; sleep 0.1; echo b"], stream=True)
    assert streamed.exit_code is None and list(streamed.output) == [b"a\n", b"b\n"]
    detached = container.exec_run("sleep 0", detach=True)
    assert detached.output in (b"", ""), detached
    made = client.api.exec_create(container.id, "sh", tty=True, stdin=True)["Id"]
    sock = client.api.exec_start(made, tty=True, socket=True)._sock
    client.api.exec_resize(made, height=33, width=101)
    sock.sendall(b"stty size; exit 4\n")
    assert b"33 101" in read_all(sock)
    sock.close()
    eventually(lambda: client.api.exec_inspect(made)["Running"] is False)
    assert client.api.exec_inspect(made)["ExitCode"] == 4
    container.remove(force=True)


def read_all(sock):
    chunks = []
    while True:
        chunk = sock.recv(4096)
        if not chunk:
            return b"".join(chunks)
        chunks.append(chunk)


def frames(data):
    found = {1: b"", 2: b""}
    while data:
        kind, length = struct.unpack(">BxxxL", data[:8])
        found[kind] += data[8:8 + length]
        data = data[8 + length:]
    return found


def exec_socket():
    container = sleeper()
    sock = container.exec_run(["sh", "-c", "cat; echo end >&2"], stdin=True, socket=True).output._sock
    sock.sendall(b"through the socket\n")
    sock.shutdown(1)
    assert frames(read_all(sock)) == {1: b"through the socket\n", 2: b"end\n"}
    sock.close()
    container.remove(force=True)


def attach():
    container = client.containers.create("busybox", ["sh", "-c", "read line; echo got $line; exit 5"], stdin_open=True)
    sock = container.attach_socket(params={"stdin": 1, "stdout": 1, "stream": 1})._sock
    container.start()
    sock.sendall(b"input\n")
    assert frames(read_all(sock))[1] == b"got input\n"
    sock.close()
    assert container.wait()["StatusCode"] == 5
    container.remove()
    talker = client.containers.create("busybox", ["sh", "-c", "echo one; echo two"])
    stream = talker.attach(stream=True)
    talker.start()
    assert b"".join(stream) == b"one\ntwo\n"
    talker.remove()


def attach_tty():
    container = client.containers.create("busybox", ["sh", "-c", "read line; echo got $line"], stdin_open=True, tty=True)
    container.start()
    sock = client.api.attach_socket(container.id, params={"stdin": 1, "stdout": 1, "stream": 1})._sock
    container.resize(height=20, width=70)
    sock.sendall(b"tty\n")
    assert b"got tty\r\n" in read_all(sock)
    sock.close()
    container.remove(force=True)


def stats():
    container = sleeper(mem_limit="32m")
    one = container.stats(stream=False)
    assert one["memory_stats"]["limit"] == 32 * 2**20 and one["cpu_stats"]["cpu_usage"]["total_usage"] > 0, one
    assert one["networks"]["eth0"]["rx_bytes"] >= 0 and one["read"]
    stream = container.stats(decode=True)
    assert next(stream)["pids_stats"]["current"] == 1
    assert next(stream)["precpu_stats"]["cpu_usage"]["total_usage"] > 0
    stream.close()
    assert any("sleep 1000" in " ".join(row) for row in container.top()["Processes"])
    container.remove(force=True)


def archives():
    container = sleeper()
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        entry = tarfile.TarInfo("file.txt")
        entry.size, entry.mode, entry.uid = 5, 0o640, 7
        tar.addfile(entry, io.BytesIO(b"bytes"))
    assert container.put_archive("/tmp", packed.getvalue())
    packed.seek(0)
    assert container.put_archive("/home", packed)
    answer = container.exec_run(["stat", "-c", "%a %u %s", "/tmp/file.txt", "/home/file.txt"]).output
    assert answer == b"640 7 5\n" * 2, answer
    chunks, stat = container.get_archive("/tmp/file.txt")
    assert (stat["name"], stat["size"], stat["mode"]) == ("file.txt", 5, 0o640), stat
    with tarfile.open(fileobj=io.BytesIO(b"".join(chunks))) as tar:
        assert tar.extractfile("file.txt").read() == b"bytes"
    raises(docker.errors.NotFound, container.get_archive, "/missing")
    raises(docker.errors.NotFound, container.put_archive, "/missing", b"")
    assert {"Path": "/tmp/file.txt", "Kind": 1} in container.diff()
    exported = io.BytesIO(b"".join(container.export()))
    assert "tmp/file.txt" in tarfile.open(fileobj=exported).getnames()
    image = container.commit("python-committed", tag="one", changes=["CMD [\"cat\", \"/tmp/file.txt\"]"], author="a", message="m")
    assert client.containers.run("python-committed:one", remove=True) == b"bytes"
    client.images.remove(image.id)
    container.remove(force=True)


def events():
    since = int(time.time())
    seen = []
    stream = client.events(decode=True, filters={"type": "container"})
    reader = threading.Thread(target=lambda: seen.extend(stream))
    reader.start()
    container = client.containers.run("busybox", "true", detach=True, name="evented")
    container.wait()
    container.remove()
    eventually(lambda: any(event["Action"] == "destroy" for event in seen))
    stream.close()
    reader.join(10)
    own = [event["Action"] for event in seen if event["Actor"]["Attributes"].get("name") == "evented"]
    assert own == ["create", "start", "die", "destroy"], own
    past = list(client.events(since=since, until=int(time.time()) + 1, decode=True, filters={"container": container.id}))
    assert [event["Action"] for event in past if event["Type"] == "container"] == own
    assert past[0]["timeNano"] > 0
    if version != "auto":
        assert past[0]["from"] == "busybox" and past[0]["status"] == "create"


def wait():
    container = client.containers.run("busybox", ["sh", "-c", "sleep 0.3; exit 9"], detach=True)
    assert container.wait() == {"StatusCode": 9} or container.wait()["StatusCode"] == 9
    container.start()
    assert container.wait(condition="next-exit")["StatusCode"] == 9
    removed = sleeper(auto_remove=True)
    threading.Timer(0.3, removed.kill).start()
    assert removed.wait(condition="removed")["StatusCode"] == 137
    container.remove()
    long = sleeper()
    raises(Exception, long.wait, timeout=0.3)
    long.remove(force=True)


def life():
    container = sleeper(name="first-name")
    container.pause()
    container.reload()
    assert container.status == "paused"
    container.unpause()
    container.rename("second-name")
    assert client.containers.get("second-name").id == container.id
    container.restart(timeout=0)
    container.stop(timeout=0)
    container.reload()
    assert container.status == "exited" and container.attrs["State"]["ExitCode"] == 137
    container.start()
    container.kill(signal="SIGKILL")
    container.wait()
    container.remove()
    raises(docker.errors.NotFound, client.containers.get, "second-name")


def lists():
    one, two = sleeper(name="list-one", labels={"group": "a"}), sleeper(name="list-two", labels={"group": "b"})
    done = client.containers.run("busybox", "true", detach=True, labels={"group": "done"})
    done.wait()
    assert [c.name for c in client.containers.list(filters={"label": "group=a"})] == ["list-one"]
    assert [c.name for c in client.containers.list(filters={"name": "list-"})] == ["list-two", "list-one"]
    assert [c.id for c in client.containers.list(filters={"status": "exited", "label": ["group"]})] == [done.id]
    assert [c.id for c in client.containers.list(all=True, limit=1)] == [done.id]
    assert [c.name for c in client.containers.list(filters={"before": "list-two", "label": "group"})] == ["list-one"]
    assert client.containers.list(sparse=True, filters={"id": one.id})[0].attrs["Names"] == ["/list-one"]
    pruned = client.containers.prune(filters={"label": "group=done"})
    assert pruned["ContainersDeleted"] == [done.id] and pruned["SpaceReclaimed"] >= 0
    one.remove(force=True)
    two.remove(force=True)


def networks():
    network = client.networks.create("python-net", driver="bridge", labels={"x": "y"}, ipam=docker.types.IPAMConfig(
        pool_configs=[docker.types.IPAMPool(subnet="10.211.7.0/24", gateway="10.211.7.1")]))
    server = client.containers.create("busybox", ["sleep", "1000"], name="python-server")
    network.connect(server, aliases=["by-alias"], ipv4_address="10.211.7.9")
    server.start()
    caller = sleeper(network="python-net")
    for name in ("by-alias", "python-server"):
        answer = caller.exec_run(["nslookup", "-type=a", name]).output
        assert b"10.211.7.9" in answer, answer
    network.reload()
    assert {c.name for c in network.containers} == {"python-server", caller.name}
    assert network.attrs["IPAM"]["Config"][0]["Subnet"] == "10.211.7.0/24"
    raises(docker.errors.APIError, network.remove)
    network.disconnect(server)
    server.remove(force=True)
    caller.remove(force=True)
    assert [n.name for n in client.networks.list(names=["python-net"])] == ["python-net"]
    network.remove()
    assert "NetworksDeleted" in client.networks.prune()


def volumes():
    volume = client.volumes.create(name="python-volume", labels={"x": "y"})
    client.containers.run("busybox", ["sh", "-c", "echo kept >/v/file"], volumes={volume.name: {"bind": "/v", "mode": "rw"}}, remove=True)
    reading = dict(volumes=["python-volume:/v:ro"], remove=True)
    assert client.containers.run("busybox", ["cat", "/v/file"], **reading) == b"kept\n"
    assert [v.name for v in client.volumes.list(filters={"label": "x=y"})] == ["python-volume"]
    assert client.volumes.get("python-volume").attrs["Driver"] == "local"
    volume.remove()
    raises(docker.errors.NotFound, client.volumes.get, "python-volume")
    client.api.create_volume(labels={"gone": "1"})
    assert "VolumesDeleted" in client.volumes.prune(filters={"label": "gone"})


def images():
    with open(archive, "rb") as file:
        assert [tag for image in client.images.load(file) for tag in image.tags] == ["busybox:latest"]
    image = client.images.get("busybox")
    assert image.attrs["Os"] == "linux" and image.history()
    assert image.tag("python-tag", "two")
    assert client.images.list(name="python-tag")[0].id == image.id
    saved = b"".join(client.images.get("python-tag:two").save(named=True))
    assert "manifest.json" in tarfile.open(fileobj=io.BytesIO(saved)).getnames()
    client.images.remove("python-tag:two")
    raises(docker.errors.ImageNotFound, client.images.get, "python-tag:two")
    layer = io.BytesIO()
    with tarfile.open(fileobj=layer, mode="w") as tar:
        tar.addfile(tarfile.TarInfo("empty"))
    assert "sha256:" in client.api.import_image_from_data(layer.getvalue(), repository="python-imported")
    client.images.remove("python-imported")
    assert "ImagesDeleted" in client.images.prune()


def builds():
    with tempfile.TemporaryDirectory() as folder:
        files = {
            "Dockerfile": "FROM busybox AS one\nARG WHO\nRUN echo for $WHO > /who\nFROM one AS two\nCOPY . /in\n",
            "kept": "a file",
            "left/out": "no",
            ".dockerignore": "left\n",
            "other.Dockerfile": "FROM busybox\nRUN echo told; exit 3\n",
        }
        for path, text in files.items():
            os.makedirs(os.path.dirname(os.path.join(folder, path)), exist_ok=True)
            with open(os.path.join(folder, path), "w") as file:
                file.write(text)
        image, log = client.images.build(
            path=folder, tag="python-built:1", buildargs={"WHO": "me"}, labels={"made": "here"}, rm=True, nocache=True
        )
        assert "python-built:1" in image.tags and image.labels == {"made": "here"}
        assert any("RUN echo for $WHO > /who" in line.get("stream", "") for line in log)
        assert client.containers.run(image.id, "sh -c 'cat /who; ls /in'", remove=True) == (
            b"for me\nDockerfile\nkept\nother.Dockerfile\n"
        )
        again, log = client.images.build(path=folder, tag="python-built:2", buildargs={"WHO": "me"}, labels={"made": "here"})
        assert again.id == image.id and any("Using cache" in line.get("stream", "") for line in log)
        part, _ = client.images.build(path=folder, target="one", quiet=False, pull=False, forcerm=True)
        assert part.id != image.id and not part.tags
        error = raises(docker.errors.BuildError, client.images.build, path=folder, dockerfile="other.Dockerfile")
        assert "returned a non-zero code: 3" in error.msg
        assert any("told" in line.get("stream", "") for line in error.build_log)
        error = raises(docker.errors.APIError, client.images.build, path=folder, dockerfile="none")
        assert b"none" in error.explanation.encode()
    alone, _ = client.images.build(fileobj=io.BytesIO(b"FROM busybox\nENV A=b\n"), tag="python-alone")
    assert "A=b" in alone.attrs["Config"]["Env"]
    lines = client.api.build(fileobj=io.BytesIO(b"FROM nowhere.invalid/none\n"), decode=True)
    assert any("error" in line for line in lines)
    client.images.remove("python-built:1")
    client.images.remove("python-built:2")
    assert "SpaceReclaimed" in client.api.prune_builds()


for name in sys.argv[3:]:
    began, error = time.monotonic(), None
    try:
        globals()[name]()
    except BaseException:
        error = traceback.format_exc(chain=False)
    print(json.dumps({"flow": name, "error": error, "seconds": time.monotonic() - began}), flush=True)
