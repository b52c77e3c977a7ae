"""All planted task families, in a fixed order."""

from components.sources.families_code import CODE
from components.sources.families_knowledge import KNOWLEDGE
from components.sources.families_maths import MATHS
from components.sources.families_text import TEXT

FAMILIES = (*MATHS, *CODE, *TEXT, *KNOWLEDGE)
