"""The other engines' side of the data suite: `peers.py <engine> <workload> <folder> <runs> [store]`.

Prints a report as JSON as its last line, as Typeray's process does. Starting an engine is reported
apart. Ray's dashboard is off, which is to Ray's advantage.
"""

import json
import os
import shutil
import sys
import time

from relational_peers import RELATIONAL


def taxi_ray(folder):
    import numpy as np
    import ray

    def clean(batch):
        kept = (
            (batch["fare"] >= 2.5)
            & (batch["passengers"] > 0)
            & (batch["distance"] > 0)
            & (batch["dropoff"] > batch["pickup"])
        )
        taken = batch["dropoff"][kept] - batch["pickup"][kept]
        minutes = taken / np.timedelta64(1, "m")
        return {
            "minutes": minutes,
            "speed": batch["distance"][kept] / minutes * 60,
            "tipShare": batch["tip"][kept] / batch["fare"][kept],
            "fare": batch["fare"][kept],
            "distance": batch["distance"][kept],
        }

    out = os.path.join(folder, "taxi-out-ray")
    shutil.rmtree(out, ignore_errors=True)
    trips = ray.data.read_parquet(os.path.join(folder, "taxi"))
    trips.map_batches(clean, batch_format="numpy", batch_size=None).write_parquet(out)
    return ray.data.read_parquet(out).count()


def taxi_polars(folder):
    import polars as pl

    out = os.path.join(folder, "taxi-out-polars.parquet")
    trips = pl.scan_parquet(os.path.join(folder, "taxi", "*.parquet"))
    minutes = (pl.col("dropoff") - pl.col("pickup")).dt.total_microseconds() / 60e6
    kept = trips.filter(
        (pl.col("fare") >= 2.5)
        & (pl.col("passengers") > 0)
        & (pl.col("distance") > 0)
        & (pl.col("dropoff") > pl.col("pickup"))
    ).select(
        minutes.alias("minutes"),
        (pl.col("distance") / minutes * 60).alias("speed"),
        (pl.col("tip") / pl.col("fare")).alias("tipShare"),
        "fare",
        "distance",
    )
    kept.collect().write_parquet(out)
    return pl.scan_parquet(out).select(pl.len()).collect().item()


def taxi_duckdb(folder):
    import duckdb

    out = os.path.join(folder, "taxi-out-duckdb.parquet")
    connection = duckdb.connect()
    connection.sql(f"""
        COPY (
            SELECT epoch_us(dropoff - pickup) / 60e6 AS minutes,
                distance / minutes * 60 AS speed, tip / fare AS tipShare, fare, distance
            FROM read_parquet('{folder}/taxi/*.parquet')
            WHERE fare >= 2.5 AND passengers > 0 AND distance > 0 AND dropoff > pickup
        ) TO '{out}' (FORMAT parquet)
    """)
    return connection.sql(f"SELECT count(*) FROM '{out}'").fetchone()[0]


def inference_ray(folder):
    import numpy as np
    import ray

    class Perceptron:
        def __init__(self):
            self.first = np.sin(np.arange(8 * 64)).reshape(64, 8).T
            self.second = np.cos(np.arange(64)) / 64

        def __call__(self, batch):
            x = np.outer(batch["id"], np.arange(1, 9)) % 1000 / 1000
            return {"score": np.maximum(x @ self.first, 0) @ self.second}

    scores = ray.data.range(3_000_000).map_batches(
        Perceptron, concurrency=2, batch_size=None, num_cpus=0.5
    )
    positive = 0
    for batch in scores.iter_batches(batch_size=None):
        positive += int((batch["score"] > 0).sum())
    return positive


def stream_ray(folder):
    import numpy as np
    import ray

    def fill(batch):
        return {"value": np.full(8 * 1024 * 1024, float(batch["id"][0]))}

    wide = ray.data.range(128, override_num_blocks=128).map_batches(fill, batch_size=None)
    total = 0.0
    for batch in wide.iter_batches(batch_size=None):
        total += batch["value"][0] + batch["value"][-1]
    return total


def images_ray(folder):
    import numpy as np
    import ray

    side = 224

    def crop_and_flip(row):
        image = row["image"]
        top, left = (image.shape[0] - side) // 2, (image.shape[1] - side) // 2
        cropped = image[top : top + side, left : left + side]
        return {"image": np.ascontiguousarray(cropped[:, ::-1])}

    images = ray.data.read_images(os.path.join(folder, "images"), mode="RGB")
    batches = images.map(crop_and_flip).iter_batches(batch_size=32)
    return sum(image.nbytes for batch in batches for image in batch["image"])


def blocks_ray(folder):
    import ray

    made = ray.data.range(10_000, override_num_blocks=10_000)
    return made.map(lambda row: {"id": row["id"] + 1}).materialize().count()


WORKLOADS = {
    ("ray", "taxi, function per batch"): taxi_ray,
    ("polars", "taxi, function per batch"): taxi_polars,
    ("duckdb", "taxi, function per batch"): taxi_duckdb,
    ("ray", "batch inference"): inference_ray,
    ("ray", "8 GiB through 1 GB"): stream_ray,
    ("ray", "images"): images_ray,
    ("ray", "10 000 blocks of a row"): blocks_ray,
}
WORKLOADS.update(RELATIONAL)


def start(engine, store_bytes):
    started = time.perf_counter()
    if engine == "ray":
        import ray

        ray.init(
            # Never a cluster that somebody else has, or had, on this machine.
            address="local",
            num_cpus=os.cpu_count(),
            include_dashboard=False,
            object_store_memory=store_bytes,
            logging_level="error",
            log_to_driver=False,
        )
        import ray.data

        ray.data.DataContext.get_current().enable_progress_bars = False

        @ray.remote
        def warm_up():
            return 1

        ray.get([warm_up.remote() for _ in range(4)])
    elif engine == "polars":
        import polars  # noqa: F401
    else:
        import duckdb  # noqa: F401
    return time.perf_counter() - started


def main():
    engine, name, folder, runs = sys.argv[1:5]
    store_bytes = int(float(sys.argv[5])) if len(sys.argv) > 5 else None
    work = WORKLOADS[(engine, name)]
    start_seconds = start(engine, store_bytes)
    seconds = []
    answer = 0
    for _ in range(int(runs)):
        began = time.perf_counter()
        answer = work(folder)
        seconds.append(time.perf_counter() - began)
    report = {"startSeconds": start_seconds, "seconds": seconds, "answer": float(answer)}
    print(json.dumps(report), flush=True)


if __name__ == "__main__":
    main()
