"""OPAL's server, and beside it a source of data that also takes reports.

Says in one line of JSON where both are, and the master token. Of the lines that it reads, `put PATH JSON` sets what the
source has, nothing if there is no JSON, `reports` is answered with the reports that have come, `stop` ends the server and `start` begins it anew at the
same address, `client URL` begins opal-client with the policy store there, `client URL SERVER TOKEN` one of another server, `commit PATH TEXT` changes the repository of policy (`\\n` ends a line in it, no text removes the file); all but one
are answered with an empty line. Ends when there is nothing left to read.
"""

import http.server
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

processes = []
documents = {}
reports = []


class Source(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        found = documents.get(self.path)
        body = (found if found is not None else "none").encode()
        self.send_response(200 if found is not None else 404)
        # OPAL reads nothing else.
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        reports.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_):
        pass


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


source = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Source)
threading.Thread(target=source.serve_forever, daemon=True).start()
source_url = f"http://127.0.0.1:{source.server_port}"
port = free_port()
url = f"http://127.0.0.1:{port}"
entry = {"url": f"{source_url}/base", "topics": ["policy_data"], "dst_path": "/base"}
settings = {
    "OPAL_REPO_WATCHER_ENABLED": "false",
    "OPAL_POLICY_REPO_URL": "",
    "OPAL_LOG_LEVEL": "ERROR",
    "OPAL_DATA_CONFIG_SOURCES": json.dumps({"config": {"entries": [entry]}}),
}
if "secure" in sys.argv:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    settings["OPAL_AUTH_PRIVATE_KEY"] = private.decode().replace("\n", "_")
    settings["OPAL_AUTH_PUBLIC_KEY"] = public.decode()
    settings["OPAL_AUTH_MASTER_TOKEN"] = "master"


repository = tempfile.TemporaryDirectory()


def git(*arguments):
    identity = ["-c", "user.name=t", "-c", "user.email=t@t"]
    subprocess.run(["git", "-C", repository.name, *identity, *arguments], check=True, stdout=subprocess.DEVNULL)


def commit(path, text):
    whole = os.path.join(repository.name, path)
    os.makedirs(os.path.dirname(whole), exist_ok=True)
    if text:
        with open(whole, "w") as file:
            file.write(text.replace("\\n", "\n"))
    else:
        os.remove(whole)
    git("add", "-A")
    git("commit", "-q", "-m", "change")


if "policy" in sys.argv:
    git("init", "-q", "-b", "master")
    commit("app/app.rego", "package app\\n\\nversion := 1\\n")
    commit("app/data.json", '{"limit": 1}')
    clones = tempfile.TemporaryDirectory()
    settings["OPAL_REPO_WATCHER_ENABLED"] = "true"
    settings["OPAL_POLICY_REPO_URL"] = repository.name
    settings["OPAL_POLICY_REPO_POLLING_INTERVAL"] = "1"
    settings["OPAL_POLICY_REPO_CLONE_PATH"] = clones.name
    # Of the servers that share this file only one looks after its repository.
    settings["OPAL_LEADER_LOCK_FILE_PATH"] = os.path.join(clones.name, "leader.lock")


def start(app="opal_server.main:app", port=port, settings=settings):
    command = [sys.executable, "-m", "uvicorn", app, "--port", str(port), "--log-level", "error"]
    process = subprocess.Popen(command, env={**os.environ, **settings}, stdout=sys.stderr)
    processes.append(process)
    for _ in range(600):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=1).close()
            return process
        except urllib.error.HTTPError:
            # The client is there, but not well yet.
            return process
        except OSError:
            if process.poll() is not None:
                sys.exit("the server has ended")
            time.sleep(0.1)
    sys.exit("the server does not answer")


documents["/base"] = json.dumps({"loaded": 1})
process = start()
repository_name = repository.name if "policy" in sys.argv else ""
print(json.dumps({"url": url, "source": source_url, "master": "master", "repository": repository_name}), flush=True)
try:
    for line in sys.stdin:
        command, _, rest = line.rstrip("\n").partition(" ")
        answer = ""
        if command == "put":
            path, _, document = rest.partition(" ")
            documents[path] = document or None
        elif command == "commit":
            path, _, text = rest.partition(" ")
            commit(path, text)
        elif command == "client":
            store, _, other = rest.partition(" ")
            server, _, token = other.partition(" ")
            client = {
                "OPAL_SERVER_URL": server or url,
                "OPAL_CLIENT_TOKEN": token or "none",
                "OPAL_POLICY_STORE_URL": store,
                "OPAL_INLINE_OPA_ENABLED": "false",
                "OPAL_LOG_LEVEL": "ERROR",
                "OPAL_STATISTICS_ENABLED": "false",
            }
            start("opal_client.main:app", free_port(), client)
        elif command == "reports":
            answer = json.dumps(reports)
        elif command == "stop":
            process.kill()
            process.wait()
        elif command == "start":
            process = start()
        print(answer, flush=True)
finally:
    for process in processes:
        process.kill()
        process.wait()
