"""A Costate client in Python that uses nothing but grpcio and the .proto files.

    python client.py ~/.costate/meshes/demo

It scatters a million bytes of float64 to a worker, runs two registered tasks on them (see tasks.mjs), brings the results
back, a large one straight from the worker and a small one with the answer, and compares them bit for bit.
"""

import array
import json
import pathlib
import secrets
import sys
import uuid

import grpc

import stubs  # noqa: F401  makes the next imports possible
from costate.scheduler.v1 import job_pb2, scheduler_service_pb2 as scheduler
from costate.scheduler.v1.scheduler_service_pb2_grpc import SchedulerServiceStub
from costate.types.v1.value_pb2 import Payload
from google.protobuf.duration_pb2 import Duration
from rich_error_pb2 import ErrorInfo, Status

from bulk import TransferStream
from values import arguments, object_reference, task_reference, tensor_of, to_python

FACTOR = 3.0


class Mesh:
    """A mesh on this machine. Its folder says where the scheduler listens, and holds the token of clients."""

    def __init__(self, folder):
        address = json.loads((folder / "addresses" / "scheduler.json").read_text())["addresses"][0]
        token = (folder / "tokens" / "client").read_text().strip()
        self.metadata = (("authorization", f"Bearer {token}"),)
        self._stub = SchedulerServiceStub(grpc.insecure_channel(address))

    def call(self, method, request, timeout=30):
        """A unary call with a deadline, as every unary call should have one."""
        return getattr(self._stub, method)(request, metadata=self.metadata, timeout=timeout)

    def scatter(self, numbers):
        """Puts an array into the memory of the first worker. Returns the id of the object."""
        worker = self.call("ListWorkers", scheduler.ListWorkersRequest()).workers[0]
        object_id = f"o-{uuid.uuid4()}"
        with TransferStream(worker.addresses[0], self.metadata) as stream:
            stream.put(object_id, tensor_of(numbers), numbers.tobytes(), str(uuid.uuid4()))
        print(f"scattered {len(numbers)} numbers to {worker.worker_id} as {object_id}")
        return object_id

    def run(self, functions, tasks):
        """Submits a job of tasks (function, arguments), waits until it is settled, and returns its id."""
        spec = job_pb2.JobSpec(
            name="polyglot",
            functions=[_registered(name) for name in functions],
            tasks=[job_pb2.TaskSpec(function=function, input=input) for function, input in tasks],
            # W3C trace context: with it, `costate trace <job>` shows where the time went.
            trace={"traceparent": f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01"},
        )
        # The same request id again would get the same answer: a submit that got none can be repeated.
        request = scheduler.SubmitJobRequest(request_id=str(uuid.uuid4()), job=spec)
        job_id = self.call("SubmitJob", request).receipt.job_id
        while True:
            request = scheduler.WaitJobRequest(job_id=job_id, timeout=Duration(seconds=20))
            job = self.call("WaitJob", request).job
            if job.state != job_pb2.JOB_STATE_RUNNING:
                print(f"job {job_id} settled as {job_pb2.JobState.Name(job.state)}")
                return job_id

    def result(self, job_id, index):
        """The result of a task: a small one lies in the answer, a large one is fetched from a worker that holds it."""
        task_id = f"{job_id}/{index}"
        task = self.call("GetTask", scheduler.GetTaskRequest(task_id=task_id)).task
        if task.state != job_pb2.TASK_STATE_FINISHED:
            raise RuntimeError(f"task {task_id} failed: {task.failure.error_name} {task.failure.message}")
        if task.result.WhichOneof("location") == "payload":
            payload = Payload.FromString(task.result.payload)
            print(f"task {task_id}: {len(task.result.payload)} bytes in the answer")
            return to_python(payload.root, payload.body)
        with TransferStream(task.result.holders[0].addresses[0], self.metadata) as stream:
            structure, body = stream.get(task_id)
        print(f"task {task_id}: {len(body)} bytes from {task.result.holders[0].worker_id}")
        return to_python(structure, body)


def _registered(name_and_version):
    name, _, version = name_and_version.partition("@")
    return job_pb2.FunctionRef(registered=job_pb2.RegisteredFunction(name=name, version=version))


def describe_error(error):
    """What a failed call says: the code, and the reason for programs from the rich details in its trailer."""
    for key, value in error.trailing_metadata() or ():
        if key == "grpc-status-details-bin":
            for detail in Status.FromString(value).details:
                info = ErrorInfo()
                if detail.Unpack(info):
                    return f"{error.code().name} {info.domain}/{info.reason} {dict(info.metadata)}: {error.details()}"
    return f"{error.code().name}: {error.details()}"


def main(folder):
    mesh = Mesh(folder)
    numbers = array.array("d", [0.1, -0.0, float("nan"), float("inf"), 5e-324])
    numbers.extend(index / 7 for index in range(120_000))
    object_id = mesh.scatter(numbers)

    job_id = mesh.run(
        functions=["scale@1", "describe@1"],
        tasks=[(0, arguments(object_reference(object_id), FACTOR)), (1, arguments(task_reference(0)))],
    )
    scaled, description = mesh.result(job_id, 0), mesh.result(job_id, 1)

    expected = array.array("d", (FACTOR * x for x in numbers))
    assert scaled.tobytes() == expected.tobytes(), "the scaled numbers differ"
    assert description["first"].tobytes() == expected[:4].tobytes(), "the first numbers differ"
    assert description["count"] == len(expected) and description["largest"] == expected[-1], description
    assert description["notes"] == ["from JavaScript", None, True], description
    print(f"all {len(expected)} numbers are right, bit for bit")

    try:
        mesh.call("GetJob", scheduler.GetJobRequest(job_id="j-nowhere"))
    except grpc.RpcError as error:
        print(f"a job that is not there: {describe_error(error)}")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit("usage: client.py <mesh folder>, such as ~/.costate/meshes/demo")
    try:
        main(pathlib.Path(sys.argv[1]).expanduser())
    except grpc.RpcError as failure:
        raise SystemExit(f"the mesh refused or does not answer: {describe_error(failure)}")
