"""Planted families of code: Python, JavaScript, SQL, regular expressions."""

from components.sources.planted.family import Family, Pen, scale

_VERBS = (
    "merges",
    "filters",
    "groups",
    "counts",
    "sorts",
    "flattens",
    "deduplicates",
    "validates",
    "rotates",
    "splits",
)
_PYTHON_THINGS = (
    "a list of integers", "a list of tuples", "a nested dictionary", "a generator of strings", "a numpy array",
    "two sorted lists", "a set of strings", "a list of dataclass objects", "a pandas DataFrame", "a binary tree",
)  # fmt: skip
_PYTHON_LIMITS = (
    "use type hints", "raise ValueError on empty input", "run in O(n log n)", "use only the standard library",
    "include a docstring with a doctest", "handle None values", "avoid recursion", "write it as a generator",
    "memoise with functools.lru_cache", "add pytest unit tests", "keep the original order", "use a context manager",
)  # fmt: skip


def python(pen: Pen) -> tuple[str, float]:
    """A Python function to write; difficulty is the number of conditions."""
    limits = pen.number(0, 5)
    name = f"{pen.one(_VERBS)[:-1]}_{pen.one(('items', 'rows', 'values', 'nodes', 'records', 'pairs', 'tokens'))}"
    ask = pen.one(
        (
            "Write a Python function `{f}` that {v} {t}",
            "Implement `def {f}(data):` in Python so that it {v} {t}",
            "In Python 3, write {f}(), which {v} {t}",
            "Complete this Python code:\n\ndef {f}(data):\n    # {v} {t}\n    ...\n\nThe function reads its input",
        )
    )
    text = ask.format(f=name, v=pen.one(_VERBS), t=pen.one(_PYTHON_THINGS))
    text += f" and {pen.one(_VERBS)} the result by {pen.one(('length', 'key', 'value', 'index', 'date', 'prefix'))}."
    if limits:
        text += " Requirements: " + "; ".join(pen.some(_PYTHON_LIMITS, limits)) + "."
    return text, scale(limits, 0, 5)


_JS_PARTS = (
    "a dropdown menu", "an image carousel", "a login form", "a shopping cart", "a modal dialog", "a search box",
    "a to-do list", "a date picker", "an infinite scroll feed", "a progress bar", "a chat widget", "a tab bar",
)  # fmt: skip
_JS_WANTS = (
    "debounce the click handler", "use async/await with fetch", "store state in localStorage", "avoid jQuery",
    "remove the event listeners on unmount", "support keyboard navigation", "use ES modules",
    "handle promise rejection",
    "update the DOM only once per frame", "work without a bundler", "add JSDoc comments", "use a custom event",
)  # fmt: skip


def javascript(pen: Pen) -> tuple[str, float]:
    """Browser JavaScript to write; difficulty is the number of wishes."""
    wants = pen.number(0, 5)
    ask = pen.one(
        (
            "Write JavaScript for {p} in the browser that reacts when the user {e}",
            "Create {p} in plain JavaScript; it must update when the user {e}",
            "I need a JavaScript snippet with a DOM event listener: {p} that changes when the user {e}",
            "Build a React component in JavaScript for {p} which re-renders when the user {e}",
        )
    )
    event = pen.one(
        ("clicks outside", "presses Escape", "scrolls down", "submits", "drags an item", "resizes the page")
    )
    text = ask.format(p=pen.one(_JS_PARTS), e=event)
    text += f", with an element id of '{pen.one(('app', 'root', 'main', 'panel', 'box'))}-{pen.number(1, 99)}'."
    if wants:
        text += " The JavaScript should " + ", ".join(pen.some(_JS_WANTS, wants)) + "."
    return text, scale(wants, 0, 5)


_TABLES = {
    "orders": ("order_id", "customer_id", "total", "placed_at", "status"),
    "customers": ("customer_id", "name", "country", "signup_date"),
    "products": ("product_id", "title", "price", "category"),
    "employees": ("employee_id", "name", "salary", "department_id", "hired_at"),
    "departments": ("department_id", "name", "budget"),
    "payments": ("payment_id", "order_id", "amount", "method", "paid_at"),
    "shipments": ("shipment_id", "order_id", "carrier", "delivered_at"),
}
_SQL_ASKS = (
    "the {n} rows with the highest {c}", "the average {c} per {g}", "every {g} that appears more than {n} times",
    "the running total of {c} over {g}", "the {g} without any matching row", "the median {c} for each {g}",
    "the month with the largest sum of {c}", "the second highest {c} for each {g}",
)  # fmt: skip


def sql(pen: Pen) -> tuple[str, float]:
    """A SQL query over a stated schema; difficulty is the number of tables joined."""
    count = pen.number(1, 4)
    names = pen.some(tuple(_TABLES), count)
    schema = pen.one((", ", "; ", "\n")).join(f"{name}({', '.join(_TABLES[name])})" for name in names)
    first = _TABLES[names[0]]
    ask = pen.one(_SQL_ASKS).format(n=pen.number(2, 25), c=pen.one(first[1:]), g=pen.one(first))
    dialect = pen.one(("PostgreSQL", "SQLite", "MySQL", "standard SQL", "SQL"))
    lead = pen.one(
        (
            "Given the tables {s}, write a {d} query that returns {a}.",
            "Schema:\n{s}\n\nWrite one {d} SELECT statement that lists {a}.",
            "Using {d} and the database tables {s}: query for {a}.",
        )
    )
    text = lead.format(s=schema, d=dialect, a=ask)
    if count > 1:
        text += f" Join {' and '.join(names)}."
    return text, scale(count, 1, 4)


_PATTERNS = (
    "email addresses", "IPv4 addresses", "hex colour codes", "ISO dates", "phone numbers", "postcodes", "URLs",
    "floating-point numbers", "quoted strings", "hashtags", "file extensions", "version numbers", "licence plates",
)  # fmt: skip
_REGEX_RULES = (
    "capture the first part in a named group", "ignore case", "match only whole words", "use no lookbehind",
    "allow optional leading spaces", "reject a trailing dot", "use a negative lookahead", "anchor it to the line",
    "avoid catastrophic backtracking", "match at most {n} characters", "require at least {n} digits",
)  # fmt: skip


def regex(pen: Pen) -> tuple[str, float]:
    """A regular expression to write; difficulty is the number of rules."""
    rules = pen.number(0, 4)
    ask = pen.one(
        (
            "Write a regular expression that matches {p} but not {q}.",
            "Give me a regex to find {p} in text where {q} also occur.",
            "What regex pattern extracts {p} and skips {q}?",
            "I need a regular expression for {p}; it must not match {q}.",
        )
    )
    first, second = pen.some(_PATTERNS, 2)
    text = ask.format(p=first, q=second)
    if rules:
        wishes = [rule.format(n=pen.number(2, 16)) for rule in pen.some(_REGEX_RULES, rules)]
        text += " The regex should " + ", ".join(wishes) + "."
    return text, scale(rules, 0, 4)


CODE = (
    Family(name="python", benchmark="code-mix", write=python, answer_tokens=320, subject="python", dated=True),
    Family(
        name="javascript", benchmark="code-mix", write=javascript, answer_tokens=420, subject="javascript", dated=True
    ),
    Family(name="sql", benchmark="query-mix", write=sql, answer_tokens=150, dated=True),
    Family(name="regex", benchmark="query-mix", write=regex, answer_tokens=110, dated=True),
)
