"""Parameters of Ray Data's functions, as JSON: the functions are arguments, as the pages call them."""

import inspect
import json
import sys

import ray.data
from ray.data import DataIterator, Dataset, aggregate, expressions
from ray.data.grouped_data import GroupedData

CLASSES = {"ds": Dataset, "groups": GroupedData, "rows": DataIterator}


def function(name):
    if "." in name:
        owner, method = name.split(".")
        return getattr(CLASSES[owner], method)
    for module in (ray.data, aggregate, expressions):
        if hasattr(module, name):
            found = getattr(module, name)
            return found.__init__ if inspect.isclass(found) else found
    raise LookupError(name)


def parameters(name):
    listed = inspect.signature(function(name)).parameters
    return [each for each in listed if each != "self" and not each.startswith("_")]


if __name__ == "__main__":
    print(json.dumps({name: parameters(name) for name in sys.argv[1:]}))
