"""All planted task families, in a fixed order."""

from components.sources.planted.families_code import CODE
from components.sources.planted.families_knowledge import KNOWLEDGE
from components.sources.planted.families_maths import MATHS
from components.sources.planted.families_text import TEXT

FAMILIES = (*MATHS, *CODE, *TEXT, *KNOWLEDGE)
