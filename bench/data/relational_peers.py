"""The other engines' side of the workloads in relational-runs.ts."""

import datetime
import os
import shutil


def flights(folder):
    return os.path.join(folder, "flights", "flights.parquet")


def lineitem(folder):
    return os.path.join(folder, "tpch", "lineitem.parquet")


def orders(folder):
    return os.path.join(folder, "tpch", "orders.parquet")


def fresh(folder, name):
    out = os.path.join(folder, name)
    shutil.rmtree(out, ignore_errors=True)
    return out


def taxi_ray(folder):
    import pyarrow.compute as pc
    import ray
    from ray.data.datatype import DataType
    from ray.data.expressions import col, udf

    @udf(return_dtype=DataType.float64())
    def minutes(dropoff, pickup):
        return pc.divide(pc.cast(pc.microseconds_between(pickup, dropoff), "float64"), 60e6)

    out = fresh(folder, "taxi-out-ray")
    plausible = (col("fare") >= 2.5) & (col("passengers") > 0) & (col("distance") > 0)
    trips = ray.data.read_parquet(os.path.join(folder, "taxi"))
    kept = trips.filter(expr=plausible & (col("dropoff") > col("pickup")))
    kept = kept.with_column("minutes", minutes(col("dropoff"), col("pickup")))
    kept = kept.with_column("speed", col("distance") / col("minutes") * 60)
    kept = kept.with_column("tipShare", col("tip") / col("fare"))
    wanted = ["minutes", "speed", "tipShare", "fare", "distance"]
    kept.select_columns(wanted).write_parquet(out)
    return ray.data.read_parquet(out).count()


def taxi_duckdb(folder):
    from peers import taxi_duckdb as same

    return same(folder)


def group_ray(folder):
    import ray
    from ray.data.aggregate import Count, Max, Mean
    from ray.data.expressions import col

    late = ray.data.read_parquet(flights(folder)).filter(expr=col("delay") > 60)
    groups = late.groupby("origin").aggregate(Count(), Mean("delay"), Max("distance"))
    return sum(row["count()"] for row in groups.take_all())


def group_polars(folder):
    import polars as pl

    groups = (
        pl.scan_parquet(flights(folder))
        .filter(pl.col("delay") > 60)
        .group_by("origin")
        .agg(pl.len(), pl.col("delay").mean(), pl.col("distance").max())
    )
    return groups.collect()["len"].sum()


def group_duckdb(folder):
    import duckdb

    rows = duckdb.sql(
        "SELECT origin, count(*), avg(delay), max(distance) "
        f"FROM '{flights(folder)}' WHERE delay > 60 GROUP BY origin"
    ).fetchall()
    return sum(row[1] for row in rows)


def sort_ray(folder):
    import ray

    out = fresh(folder, "sorted-out-ray")
    ray.data.read_parquet(flights(folder)).sort(["distance", "date"]).write_parquet(out)
    return ray.data.read_parquet(out).count()


def sort_polars(folder):
    import polars as pl

    out = os.path.join(folder, "sorted-out-polars.parquet")
    pl.scan_parquet(flights(folder)).sort(["distance", "date"]).collect().write_parquet(out)
    return pl.scan_parquet(out).select(pl.len()).collect().item()


def sort_duckdb(folder):
    import duckdb

    out = os.path.join(folder, "sorted-out-duckdb.parquet")
    duckdb.sql(f"COPY (FROM '{flights(folder)}' ORDER BY distance, date) TO '{out}'")
    return duckdb.sql(f"SELECT count(*) FROM '{out}'").fetchone()[0]


def shuffle_ray(folder):
    import ray

    shuffled = ray.data.read_parquet(flights(folder)).random_shuffle(seed=1)
    batches = shuffled.iter_batches(batch_size=4096, batch_format="pyarrow")
    return sum(len(batch) for batch in batches)


def shuffle_polars(folder):
    import polars as pl

    shuffled = pl.read_parquet(flights(folder)).sample(fraction=1.0, shuffle=True, seed=1)
    return sum(len(batch) for batch in shuffled.iter_slices(4096))


def q1_ray(folder):
    import ray
    from ray.data.aggregate import Count, Mean, Sum
    from ray.data.expressions import col, lit

    items = ray.data.read_parquet(lineitem(folder))
    items = items.filter(expr=col("l_shipdate") <= lit(datetime.datetime(1998, 9, 2)))
    items = items.with_column("price", col("l_extendedprice") * (lit(1.0) - col("l_discount")))
    items = items.with_column("charge", col("price") * (lit(1.0) + col("l_tax")))
    sums = [Sum(name) for name in ["l_quantity", "l_extendedprice", "price", "charge"]]
    means = [Mean(name) for name in ["l_quantity", "l_extendedprice", "l_discount"]]
    groups = items.groupby(["l_returnflag", "l_linestatus"]).aggregate(*sums, *means, Count())
    return sum(row["count()"] for row in groups.take_all())


