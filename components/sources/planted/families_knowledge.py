"""Planted families of knowledge and reasoning: geography, history, medicine, logic, dates."""

from components.sources.planted.family import Family, Pen, scale

_COUNTRIES = ("Peru", "Kenya", "Norway", "Vietnam", "Morocco", "Chile", "Mongolia", "Portugal", "Ghana", "Nepal",
    "Canada",
    "Bolivia", "Finland", "Thailand", "Namibia", "Austria", "Ecuador", "Laos", "Iceland", "Zambia")  # fmt: skip
_FEATURES = (("capital city", 0.0), ("longest river", 0.3), ("highest mountain", 0.3), ("largest lake", 0.5),
    ("second largest city", 0.4), ("busiest seaport", 0.6), ("southernmost province", 0.9),
    ("driest region", 0.7))  # fmt: skip


def geography(pen: Pen) -> tuple[str, float]:
    """A geography question; difficulty is the obscurity of what is asked."""
    feature, difficulty = pen.one(_FEATURES)
    first, second, third = pen.some(_COUNTRIES, 3)
    ask = pen.one(
        (
            "Geography: what is the {f} of {a}, and does {b} border {c}?",
            "Name the {f} of {a} and of {b} on the map.",
            "Which country has the larger area, {a} or {b}, and what is the {f} of {c}?",
            "Geography quiz: which of {a}, {b} and {c} lies furthest north, and what is the {f} of {a}?",
        )
    )
    return ask.format(f=feature, a=first, b=second, c=third), difficulty


_EVENTS = ("the Congress of Vienna", "the fall of Constantinople", "the Treaty of Westphalia", "the French Revolution",
    "the Meiji Restoration", "the Peloponnesian War", "the Black Death", "the Hundred Years' War",
    "the Glorious Revolution",
    "the Punic Wars", "the Reformation", "the Boxer Rebellion", "the Crimean War", "the Taiping Rebellion")  # fmt: skip
_HISTORY = (("In what year did {e} begin", 0.0), ("Who were the main rulers during {e}", 0.3),
    ("What were the {n} main causes of {e}", 0.5), ("How did historians' views of {e} change", 0.9),
    ("Which treaty or settlement followed {e}", 0.6), ("What did {e} change for peasants and towns", 0.8))  # fmt: skip


def history(pen: Pen) -> tuple[str, float]:
    """A history question; facts are easy, historiography is hard."""
    question, difficulty = pen.one(_HISTORY)
    first, second = pen.some(_EVENTS, 2)
    tail = pen.one(
        (
            ", and how does it compare with {o}?",
            ", and was it before or after {o}?",
            "? Relate your answer to {o}.",
            ", as a history student who has just read about {o} would explain it?",
        )
    )
    lead = pen.one(("", "History question: ", "For a history exam: "))
    return lead + question.format(e=first, n=pen.number(2, 5)) + tail.format(o=second), difficulty


_SYMPTOMS = ("fever", "chest pain", "shortness of breath", "a persistent cough", "joint swelling", "night sweats",
    "fatigue",
    "blurred vision", "a skin rash", "abdominal pain", "dizziness", "weight loss", "palpitations",
    "headache")  # fmt: skip
_ILLNESSES = (
    "type 2 diabetes",
    "hypertension",
    "asthma",
    "atrial fibrillation",
    "hypothyroidism",
    "no illness of note",
)


def medicine(pen: Pen) -> tuple[str, float]:
    """A clinical vignette; difficulty is the number of findings to weigh."""
    count = pen.number(1, 6)
    patient = pen.one(("man", "woman", "patient"))
    ask = pen.one(
        (
            "What is the most likely diagnosis?",
            "Which test should the doctor order first?",
            "What is the best next step in treatment?",
            "Which drug is contraindicated in this patient?",
        )
    )
    text = pen.one(
        (
            "A {y}-year-old {p} with {i} presents with {s} for {d} days. {q}",
            "{s} for {d} days in a {y}-year-old {p}; medical history of {i}. {q}",
            "Medical exam: a {p} aged {y}, known for {i}, comes to the clinic with {s} since {d} days. {q}",
        )
    ).format(
        y=pen.number(19, 88), p=patient, i=pen.one(_ILLNESSES), d=pen.number(2, 30), q=ask,
        s=", ".join(pen.some(_SYMPTOMS, count)),
    )  # fmt: skip
    return text, scale(count, 1, 6)


