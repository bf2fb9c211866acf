"""Ray's side of the cluster suite: several nodes of `ray.cluster_utils.Cluster` on this machine.

The protocol is that of `ray_rows.py`, which does the talking. Every row has a cluster of its own.
"""

import os
import sys
import time

import numpy as np
import ray
from ray.cluster_utils import Cluster
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

import ray_rows  # noqa: E402

GIB = 1024**3


@ray.remote
def small_value():
    return b"ok"


@ray.remote
class Reader:
    def read_seconds(self, refs):
        started = time.perf_counter()
        array = ray.get(refs[0])
        elapsed = time.perf_counter() - started
        assert array[0] == 1 and array[-1] == 2
        return elapsed


def open_nodes(count, store=256_000_000):
    ray.shutdown()
    cluster = Cluster()
    nodes = [
        cluster.add_node(num_cpus=1, object_store_memory=store, include_dashboard=False)
        for _ in range(count)
    ]
    ray.init(address=cluster.address, log_to_driver=False, logging_level="error")
    return cluster, nodes


def on(node):
    return NodeAffinitySchedulingStrategy(node.node_id, soft=False)


def round_trip():
    cluster, nodes = open_nodes(2)
    task = small_value.options(scheduling_strategy=on(nodes[1]))
    return ray_rows.rate(1, lambda: (cluster, ray.get(task.remote())))


def tasks_async():
    cluster, _ = open_nodes(2)
    return ray_rows.rate(
        1000, lambda: (cluster, ray.get([small_value.remote() for _ in range(1000)]))
    )


def transfer():
    cluster, nodes = open_nodes(2, store=3 * GIB)
    reader = Reader.options(scheduling_strategy=on(nodes[1])).remote()
    array = np.full(GIB, 7, dtype=np.uint8)
    array[0], array[-1] = 1, 2

    def measure():
        ref = ray.put(array)
        elapsed = ray.get(reader.read_seconds.remote([ref]))
        ray.internal.free([ref])
        return GIB / 1e9 / elapsed if cluster else 0

    measure()
    return ray_rows.sample(measure)


ray_rows.ROWS = {
    "remote task round trip": round_trip,
    "tasks async over 2 nodes": tasks_async,
    "1 GiB object node to node": transfer,
}
# Every row ends the session of the row before.
ray_rows.FRESH_ROWS = set(ray_rows.ROWS)

if __name__ == "__main__":
    ray_rows.main()