def q1_polars(folder):
    import polars as pl

    price = pl.col("l_extendedprice") * (1 - pl.col("l_discount"))
    groups = (
        pl.scan_parquet(lineitem(folder))
        .filter(pl.col("l_shipdate") <= datetime.datetime(1998, 9, 2))
        .group_by("l_returnflag", "l_linestatus")
        .agg(
            pl.col("l_quantity", "l_extendedprice").sum().name.suffix(" sum"),
            price.sum().alias("price"),
            (price * (1 + pl.col("l_tax"))).sum().alias("charge"),
            pl.col("l_quantity", "l_extendedprice", "l_discount").mean(),
            pl.len(),
        )
    )
    return groups.collect()["len"].sum()


def q1_duckdb(folder):
    import duckdb

    rows = duckdb.sql(f"""
        SELECT l_returnflag, l_linestatus, sum(l_quantity), sum(l_extendedprice),
            sum(l_extendedprice * (1 - l_discount)),
            sum(l_extendedprice * (1 - l_discount) * (1 + l_tax)),
            avg(l_quantity), avg(l_extendedprice), avg(l_discount), count(*)
        FROM '{lineitem(folder)}' WHERE l_shipdate <= TIMESTAMP '1998-09-02' GROUP BY 1, 2
    """).fetchall()
    return sum(row[-1] for row in rows)


def q6_ray(folder):
    import ray
    from ray.data.expressions import col, lit

    date = col("l_shipdate")
    items = ray.data.read_parquet(lineitem(folder)).filter(
        expr=(date >= lit(datetime.datetime(1994, 1, 1)))
        & (date < lit(datetime.datetime(1995, 1, 1)))
        & (col("l_discount") >= 0.045)
        & (col("l_discount") <= 0.075)
        & (col("l_quantity") < 24)
    )
    items = items.with_column("revenue", col("l_extendedprice") * col("l_discount"))
    return round(items.sum("revenue"))


def q6_polars(folder):
    import polars as pl

    date = pl.col("l_shipdate")
    revenue = (
        pl.scan_parquet(lineitem(folder))
        .filter(date >= datetime.datetime(1994, 1, 1), date < datetime.datetime(1995, 1, 1))
        .filter(pl.col("l_discount").is_between(0.045, 0.075), pl.col("l_quantity") < 24)
        .select((pl.col("l_extendedprice") * pl.col("l_discount")).sum())
    )
    return round(revenue.collect().item())


def q6_duckdb(folder):
    import duckdb

    revenue = duckdb.sql(f"""
        SELECT sum(l_extendedprice * l_discount) FROM '{lineitem(folder)}'
        WHERE l_shipdate >= TIMESTAMP '1994-01-01' AND l_shipdate < TIMESTAMP '1995-01-01'
            AND l_discount BETWEEN 0.045 AND 0.075 AND l_quantity < 24
    """).fetchone()[0]
    return round(revenue)


def join_ray(folder):
    import ray
    from ray.data.aggregate import Count, Sum

    left = ray.data.read_parquet(lineitem(folder), columns=["l_orderkey", "l_extendedprice"])
    right = ray.data.read_parquet(orders(folder))
    joined = left.join(right, "inner", 4, on=("l_orderkey",), right_on=("o_orderkey",))
    groups = joined.groupby("o_orderpriority").aggregate(Count(), Sum("l_extendedprice"))
    return sum(row["count()"] for row in groups.take_all())


def join_polars(folder):
    import polars as pl

    groups = (
        pl.scan_parquet(lineitem(folder))
        .join(pl.scan_parquet(orders(folder)), left_on="l_orderkey", right_on="o_orderkey")
        .group_by("o_orderpriority")
        .agg(pl.len(), pl.col("l_extendedprice").sum())
    )
    return groups.collect()["len"].sum()


def join_duckdb(folder):
    import duckdb

    rows = duckdb.sql(f"""
        SELECT o_orderpriority, count(*), sum(l_extendedprice)
        FROM '{lineitem(folder)}' JOIN '{orders(folder)}' ON l_orderkey = o_orderkey GROUP BY 1
    """).fetchall()
    return sum(row[1] for row in rows)


RELATIONAL = {
    ("ray", "taxi, expressions"): taxi_ray,
    ("duckdb", "taxi, expressions"): taxi_duckdb,
    ("ray", "flights, group"): group_ray,
    ("polars", "flights, group"): group_polars,
    ("duckdb", "flights, group"): group_duckdb,
    ("ray", "flights, sort and write"): sort_ray,
    ("polars", "flights, sort and write"): sort_polars,
    ("duckdb", "flights, sort and write"): sort_duckdb,
    ("ray", "flights, shuffle"): shuffle_ray,
    ("polars", "flights, shuffle"): shuffle_polars,
    ("ray", "TPC-H Q1"): q1_ray,
    ("polars", "TPC-H Q1"): q1_polars,
    ("duckdb", "TPC-H Q1"): q1_duckdb,
    ("ray", "TPC-H Q6"): q6_ray,
    ("polars", "TPC-H Q6"): q6_polars,
    ("duckdb", "TPC-H Q6"): q6_duckdb,
    ("ray", "join and group"): join_ray,
    ("polars", "join and group"): join_polars,
    ("duckdb", "join and group"): join_duckdb,
}
