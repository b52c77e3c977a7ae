"""Planted families of calculation: word problems, equations, units."""

from components.sources.planted.family import Family, Pen, scale

_PEOPLE = ("Maya", "Tomas", "Ines", "Kofi", "Lena", "Ravi", "Sofia", "Dmitri", "Aiko", "Noah", "Zara", "Piotr")
_GOODS = ("apples", "pencils", "muffins", "stickers", "marbles", "notebooks", "candles", "oranges", "cookies", "cards")
_STEPS = (
    "buys {n} more {goods}",
    "gives {n} {goods} to {friend}",
    "finds {n} extra {goods} in a drawer",
    "sells {n} {goods} for ${price} each",
    "loses {n} of the {goods} on the way home",
    "doubles the number of {goods}",
    "splits off {n} {goods} for a school fair",
    "receives {n} {goods} from {friend} as a present",
)
_OPENINGS = (
    "{who} has {n} {goods}.",
    "{who} starts the week with {n} {goods}.",
    "At the market {who} picks up {n} {goods} at ${price} each.",
    "{who} packs {n} {goods} into boxes of {box}.",
)
_QUESTIONS = (
    "How many {goods} does {who} have left?",
    "How many {goods} does {who} have in the end?",
    "What is the total number of {goods} that {who} has now?",
    "Work out how many {goods} remain for {who}, showing each step.",
)


def word_problem(pen: Pen) -> tuple[str, float]:
    """A grade-school story whose difficulty is its number of steps."""
    steps = pen.number(1, 7)
    who, friend = pen.some(_PEOPLE, 2)
    goods = pen.one(_GOODS)

    def fill(text: str) -> str:
        return text.format(
            who=who, friend=friend, goods=goods, n=pen.number(3, 95), price=pen.number(2, 9), box=pen.number(3, 12)
        )

    links = ("Then", "After that", "Later", "The next day", "On Friday", "Before dinner")
    middle = [f"{pen.one(links)} {who} {fill(pen.one(_STEPS))}." for _ in range(steps)]
    return " ".join([fill(pen.one(_OPENINGS)), *middle, fill(pen.one(_QUESTIONS))]), scale(steps, 1, 7)


def _term(pen: Pen, letter: str, power: int) -> str:
    tail = "" if power == 0 else letter if power == 1 else f"{letter}^{power}"
    return f"{pen.number(2, 19)}{tail}"


def algebra(pen: Pen) -> tuple[str, float]:
    """A polynomial equation; difficulty is its degree."""
    letter = pen.one(("x", "x", "y", "z", "t"))
    ask = pen.one(
        (
            "Solve the equation for {v}: {e}",
            "Find all real solutions {v} of the algebraic equation {e}.",
            "Determine the roots of the equation {e} in the unknown {v}.",
            "What values of {v} satisfy the equation {e}? Give exact values.",
            "Let {v} be a real number such that {e}. Solve this equation for {v}.",
        )
    )
    degree = pen.number(1, 4)
    left = " + ".join(_term(pen, letter, power) for power in range(degree, -1, -1))
    equation = f"{left} = {pen.number(0, 60)}"
    tail = pen.one(("", " Explain the factorisation.", " Simplify the result.", " Show your algebra."))
    return ask.format(v=letter, e=equation) + tail, scale(degree, 1, 4)


_UNITS = (
    (("miles", "kilometres", "metres", "feet", "inches", "yards", "centimetres"), "length"),
    (("pounds", "kilograms", "ounces", "grams", "tonnes", "stones"), "mass"),
    (("litres", "gallons", "pints", "millilitres", "fluid ounces", "cups"), "volume"),
    (("km/h", "mph", "metres per second", "knots", "feet per second"), "speed"),
    (("degrees Celsius", "degrees Fahrenheit", "kelvin"), "temperature"),
)


def units(pen: Pen) -> tuple[str, float]:
    """A unit conversion; difficulty is the number of conversions asked at once."""
    count = pen.number(1, 5)
    parts = []
    for _ in range(count):
        names, _quantity = pen.one(_UNITS)
        source, target = pen.some(names, 2)
        parts.append(f"{pen.number(2, 980) / pen.one((1, 2, 4, 10)):g} {source} to {target}")
    ask = pen.one(
        (
            "Convert {p}.",
            "Unit conversion: convert {p}.",
            "Please convert the following measurements to other units: {p}.",
            "I need these units converted: {p}. Round to {d} decimals.",
            "Convert the units, keeping {d} decimal places: {p}.",
        )
    )
    return ask.format(p="; ".join(parts), d=pen.number(1, 4)), scale(count, 1, 5)


MATHS = (
    Family(name="word_problem", benchmark="maths-mix", write=word_problem, answer_tokens=160),
    Family(name="algebra", benchmark="maths-mix", write=algebra, answer_tokens=260),
    Family(name="units", benchmark="maths-mix", write=units, answer_tokens=70),
)
