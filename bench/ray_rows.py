"""Ray's side of the core suite: the same rows, the same work, the same protocol.

As a contestant of the bench (`--channel 3`) it answers requests as JSON lines on that descriptor.
By itself, `python ray_rows.py [row filter]`, it runs all matching rows and prints their figures as
JSON.

One Ray session serves all rows, because it takes seconds to start; rows that measure a start, or
memory at rest, end that session first. The dashboard is off, which is to Ray's advantage.
"""

import json
import multiprocessing
import os
import subprocess
import sys
import time

import numpy as np
import ray

WARM_UP_SECONDS = 1.0
ROUNDS = 4
CLIENTS = 4
SERVERS = max(1, multiprocessing.cpu_count() // 2)
WORKERS = 2


@ray.remote
def small_value():
    return b"ok"


@ray.remote
def incremented(number):
    return number + 1


@ray.remote
def sum_with(number, options):
    return number + options["a"]


@ray.remote
def process_id_after(seconds):
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        pass
    return os.getpid()


@ray.remote
def put_100_small():
    for _ in range(100):
        ray.put(0)


@ray.remote
def put_10_times_80_mb():
    for _ in range(10):
        ray.put(np.zeros(10 * 1024 * 1024, dtype=np.int64))


@ray.remote
def ten_thousand_refs():
    return [ray.put(1) for _ in range(10_000)]


@ray.remote
def count_to(n):
    for i in range(n):
        yield i


@ray.remote(num_cpus=0)
class Server:
    def small_value(self):
        return b"ok"

    def small_value_arg(self, _argument):
        return b"ok"

    def small_task_batch(self, n):
        ray.get([small_value.remote() for _ in range(n)])


@ray.remote
class AsyncServer:
    async def small_value(self):
        return b"ok"

    async def small_value_arg(self, _argument):
        return b"ok"


@ray.remote(num_cpus=0)
class Client:
    def __init__(self, servers):
        self.servers = servers

    def call_each(self, n):
        ray.get([s.small_value.remote() for s in self.servers for _ in range(n)])

    def call_each_with_ref(self, n):
        argument = ray.put(0)
        ray.get([s.small_value_arg.remote(argument) for s in self.servers for _ in range(n)])


@ray.remote
def call_in_turn(servers, n):
    ray.get([servers[i % len(servers)].small_value.remote() for i in range(n)])


# Probes: `rate` and `duration` are steps that a round repeats, `sample` measures itself. Whatever a
# probe needs lives in its closure, so that closing the row drops the last references.


def rate(units, step):
    return ("rate", units, step)


def duration(unit_seconds, step):
    return ("duration", unit_seconds, step)


def sample(measure):
    return ("sample", 1, measure)


def batch(count, submit):
    return lambda: ray.get([submit(i) for i in range(count)])


def get_calls():
    value = ray.put(0)
    return rate(1, lambda: ray.get(value))


def put_gigabytes(array, gigabytes):
    return rate(gigabytes, lambda: ray.put(array))


def random_bytes(length):
    return np.frombuffer(np.random.default_rng().bytes(length), dtype=np.uint8)


def get_10k_refs():
    container = ten_thousand_refs.remote()
    return rate(1, lambda: ray.get(container))


def wait_1k_refs():
    def step():
        not_ready = [small_value.remote() for _ in range(1000)]
        fetch_local = True
        while not_ready:
            _, not_ready = ray.wait(not_ready, fetch_local=fetch_local)
            fetch_local = False

    return rate(1, step)


def get_100_mb():
    ref = ray.put(random_bytes(100_000_000))
    return duration(0.001, lambda: ray.get(ref))


def multi_client_tasks():
    clients = [Server.remote() for _ in range(CLIENTS)]
    step = batch(CLIENTS, lambda i: clients[i].small_task_batch.remote(10_000))
    return rate(CLIENTS * 10_000, step)


def chain():
    def step():
        ref = incremented.remote(0)
        for _ in range(999):
            ref = incremented.remote(ref)
        ray.get(ref)

    return duration(1, step)


def streaming():
    def step():
        for ref in count_to.options(num_returns="streaming").remote(1000):
            ray.get(ref)

    return rate(1000, step)


def calls_sync(server_class):
    server = server_class.remote()
    return rate(1, lambda: ray.get(server.small_value.remote()))


def calls_async(server_class, **options):
    server = server_class.options(**options).remote()
    return rate(1000, batch(1000, lambda _: server.small_value.remote()))


def calls_with_int():
    server = AsyncServer.remote()
    return rate(1000, batch(1000, lambda i: server.small_value_arg.remote(i)))


def one_to_many(server_class):
    client = Client.remote([server_class.remote() for _ in range(SERVERS)])
    return rate(5000 * SERVERS, lambda: ray.get(client.call_each.remote(5000)))


def many_to_many(server_class):
    servers = [server_class.remote() for _ in range(SERVERS)]
    return rate(5000 * CLIENTS, batch(CLIENTS, lambda _: call_in_turn.remote(servers, 5000)))


def many_to_many_with_ref():
    clients = [Client.remote([Server.remote()]) for _ in range(SERVERS)]
    step = batch(SERVERS, lambda i: clients[i].call_each_with_ref.remote(1000))
    return rate(1000 * SERVERS, step)


def placement_groups():
    def step():
        groups = [ray.util.placement_group(bundles=[{"custom": 0.001}]) for _ in range(100)]
        for group in groups:
            group.wait(timeout_seconds=30)
        for group in groups:
            ray.util.remove_placement_group(group)

    return rate(100, step)


def create_and_call():
    def measure():
        started = time.perf_counter()
        servers = [Server.remote() for _ in range(20)]
        ray.get([server.small_value.remote() for server in servers])
        elapsed = time.perf_counter() - started
        for server in servers:
            ray.kill(server)
        return 20 / elapsed

    return sample(measure)


def in_fresh_process(mode, *, whole=False):
    """Runs this file in a process of its own; takes what it prints, or how long it took."""

    def measure():
        started = time.perf_counter()
        command = [sys.executable, os.path.abspath(__file__), mode]
        printed = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
        elapsed = time.perf_counter() - started
        return elapsed if whole else float(printed.decode().split()[-1])

    return sample(measure)


ZEROS_800_MB = 100 * 1024 * 1024

ROWS = {
    "single client get calls (Plasma Store)": get_calls,
    "single client put calls (Plasma Store)": lambda: rate(1, lambda: ray.put(0)),
    "multi client put calls (Plasma Store)": lambda: rate(
        1000, batch(10, lambda _: put_100_small.remote())
    ),
    "single client put gigabytes": lambda: put_gigabytes(
        np.zeros(ZEROS_800_MB, dtype=np.int64), 0.8
    ),
    "multi client put gigabytes": lambda: rate(
        8, batch(10, lambda _: put_10_times_80_mb.remote())
    ),
    "single client get object containing 10k refs": get_10k_refs,
    "single client wait 1k refs": wait_1k_refs,
    "put 80 MB, warm pages": lambda: put_gigabytes(random_bytes(80_000_000), 0.08),
    "put 800 MB, warm pages": lambda: put_gigabytes(random_bytes(800_000_000), 0.8),
    "get 100 MB zero-copy": get_100_mb,
    "single client tasks and get batch": lambda: rate(
        1, batch(1000, lambda _: small_value.remote())
    ),
    "single client tasks sync": lambda: rate(1, lambda: ray.get(small_value.remote())),
    "single client tasks async": lambda: rate(
        1000, batch(1000, lambda _: small_value.remote())
    ),
    "multi client tasks async": multi_client_tasks,
    "tasks with int arg": lambda: rate(1000, batch(1000, lambda i: incremented.remote(i))),
    "tasks with object arg": lambda: rate(
        1000, batch(1000, lambda i: sum_with.remote(i, {"a": 1}))
    ),
    "chain of 1000 tasks": chain,
    "streaming generator items": streaming,
    "1:1 actor calls sync": lambda: calls_sync(Server),
    "1:1 actor calls async": lambda: calls_async(Server),
    "1:1 actor calls concurrent": lambda: calls_async(Server, max_concurrency=16),
    "1:n actor calls async": lambda: one_to_many(Server),
    "n:n actor calls async": lambda: many_to_many(Server),
    "n:n actor calls with arg async": many_to_many_with_ref,
    "1:1 async-actor calls sync": lambda: calls_sync(AsyncServer),
    "1:1 async-actor calls async": lambda: calls_async(AsyncServer),
    "1:1 async-actor calls with args async": calls_with_int,
    "1:n async-actor calls async": lambda: one_to_many(AsyncServer),
    "n:n async-actor calls async": lambda: many_to_many(AsyncServer),
    "placement group create/removal": placement_groups,
    "actors created and called": create_and_call,
    "init to first result": lambda: in_fresh_process("--first-result"),
    "program with one task, start to exit": lambda: in_fresh_process(
        "--first-result", whole=True
    ),
    "idle memory, control processes and 2 workers": lambda: in_fresh_process("--idle-memory"),
}

FRESH_ROWS = {
    "init to first result",
    "program with one task, start to exit",
    "idle memory, control processes and 2 workers",
}


def start_session(**options):
    ray.init(
        address="local",
        include_dashboard=False,
        log_to_driver=False,
        logging_level="error",
        **options,
    )


def repeat(step, count, seconds):
    """Runs steps for at least so long, with a look at the clock after every `count` of them."""
    started = time.perf_counter()
    done = 0
    while True:
        for _ in range(count):
            step()
        done += count
        elapsed = time.perf_counter() - started
        if elapsed >= seconds:
            return done, elapsed


class Timeit:
    def __init__(self, row, seconds):
        if row in FRESH_ROWS:
            ray.shutdown()
        elif not ray.is_initialized():
            start_session(resources={"custom": 100})
        self.kind, self.unit, self.step = ROWS[row]()
        self.seconds = seconds
        self.count = 1
        if self.kind != "sample":
            done, _ = repeat(self.step, 1, min(WARM_UP_SECONDS, 2 * seconds))
            self.count = done // 10 + 1

    def round(self):
        if self.kind == "sample":
            return self.step()
        done, elapsed = repeat(self.step, self.count, self.seconds)
        return self.unit * done / elapsed if self.kind == "rate" else elapsed / done / self.unit


def answer(request, state):
    operation = request["op"]
    if operation == "open":
        # A row that failed was not closed.
        state.pop("timeit", None)
        state["timeit"] = Timeit(request["row"], request["roundMs"] / 1000)
    elif operation == "round":
        return {"value": state["timeit"].round()}
    elif operation == "close":
        state.pop("timeit", None)
    elif operation == "quit":
        ray.shutdown()
    return {}


def serve(descriptor):
    os.set_inheritable(descriptor, False)
    if not ray.__version__.startswith("2.58."):
        print(f"The column says Ray 2.58; this is Ray {ray.__version__}.", file=sys.stderr)
    state = {}
    with os.fdopen(descriptor, "r", closefd=False) as requests:
        for line in requests:
            request = json.loads(line)
            try:
                reply = answer(request, state)
            except Exception as error:  # The row fails, the process goes on.
                reply = {"error": f"{type(error).__name__}: {error}"}
            os.write(descriptor, (json.dumps(reply) + "\n").encode())
            if request["op"] == "quit":
                return
    ray.shutdown()


def run_alone(row_filter):
    seconds = float(os.environ.get("TYPERAY_BENCH_SECONDS", "1"))
    figures = {}
    for row in ROWS:
        if not any(part in row for part in row_filter.split(",")):
            continue
        try:
            timeit = Timeit(row, seconds)
            rounds = [timeit.round() for _ in range(ROUNDS)]
            mean, sd = float(np.mean(rounds)), float(np.std(rounds))
            figures[row] = {"mean": mean, "sd": sd, "rounds": rounds}
        except Exception as error:
            figures[row] = {"error": f"{type(error).__name__}: {error}"}
        timeit = None
        print(row, figures[row], file=sys.stderr)
    ray.shutdown()
    print(json.dumps({"ray": ray.__version__, "rows": figures}, indent=2))


def print_first_result():
    started = time.perf_counter()
    start_session()
    ray.get(small_value.remote())
    print(time.perf_counter() - started)
    ray.shutdown()


def descendants_of(root):
    children = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/stat") as stat:
                parent = int(stat.read().rpartition(")")[2].split()[1])
        except (FileNotFoundError, ProcessLookupError):
            continue
        children.setdefault(parent, []).append(int(name))
    found, pending = [], [root]
    while pending:
        below = children.get(pending.pop(), [])
        found += below
        pending += below
    return found


def pss_bytes(pid):
    try:
        with open(f"/proc/{pid}/smaps_rollup") as rollup:
            sizes = [int(line.split()[1]) for line in rollup if line.startswith("Pss:")]
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return sum(sizes) * 1024


def print_idle_memory():
    start_session(num_cpus=WORKERS)
    seen = set()
    while len(seen) < WORKERS:
        seen.update(ray.get([process_id_after.remote(0.2) for _ in range(WORKERS)]))
    time.sleep(1)
    print(sum(map(pss_bytes, descendants_of(os.getpid()))) / 1e6)
    ray.shutdown()


def main():
    arguments = sys.argv[1:]
    if arguments[:1] == ["--channel"]:
        serve(int(arguments[1]))
    elif arguments == ["--first-result"]:
        print_first_result()
    elif arguments == ["--idle-memory"]:
        print_idle_memory()
    else:
        run_alone(arguments[0] if arguments else "")


if __name__ == "__main__":
    main()
