"""Values as they travel: the structure apart from the numbers, which lie one behind the other in the body."""

import array
import sys

import stubs  # noqa: F401  makes the next imports possible
from costate.types.v1.value_pb2 import (
    ELEMENT_TYPE_FLOAT64,
    ListValue,
    Payload,
    Reference,
    Tensor,
    Value,
)

if sys.byteorder != "little":
    raise SystemExit("numbers are little-endian on the wire: call byteswap() where arrays are read and written")


def tensor_of(numbers):
    """The structure of one array of float64 that is the whole body."""
    byte_length = numbers.itemsize * len(numbers)
    return Value(tensor=Tensor(element_type=ELEMENT_TYPE_FLOAT64, shape=[len(numbers)], byte_length=byte_length))


def arguments(*values):
    """The arguments of a task, ready for a TaskSpec: numbers, texts, and references to what is elsewhere."""
    return Payload(root=Value(list=ListValue(values=[_to_value(value) for value in values]))).SerializeToString()


def object_reference(object_id):
    """Stands for a scattered buffer, or for the result of the task with this id."""
    return Reference(object_id=object_id)


def task_reference(index):
    """Stands for the result of an earlier task of the same job, which makes the task depend on it."""
    return Reference(task_index=index)


def to_python(value, body):
    """A Python value of a structure and its body."""
    kind = value.WhichOneof("kind")
    if kind == "atom":
        return None
    if kind in ("boolean", "number", "text"):
        return getattr(value, kind)
    if kind == "integer":
        return int(value.integer)
    if kind == "list":
        return [to_python(each, body) for each in value.list.values]
    if kind == "record":
        return {entry.key: to_python(entry.value, body) for entry in value.record.entries}
    if kind == "tensor" and value.tensor.element_type == ELEMENT_TYPE_FLOAT64:
        start = value.tensor.offset
        return array.array("d", body[start : start + value.tensor.byte_length])
    raise ValueError(f"this client does not read values of the kind {kind}")


def _to_value(value):
    if isinstance(value, Reference):
        return Value(reference=value)
    if isinstance(value, str):
        return Value(text=value)
    return Value(number=value)
