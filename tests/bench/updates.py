"""Time from publishing an update to the decision that sees it: Regent's hub and agent beside opal-server and opal-client,
whose policy store is an agent too, in turns on the same machine. Once alone, and once among many subscribers.

    updates.py REGENT PACKAGES [--updates N] [--rounds N] [--others N]

REGENT is the program, PACKAGES the folder that the interoperability tests install OPAL in.
"""

import argparse
import asyncio
import http.client
import json
import os
import socket
import statistics
import subprocess
import sys
import time

SERVER = os.path.join(os.path.dirname(__file__), "..", "interop", "opal", "server.py")
processes = []


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start(command, **options):
    processes.append(subprocess.Popen(command, stderr=subprocess.DEVNULL, **options))
    return processes[-1]


def ask(connection, method, path, body=None):
    connection.request(method, path, body and json.dumps(body), {"Content-Type": "application/json"})
    answer = connection.getresponse()
    return answer.status, answer.read()


def until(what, check, limit=60):
    end = time.monotonic() + limit
    while time.monotonic() < end:
        try:
            if check():
                return
        except OSError:
            pass
        time.sleep(0.05)
    sys.exit(f"{what}: not within {limit} s")


def connect(port):
    return http.client.HTTPConnection("127.0.0.1", port, timeout=30)


def agent(regent, port, *arguments):
    start([regent, "run", "--server", "--addr", f"127.0.0.1:{port}", "--log-level", "error", *arguments])
    until("the agent", lambda: ask(connect(port), "GET", "/health")[0] == 200)


class Peers:
    """Subscribers that answer and do nothing else."""

    def __init__(self, port, count):
        self.process = start([sys.executable, __file__, "--subscribe", str(port), str(count)], stdout=subprocess.PIPE)
        self.process.stdout.readline()

    def stop(self):
        self.process.kill()
        self.process.wait()


async def subscribe(port, count):
    import websockets

    async def one(ready):
        async with websockets.connect(f"ws://127.0.0.1:{port}/ws") as socket:
            request = {"method": "subscribe", "arguments": {"topics": ["policy_data"]}, "call_id": "1"}
            await socket.send(json.dumps({"request": request}))
            async for text in socket:
                message = json.loads(text)
                request = message.get("request")
                if request:
                    answer = {"result": "None", "result_type": "str", "call_id": request["call_id"]}
                    await socket.send(json.dumps({"response": answer}))
                else:
                    ready.set()

    events = [asyncio.Event() for _ in range(count)]
    tasks = [asyncio.create_task(one(event)) for event in events]
    for event in events:
        await event.wait()
    print("ready", flush=True)
    await asyncio.gather(*tasks)


def measure(hub, store, updates, latencies):
    publisher, decider = connect(hub), connect(store)
    for _ in range(updates):
        measure.number += 1
        update = {"entries": [{"url": "", "data": {"n": measure.number}, "dst_path": "/bench"}]}
        expected = json.dumps({"result": measure.number}).encode().replace(b" ", b"")
        begin = time.perf_counter()
        status, body = ask(publisher, "POST", "/data/config", update)
        assert status == 200, body
        while ask(decider, "GET", "/v1/data/bench/n")[1].strip() != expected:
            pass
        latencies.append((time.perf_counter() - begin) * 1000)


measure.number = 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("regent")
    parser.add_argument("packages")
    parser.add_argument("--updates", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--others", type=int, default=199)
    options = parser.parse_args()
    os.environ["PYTHONPATH"] = os.path.abspath(options.packages)
    hub, ours, theirs = free_port(), free_port(), free_port()
    start([options.regent, "hub", "--log-level", "error", "--set", f"hub.addr=127.0.0.1:{hub}"])
    until("the hub", lambda: ask(connect(hub), "GET", "/")[0] == 200)
    agent(options.regent, ours, "--set", f"data_updates.server_url=http://127.0.0.1:{hub}")
    agent(options.regent, theirs)
    opal = start([sys.executable, SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    url = json.loads(opal.stdout.readline())["url"]
    opal.stdin.write(f"client http://127.0.0.1:{theirs}\n")
    opal.stdin.flush()
    opal.stdout.readline()
    until("opal-client", lambda: b"loaded" in ask(connect(theirs), "GET", "/v1/data/base")[1])
    systems = {"Regent": (hub, ours), "OPAL": (int(url.rsplit(":", 1)[1]), theirs)}
    for others in (0, options.others):
        peers = [Peers(server, others) for server, _ in systems.values()] if others else []
        latencies = {name: [] for name in systems}
        for name, system in systems.items():
            measure(*system, 20, [])
        for _ in range(options.rounds):
            for name, system in systems.items():
                measure(*system, options.updates, latencies[name])
        for name, found in latencies.items():
            cuts = statistics.quantiles(found, n=100)
            print(f"{others:4} other subscribers: {name:7} p50 {cuts[49]:7.2f} ms, p99 {cuts[98]:7.2f} ms of {len(found)}")
        for one in peers:
            one.stop()


if __name__ == "__main__":
    if sys.argv[1:2] == ["--subscribe"]:
        asyncio.run(subscribe(int(sys.argv[2]), int(sys.argv[3])))
    else:
        try:
            main()
        finally:
            for process in processes:
                if process.stdin:
                    process.stdin.close()
                    process.wait(timeout=30)
                process.kill()
                process.wait()
