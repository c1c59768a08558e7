"""What the shape of the flows tells: what is reached, lost, cut, shared by all ways, goes round, or stands alone."""

from __future__ import annotations

import strawberry

from inventory.analysis import Place, Reached, Step, Subgraph
from inventory.api.context import Moment, Row
from inventory.api.types.datasets import Dataset
from inventory.api.types.flows import Path, Stop
from inventory.api.types.flows import Step as ApiStep
from inventory.api.types.words import StepKind


@strawberry.type(description="A place that data reaches or comes from, and the surest of the shortest ways.")
class ReachedPlace:
    """A place at the end of a way."""

    stop: Stop = strawberry.field(description="The place.")
    distance: int = strawberry.field(description="How many steps away it is.")
    confidence: float = strawberry.field(description="How sure the way is, 0 to 1: its steps' confidences multiplied.")
    way: Path = strawberry.field(description="The way there, in the direction that the data takes.")

    @classmethod
    def of(cls, reached: Reached, subgraph: Subgraph, at: Moment) -> ReachedPlace:
        """Of what the analysis reached."""
        return cls(
            stop=stop_of(reached.place, at),
            distance=reached.distance,
            confidence=round(reached.confidence, 4),
            way=path_of(reached.way, subgraph, at),
        )


@strawberry.type(description="All that data reaches, or comes from.")
class Reach:
    """The answer of `downstream` and `upstream`."""

    places: list[ReachedPlace] = strawberry.field(description="Nearest first, then surest.")
    total: int = strawberry.field(description="How many there are; more than `places` when those were limited.")
    truncated: bool = strawberry.field(description="Whether there is more beyond the depth or the limit of places.")


@strawberry.type(description="What happens when a field or dataset is dropped or masked.")
class Impact:
    """What lies downstream, and what of it has no other source."""

    lost: list[ReachedPlace] = strawberry.field(description="Places that get nothing any more: all their ways pass it.")
    weakened: list[ReachedPlace] = strawberry.field(description="Places that still have another source.")
    processors: list[ReachedPlace] = strawberry.field(description="Organisations that receive it, lost or weakened.")
    references: list[str] = strawberry.field(description="URNs of fields whose keys lead to it: joins that break.")
    jobs: list[str] = strawberry.field(description="URNs of the jobs that read it, directly or later on.")
    truncated: bool = strawberry.field(description="Whether there is more beyond the limit of places.")


@strawberry.type(description="A place that every way from here to some ends passes.")
class ChokePoint:
    """A dominator."""

    stop: Stop = strawberry.field(description="The place.")
    ends: int = strawberry.field(description="For how many of the ends this holds.")


@strawberry.type(description="A flow or disclosure to stop, with all the steps that it carries.")
class Stopped:
    """An edge of the cut."""

    steps: list[Path] = strawberry.field(description="Each step with its two ends; several when fields share the flow.")


@strawberry.type(description="The fewest flows and disclosures to stop so that no data gets from here to there.")
class Cut:
    """A minimum cut."""

    stopped: list[Stopped] = strawberry.field(description="What to stop; empty when no way leads there.")
    starts: int = strawberry.field(description="How many fields or datasets the question means by `from`.")
    ends: list[Stop] = strawberry.field(description="The ends that are reached today.")
    truncated: bool = strawberry.field(description="Whether there is more beyond the limit of places.")


@strawberry.type(description="A dataset with personal fields that nothing is known to write or read.")
class Orphan:
    """A dataset without flows and references."""

    dataset: Dataset = strawberry.field(description="The dataset.")
    categories: list[str] = strawberry.field(description="Keys of the categories of its fields.")

    @classmethod
    def of(cls, row: Row, at: Moment) -> Orphan:
        """Of a row with the `node` and `categories`."""
        return cls(dataset=Dataset.of(row["node"], at), categories=list(row["categories"]))


def stop_of(place: Place, at: Moment) -> Stop:
    """A place as a stop of a way."""
    return Stop(at=at, kind=place.label, key=place.key, name=place.name)


def path_of(way: tuple[Step, ...], subgraph: Subgraph, at: Moment) -> Path:
    """A way as stops and steps."""
    keys = [way[0].source, *(step.target for step in way)] if way else []
    return Path(stops=[stop_of(subgraph.places[key], at) for key in keys], steps=[_step_of(step, at) for step in way])


def _step_of(step: Step, at: Moment) -> ApiStep:
    flows = step.type == "FLOWS_TO"
    along = "goes along with its dataset, as far as is known" if step.coarse else ""
    return ApiStep(
        at=at,
        job_urn=step.job,
        kind=StepKind(step.type),
        provenance=step.provenance,
        confidence=round(step.confidence, 4),
        transformation=step.transformation if flows else None,
        evidence=step.evidence or along,
    )
