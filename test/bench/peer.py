"""The work of the benchmark rows in Dask.

Reads one request per line from standard input, a JSON object with `operation` and its parameters, and writes one answer
per line to standard output: `{"numbers": [...]}` (durations in seconds, memory in bytes) or `{"error": "..."}`. Ends with
its standard input. `--versions` prints what is installed and ends.
"""

import importlib.util
import json
import os
import sys
import time

import dask
import distributed
from distributed import Client, LocalCluster, wait

NUMPY = importlib.util.find_spec("numpy") is not None


def noop(value):
    return value


def following(value):
    return value + 1


def ramp(length):
    import numpy

    return numpy.arange(length, dtype=numpy.float64)


def total(array):
    return float(array.sum())


def payoffs(count, seed):
    """The mean payoff of so many Asian calls, all at once as NumPy likes it."""
    import numpy

    steps = 0.0025 + 0.0577 * numpy.random.default_rng(seed).standard_normal((count, 12))
    return float(numpy.maximum(0, 100 * numpy.exp(numpy.cumsum(steps, axis=1)).mean(axis=1) - 100).mean())


def spin(index, milliseconds):
    end = time.perf_counter() + milliseconds / 1000
    while time.perf_counter() < end:
        pass
    return index


def resident_bytes():
    import psutil

    return psutil.Process().memory_info().rss


class Peer:
    """The clusters of one benchmark row."""

    def __init__(self):
        self.cluster = None
        self.client = None
        self.array = None
        self.graphs = 0

    def start(self, workers):
        self.cluster = LocalCluster(
            n_workers=workers, threads_per_worker=1, processes=True, dashboard_address=None
        )
        self.client = Client(self.cluster)
        self.client.wait_for_workers(workers)
        return []

    def cluster_start(self, workers):
        begin = time.perf_counter()
        self.start(workers)
        expect(self.client.submit(noop, 7, pure=False).result() == 7, "the first result is wrong")
        return [time.perf_counter() - begin]

    def noop_map(self, tasks):
        inputs = list(range(tasks))
        begin = time.perf_counter()
        futures = self.client.map(noop, inputs, pure=False)
        results = self.client.gather(futures)
        seconds = time.perf_counter() - begin
        expect(results == inputs, "the results are wrong")
        return [seconds]

    def roundtrips(self, calls):
        seconds = []
        for value in range(calls):
            begin = time.perf_counter()
            result = self.client.submit(noop, value, pure=False).result()
            seconds.append(time.perf_counter() - begin)
            expect(result == value, "a result is wrong")
        return seconds

    def chain(self, tasks):
        name = self.new_graph()
        graph = {f"{name}-0": (following, 0)}
        graph.update({f"{name}-{k}": (following, f"{name}-{k - 1}") for k in range(1, tasks)})
        return self.run_graph(graph, f"{name}-{tasks - 1}", tasks)

    def fan_in(self, tasks):
        name = self.new_graph()
        keys = [f"{name}-{k}" for k in range(tasks)]
        graph = {key: (noop, k) for k, key in enumerate(keys)}
        graph[f"{name}-sum"] = (sum, keys)
        return self.run_graph(graph, f"{name}-sum", sum_of_ramp(tasks))

    def new_graph(self):
        """A name that no graph had before: Dask would take what it knows for the result."""
        self.graphs += 1
        return f"graph{self.graphs}"

    def run_graph(self, graph, key, expected):
        begin = time.perf_counter()
        result = self.client.get(graph, key)
        seconds = time.perf_counter() - begin
        expect(result == expected, f"the graph's result is {result}")
        return [seconds]

    def scatter(self, length):
        if self.array is None or len(self.array) != length:
            self.array = ramp(length)
        worker = self.addresses()[0]
        begin = time.perf_counter()
        future = self.client.scatter(self.array, direct=True, hash=False, workers=[worker])
        seconds = time.perf_counter() - begin
        expect(self.client.submit(total, future).result() == sum_of_ramp(length), "the scattered array is wrong")
        return [seconds]

    def broadcast(self, length):
        if self.array is None or len(self.array) != length:
            self.array = ramp(length)
        begin = time.perf_counter()
        future = self.client.scatter(self.array, direct=True, hash=False, broadcast=True)
        seconds = time.perf_counter() - begin
        holders = self.client.who_has(future)[future.key]
        expect(len(holders) == len(self.addresses()), "some workers do not have the array")
        return [seconds]

    def gather(self, length):
        future = self.client.submit(ramp, length, pure=False)
        wait(future)
        begin = time.perf_counter()
        array = self.client.gather(future, direct=True)
        seconds = time.perf_counter() - begin
        expect(len(array) == length and array[-1] == length - 1, "the gathered array is wrong")
        return [seconds]

    def small_objects(self, objects, length):
        import numpy

        arrays = [numpy.full(length, k, dtype=numpy.float64) for k in range(objects)]
        begin = time.perf_counter()
        futures = self.client.scatter(arrays, direct=True, hash=False)
        back = self.client.gather(futures, direct=True)
        seconds = time.perf_counter() - begin
        expect(all(array[-1] == k for k, array in enumerate(back)), "a gathered array is wrong")
        return [seconds]

    def monte_carlo(self, samples, batches):
        begin = time.perf_counter()
        futures = self.client.map(payoffs, [samples // batches] * batches, range(batches), pure=False)
        parts = self.client.gather(futures)
        seconds = time.perf_counter() - begin
        expect(abs(sum(parts) / batches - 6.4875) < 0.1, "the estimate is wrong")
        return [seconds]

    def spins(self, tasks, milliseconds):
        begin = time.perf_counter()
        results = self.client.gather(self.client.map(spin, range(tasks), milliseconds=milliseconds, pure=False))
        seconds = time.perf_counter() - begin
        expect(results == list(range(tasks)), "the results are wrong")
        return [seconds]

    def add_worker(self):
        """Starts one more worker, and lets it go again."""
        present = len(self.addresses())
        begin = time.perf_counter()
        self.cluster.scale(present + 1)
        self.client.wait_for_workers(present + 1)
        seconds = time.perf_counter() - begin
        self.cluster.scale(present)
        while len(self.addresses()) > present:
            time.sleep(0.02)
        return [seconds]

    def worker_memory(self):
        return list(self.client.run(resident_bytes).values())

    def stop(self):
        if self.client is not None:
            self.client.close()
            self.cluster.close()
        self.client = self.cluster = None
        return []

    def addresses(self):
        return sorted(self.client.scheduler_info(n_workers=-1)["workers"])


def sum_of_ramp(length):
    return length * (length - 1) / 2


def expect(condition, complaint):
    if not condition:
        raise RuntimeError(complaint)


def versions():
    numpy = importlib.import_module("numpy").__version__ if NUMPY else None
    python = ".".join(map(str, sys.version_info[:3]))
    return {"python": python, "dask": dask.__version__, "distributed": distributed.__version__, "numpy": numpy}


def serve(answers):
    peer = Peer()
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = {"numbers": getattr(peer, request.pop("operation"))(**request)}
        except Exception as error:  # the benchmark says what went wrong and goes on with its next row
            answer = {"error": f"{type(error).__name__}: {error}"}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()
    peer.stop()


if __name__ == "__main__":
    if "--versions" in sys.argv:
        print(json.dumps(versions()))
    else:
        # Whatever else this process or its workers print must not get between the answers.
        answers = os.fdopen(os.dup(1), "w")
        os.dup2(2, 1)
        serve(answers)
