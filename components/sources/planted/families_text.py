"""Planted families of text work: translation, summaries, extraction, sentiment, verse, tool calls."""

import json

from components.sources.planted.family import Family, Pen, scale

_LANGUAGES = (
    "French",
    "German",
    "Spanish",
    "Italian",
    "Portuguese",
    "Dutch",
    "Polish",
    "Swedish",
    "Japanese",
    "Turkish",
)
_CLAUSES = (
    "the train to {c} leaves at {n} o'clock", "we would like a table for {n} people", "my sister lost her umbrella",
    "the museum is closed on Mondays", "could you please speak more slowly", "I forgot my keys at the office",
    "the weather will be better tomorrow", "our neighbours are moving to {c}", "the soup was colder than I expected",
    "you should have called me earlier", "the children are playing in the garden",
    "I have been waiting for {n} minutes",
    "it is raining in {c} again", "he never reads the newspaper", "they will arrive in {c} before noon",
)  # fmt: skip
_CITIES = ("Lisbon", "Vienna", "Oslo", "Lyon", "Porto", "Ghent", "Krakow", "Turin", "Malmo", "Seville")


def translation(pen: Pen) -> tuple[str, float]:
    """Sentences to translate; difficulty is how many clauses there are."""
    count = pen.number(1, 5)
    clauses = [c.format(c=pen.one(_CITIES), n=pen.number(2, 40)) for c in pen.some(_CLAUSES, count)]
    text = pen.one((", and ", "; ", ", but ")).join(clauses)
    tone = pen.one(("formal", "casual", "literal", "natural"))
    ask = pen.one(
        (
            'Translate into {a}: "{t}."', "Translate the following sentence from English to {a}.\n\n{t}.",
            "How do you say this in {a}? {t}. Give only the translation.",
            "Provide a {r} {a} translation of: {t}.", "Please translate from English into {a} ({r} tone): {t}.",
        )
    ).format(a=pen.one(_LANGUAGES), t=text[0].upper() + text[1:], r=tone)  # fmt: skip
    return ask, scale(count, 1, 5)


_COUNCIL = (
    "The {t} town council voted {n} to {m} on the new budget for road repairs.",
    "Residents of {t} complained about noise from the building site near the station.",
    "Mayor {w} said the library would reopen after {n} months of renovation.",
    "A petition signed by {n} hundred people asked the council for safer crossings.",
    "The planning committee delayed its decision on the swimming pool until spring.",
    "Council officials in {t} estimated the cost of the bridge at {n} million.",
    "Opposition councillor {w} called the parking scheme unfair to small shops.",
    "Local schools in {t} will share a new sports hall paid for by the county.",
    "The council's report found that bus services had been cut by {n} per cent.",
    "Volunteers planted {n} trees along the river as part of the council's green plan.",
    "Councillor {w} promised that the market square would stay open to traffic.",
)
_TOWNS = ("Harwick", "Ellmoor", "Dunbridge", "Saltby", "Northfen", "Kesterley", "Ashgate", "Wrenford")
_NAMES = ("Okafor", "Lindqvist", "Marsh", "Patel", "Duarte", "Novak", "Hughes", "Tanaka", "Costa", "Weber")


def summary(pen: Pen) -> tuple[str, float]:
    """A local news article to summarise; difficulty is its length."""
    count = pen.number(3, 11)
    town = pen.one(_TOWNS)
    body = [
        s.format(t=town, w=pen.one(_NAMES), n=pen.number(4, 60), m=pen.number(1, 9)) for s in pen.some(_COUNCIL, count)
    ]
    ask = pen.one(
        (
            "Summarise this article in {k} sentences:", "Write a summary of the news article below in {k} sentences.",
            "TL;DR in {k} bullet points, please:", "Summarise the following local news for a newsletter ({k} lines):",
        )
    ).format(k=pen.number(1, 4))  # fmt: skip
    return f"{ask}\n\n{' '.join(body)}", scale(count, 3, 11)


_FIELDS = ("invoice_number", "customer", "total", "currency", "due_date", "item", "quantity", "email", "address", "tax")
_WARES = ("desk lamps", "office chairs", "printer toners", "steel bolts", "coffee beans", "paper reels", "LED panels")


def extraction(pen: Pen) -> tuple[str, float]:
    """An invoice to read into JSON; difficulty is the number of fields."""
    count = pen.number(2, 9)
    fields = pen.some(_FIELDS, count)
    name = pen.one(_NAMES)
    note = pen.one(
        (
            "Invoice {i} for {q} {w}, billed to {n} Ltd, {a} {s}. Total {p} EUR, payable by {d} May.",
            "Hello, this is {n} from {a} {s}. We ordered {q} {w}; invoice no. {i} says {p} USD due on {d} June.",
            "INVOICE #{i}\nBill to: {n} & Sons, {a} {s}\n{q} x {w}\nTotal due: {p} GBP by the {d}th",
        )
    ).format(
        i=pen.number(1000, 9999), q=pen.number(2, 90), w=pen.one(_WARES), n=name, a=pen.number(1, 99),
        s=pen.one(("Mill Lane", "Station Road", "Harbour Street")), p=pen.number(50, 4000), d=pen.number(4, 28),
    )  # fmt: skip
    ask = pen.one(
        (
            "Extract {f} from this invoice as JSON:", "Return a JSON object with the keys {f} for the invoice below.",
            "Parse the invoice text into JSON ({f}); use null if a field is missing.",
        )
    ).format(f=", ".join(fields))  # fmt: skip
    return f"{ask}\n\n{note}", scale(count, 2, 9)