_FOLK = ("Alice", "Bruno", "Carla", "Derek", "Edith", "Felix", "Greta", "Hugo", "Irene", "Jonas", "Karim", "Lucia",
    "Mei", "Nadia", "Oscar", "Priya", "Quinn", "Rosa", "Stefan", "Tara", "Umar", "Vera", "Wanda", "Yusuf")  # fmt: skip
_SCENES = ("sit in a row of {k} seats", "stand in a queue with {k} places", "live in {k} houses side by side",
    "share {k} lockers along a wall", "finish a race in places 1 to {k}",
    "give {k} talks one after another")  # fmt: skip
_CLUES = ("{a} comes immediately before {b}", "{a} is not next to {b}", "{a} is somewhere after {b}",
    "exactly one person is between {a} and {b}", "either {a} or {b} is at an end", "{a} is not in place {n}",
    "if {a} is in place {n}, then {b} is in place 1", "{b} is next to {a} or in place {n}")  # fmt: skip


def logic(pen: Pen) -> tuple[str, float]:
    """A puzzle of order; difficulty is the number of people."""
    count = pen.number(3, 8)
    people = pen.some(_FOLK, count)
    clues = []
    for _ in range(count):
        first, second = pen.some(people, 2)
        clues.append(pen.one(_CLUES).format(a=first, b=second, n=pen.number(2, count)))
    ask = pen.one(
        (
            "Who is in place {n}?",
            "In which order are they?",
            "Who must be at the first end?",
            "Which clue is redundant?",
        )
    ).format(n=pen.number(1, count))
    lead = pen.one(("Logic puzzle: ", "", "Solve by deduction: "))
    joined = pen.one(("; ", ". Also, ")).join(clues)
    scene = pen.one(_SCENES).format(k=count)
    return f"{lead}{', '.join(people)} {scene}. Clues: {joined}. {ask}", scale(count, 3, 8)


_MONTHS = ("January", "March", "April", "June", "July", "August", "October", "November", "December")
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def dates(pen: Pen) -> tuple[str, float]:
    """A calendar calculation; difficulty is how far the date moves and how many moves there are."""
    moves = pen.number(1, 5)
    start = f"{pen.one(_DAYS)}, {pen.number(1, 28)} {pen.one(_MONTHS)} {pen.number(1990, 2031)}"
    steps = [
        f"{pen.number(2, 140)} {pen.one(('days', 'weeks', 'working days', 'months'))} {pen.one(('later', 'earlier'))}"
        for _ in range(moves)
    ]
    # Lead and question are drawn apart, so that no wording of one marks a theme of its own.
    lead = pen.one(("Starting from {s}", "If today is {s}", "Counting from {s}", "Given the date {s}", "After {s}"))
    ask = pen.one(
        (
            "which calendar date is {m}?",
            "what date is it {m}?",
            "what day of the week and calendar date is {m}?",
            "which date do you reach {m}? Mind the leap years.",
            "give the date {m} as YYYY-MM-DD.",
        )
    )
    return f"{lead}, {ask}".format(s=start, m=", then ".join(steps)), scale(moves, 1, 5)


KNOWLEDGE = (
    Family(name="geography", benchmark="knowledge-mix", write=geography, answer_tokens=45, subject="geography"),
    Family(name="history", benchmark="knowledge-mix", write=history, answer_tokens=140, subject="history"),
    Family(name="medicine", benchmark="knowledge-mix", write=medicine, answer_tokens=130, subject="medicine"),
    Family(name="logic", benchmark="reasoning-mix", write=logic, answer_tokens=380),
    Family(name="dates", benchmark="reasoning-mix", write=dates, answer_tokens=120),
)
