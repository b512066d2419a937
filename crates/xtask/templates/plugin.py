"""A plug-in for order approval: it sees an order and says who must approve it beside those the
approval policy names, or why it must not be placed. wit/plugin.wit is the manual.

Its answers: approval.Opinion_NoOpinion()
             approval.Opinion_Require(approval.Requirement(["finance"], "text for a person"))
             approval.Opinion_Refuse(approval.Objection("words-in-kebab-case", "text for a person"))
"""

import wit_world.exports
from wit_world.exports import approval


class Approval(wit_world.exports.Approval):
    """The extension point that this plug-in answers."""

    def judge(self, question: approval.Question) -> approval.Opinion:
        """The rule: what the policy demands is enough."""
        return approval.Opinion_NoOpinion()
