"""The contract's types, a module a topic. Each holds its facts and asks the graph for what is around it."""

from inventory.api.types import words as words  # first: it makes the model's enums part of the contract
