"""Makes the contracts importable: `import stubs`, and then `from costate.scheduler.v1 import …`.

A project of your own would run grpcio-tools once and keep what it writes; this one leaves nothing behind.
"""

import atexit
import importlib.resources
import pathlib
import shutil
import sys
import tempfile

from grpc_tools import protoc

_repository = pathlib.Path(__file__).resolve().parents[2]
# The contracts, and the standard messages of gRPC for rich errors (or: pip install googleapis-common-protos).
_roots = [_repository / "proto", _repository / "test" / "harness" / "proto"]
_folder = tempfile.mkdtemp(prefix="costate-stubs-")
atexit.register(shutil.rmtree, _folder, ignore_errors=True)

_arguments = ["protoc", f"--python_out={_folder}", f"--grpc_python_out={_folder}"]
_arguments += [f"-I{root}" for root in [*_roots, importlib.resources.files("grpc_tools") / "_proto"]]
if protoc.main(_arguments + [str(file) for root in _roots for file in root.rglob("*.proto")]) != 0:
    raise SystemExit("protoc could not generate the stubs")
sys.path.insert(0, _folder)