_PRAISE = (
    "the staff were lovely", "breakfast was generous", "the room had a great view", "check-in took a minute",
    "the bed was wonderfully soft", "the pool was spotless",
)  # fmt: skip
_BLAME = (
    "the shower was cold", "the walls were paper thin", "the lift was broken", "nobody answered the phone",
    "the carpet smelled of smoke", "we were charged twice",
)  # fmt: skip


def sentiment(pen: Pen) -> tuple[str, float]:
    """A hotel review to classify; mixed reviews are the hard ones."""
    good, bad = pen.number(0, 3), pen.number(0, 3)
    if good + bad == 0:
        good = 1
    parts = pen.some([*pen.some(_PRAISE, good), *pen.some(_BLAME, bad)], good + bad)
    review = f"We stayed {pen.number(2, 14)} nights at the {pen.one(_TOWNS)} hotel: {', '.join(parts)}."
    ask = pen.one(
        (
            "Classify the sentiment of this hotel review as positive, negative or mixed:",
            "Is the following review positive or negative?", "Label the sentiment (1 to 5) of the guest's review.",
            "What is the sentiment of this hotel review? Answer in one word.",
        )
    )  # fmt: skip
    return f"{ask} {review}", scale(min(good, bad), 0, 2)


_SUBJECTS = ("the sea", "autumn leaves", "an old lighthouse", "my grandmother's kitchen", "the first snow",
    "a lost letter",
    "the night train", "a sleeping cat", "the moon", "an empty theatre", "city rain", "a garden in June")  # fmt: skip
_FORMS = (("haiku", 0.1), ("limerick", 0.3), ("free-verse poem", 0.2), ("sonnet", 0.8), ("villanelle", 1.0),
    ("ode", 0.5),
    ("ballad", 0.6), ("acrostic poem", 0.5))  # fmt: skip


def poem(pen: Pen) -> tuple[str, float]:
    """A poem to write; strict forms are hard."""
    form, difficulty = pen.one(_FORMS)
    first, second = pen.some(_SUBJECTS, 2)
    mood = pen.one(("wistful", "joyful", "melancholy", "playful", "solemn", "tender"))
    ask = pen.one(
        (
            "Write a {m} {f} about {a} and {b}.", "Compose a {f} on {a} in a {m} mood, with an image of {b}.",
            "Give me a {m} poem, a {f}, in which {a} meets {b}.",
            "Please write a {f}: {m}, inspired by {a} and by {b}.",
        )
    )  # fmt: skip
    return ask.format(m=mood, f=form, a=first, b=second), difficulty


_TOOLS = (
    ("get_weather", ("city", "days")), ("set_alarm", ("time", "label")), ("send_message", ("contact", "text")),
    ("play_music", ("artist", "room")), ("set_thermostat", ("room", "celsius")), ("book_taxi", ("from", "to", "time")),
    ("add_calendar_event", ("title", "date")), ("turn_on_light", ("room", "brightness")), ("start_timer", ("minutes",)),
    ("find_restaurant", ("cuisine", "city")), ("translate_text", ("text", "language")), ("lock_door", ("door",)),
    ("order_groceries", ("items",)), ("get_stock_price", ("ticker",)), ("search_flights", ("from", "to", "date")),
    ("create_note", ("title", "body")), ("get_directions", ("from", "to", "mode")),
    ("convert_currency", ("amount", "to")),
)  # fmt: skip
_WISHES = (
    "Wake me at {n} and dim the light in the {r}.", "Tell {w} I'll be {n} minutes late.", "Make the {r} {n} degrees.",
    "Is it going to rain in {c} in the next {n} days?", "Get a taxi to {c} at {n} and text {w}.",
    "Start a timer for {n} minutes and play some jazz in the {r}.",
    "Find a Thai restaurant in {c} for {n} people.", "Lock the front door and set the {r} to {n} degrees.",
    "How do I get from {c} to the airport by bus?", "Order {n} eggs and note that {w} is coming.",
    "What are {n} euros in dollars?", "Look for flights to {c} leaving in {n} days and tell {w}.",
    "Put lunch with {w} in my calendar in {n} days.", "Show me the share price of {w} Industries.",
)  # fmt: skip


def tool_call(pen: Pen) -> tuple[str, float]:
    """An assistant's function call; difficulty is the number of functions offered."""
    count = pen.number(2, 9)
    tools = [{"name": name, "parameters": list(keys)} for name, keys in pen.some(_TOOLS, count)]
    wish = pen.one(_WISHES).format(
        n=pen.number(5, 30), r=pen.one(("kitchen", "bedroom", "hall")), w=pen.one(_NAMES), c=pen.one(_CITIES)
    )
    ask = pen.one(
        (
            "You can call these functions: {t}\nUser: {u}\nReply with the function call.",
            "Available functions: {t}. Which function call, with which arguments, answers the user? \"{u}\"",
            "Tools (JSON): {t}\n\nRequest: {u}\nOutput the function calls as JSON.",
        )
    )  # fmt: skip
    return ask.format(t=json.dumps(tools), u=wish), scale(count, 2, 9)


TEXT = (
    Family(name="translation", benchmark="language-mix", write=translation, answer_tokens=60, graded=True),
    Family(name="summary", benchmark="documents-mix", write=summary, answer_tokens=110, graded=True),
    Family(name="extraction", benchmark="documents-mix", write=extraction, answer_tokens=90, graded=True),
    Family(name="sentiment", benchmark="language-mix", write=sentiment, answer_tokens=8),
    Family(name="poem", benchmark="writing", write=poem, answer_tokens=180, graded=True, dated=True),
    Family(name="tool_call", benchmark="agents", write=tool_call, answer_tokens=50, subject="tool_call"),
)
