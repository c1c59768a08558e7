"""The questions that can be asked, a module a topic: each is one catalogue entry, asked and put into words.

And the decisions that people take, which are mutations, and what can be watched, which are subscriptions.
"""

from inventory.api.resolvers.analysis import AnalysisQuestions
from inventory.api.resolvers.categories import CategoryQuestions
from inventory.api.resolvers.datasets import DatasetQuestions
from inventory.api.resolvers.disclosures import DisclosureDecisions, DisclosureQuestions
from inventory.api.resolvers.fields import FieldQuestions
from inventory.api.resolvers.flows import FlowQuestions
from inventory.api.resolvers.nodes import NodeQuestions
from inventory.api.resolvers.policy import PolicyQuestions
from inventory.api.resolvers.processors import ProcessorQuestions
from inventory.api.resolvers.reviews import ReviewDecisions
from inventory.api.resolvers.scans import ScanQuestions, ScanSubscriptions
from inventory.api.resolvers.search import SearchQuestions
from inventory.api.resolvers.systems import SystemQuestions

QUESTIONS = (
    CategoryQuestions,
    SystemQuestions,
    DatasetQuestions,
    FieldQuestions,
    ProcessorQuestions,
    DisclosureQuestions,
    FlowQuestions,
    AnalysisQuestions,
    PolicyQuestions,
    ScanQuestions,
    SearchQuestions,
    NodeQuestions,
)

DECISIONS = (ReviewDecisions, DisclosureDecisions)

SUBSCRIPTIONS = (ScanSubscriptions,)
