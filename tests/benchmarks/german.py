"""What the writers of the simulated world draw, in German. Templates keep their fields."""

WORDS = {
    "Solve the equation for {v}: {e}": "Löse die Gleichung nach {v} auf: {e}",
    "Find all real solutions {v} of the algebraic equation {e}.": (
        "Bestimme alle reellen Lösungen {v} der algebraischen Gleichung {e}."
    ),
    "Determine the roots of the equation {e} in the unknown {v}.": (
        "Bestimme die Lösungen der Gleichung {e} in der Unbekannten {v}."
    ),
    "What values of {v} satisfy the equation {e}? Give exact values.": (
        "Welche Werte von {v} erfüllen die Gleichung {e}? Gib exakte Werte an."
    ),
    "Let {v} be a real number such that {e}. Solve this equation for {v}.": (
        "Sei {v} eine reelle Zahl mit {e}. Löse diese Gleichung nach {v} auf."
    ),
    " Explain the factorisation.": " Erkläre die Faktorisierung.",
    " Simplify the result.": " Vereinfache das Ergebnis.",
    " Show your algebra.": " Zeige deinen Rechenweg.",
    "Geography: what is the {f} of {a}, and does {b} border {c}?": (
        "Geografie: Wie heißt {f} von {a}, und grenzt {b} an {c}?"
    ),
    "Name the {f} of {a} and of {b} on the map.": "Wie heißt auf der Karte {f} von {a}, und wie heißt {f} von {b}?",
    "Which country has the larger area, {a} or {b}, and what is the {f} of {c}?": (
        "Welches Land hat die größere Fläche, {a} oder {b}, und wie heißt {f} von {c}?"
    ),
    "Geography quiz: which of {a}, {b} and {c} lies furthest north, and what is the {f} of {a}?": (
        "Geografie-Quiz: Was liegt am weitesten nördlich, {a}, {b} oder {c}, und wie heißt {f} von {a}?"
    ),
    "capital city": "die Hauptstadt",
    "longest river": "der längste Fluss",
    "highest mountain": "der höchste Berg",
    "largest lake": "der größte See",
    "second largest city": "die zweitgrößte Stadt",
    "busiest seaport": "der verkehrsreichste Seehafen",
    "southernmost province": "die südlichste Provinz",
    "driest region": "die trockenste Region",
    "Kenya": "Kenia",
    "Norway": "Norwegen",
    "Morocco": "Marokko",
    "Mongolia": "die Mongolei",
    "Canada": "Kanada",
    "Bolivia": "Bolivien",
    "Finland": "Finnland",
    "Austria": "Österreich",
    "Iceland": "Island",
    "Zambia": "Sambia",
    "Logic puzzle: ": "Logikrätsel: ",
    "Solve by deduction: ": "Löse durch Schlussfolgern: ",
    "; ": "; ",
    ". Also, ": ". Außerdem gilt: ",
    "sit in a row of {k} seats": "sitzen in einer Reihe mit {k} Plätzen",
    "stand in a queue with {k} places": "stehen in einer Schlange mit {k} Plätzen",
    "live in {k} houses side by side": "wohnen in {k} Häusern nebeneinander",
    "share {k} lockers along a wall": "teilen sich {k} Schließfächer an einer Wand",
    "finish a race in places 1 to {k}": "belegen in einem Rennen die Plätze 1 bis {k}",
    "give {k} talks one after another": "halten nacheinander {k} Vorträge",
    "{a} comes immediately before {b}": "{a} kommt direkt vor {b}",
    "{a} is not next to {b}": "{a} ist nicht neben {b}",
    "{a} is somewhere after {b}": "{a} kommt irgendwo nach {b}",
    "exactly one person is between {a} and {b}": "genau eine Person ist zwischen {a} und {b}",
    "either {a} or {b} is at an end": "entweder {a} oder {b} ist an einem Ende",
    "{a} is not in place {n}": "{a} ist nicht auf Platz {n}",
    "if {a} is in place {n}, then {b} is in place 1": "wenn {a} auf Platz {n} ist, dann ist {b} auf Platz 1",
    "{b} is next to {a} or in place {n}": "{b} ist neben {a} oder auf Platz {n}",
    "Who is in place {n}?": "Wer ist auf Platz {n}?",
    "In which order are they?": "In welcher Reihenfolge sind sie?",
    "Who must be at the first end?": "Wer muss ganz am Anfang sein?",
    "Which clue is redundant?": "Welcher Hinweis ist überflüssig?",
    "man": "Mann",
    "woman": "Frau",
    "patient": "Patient",
    "What is the most likely diagnosis?": "Was ist die wahrscheinlichste Diagnose?",
    "Which test should the doctor order first?": "Welche Untersuchung sollte zuerst angeordnet werden?",
    "What is the best next step in treatment?": "Was ist der beste nächste Behandlungsschritt?",
    "Which drug is contraindicated in this patient?": "Welches Medikament ist in diesem Fall kontraindiziert?",
    "A {y}-year-old {p} with {i} presents with {s} for {d} days. {q}": (
        "{p}, {y} Jahre alt, Vorerkrankungen: {i}. Seit {d} Tagen bestehen folgende Beschwerden: {s}. {q}"
    ),
    "{s} for {d} days in a {y}-year-old {p}; medical history of {i}. {q}": (
        "Beschwerden seit {d} Tagen: {s}. {p}, {y} Jahre alt; Vorerkrankungen: {i}. {q}"
    ),
    "Medical exam: a {p} aged {y}, known for {i}, comes to the clinic with {s} since {d} days. {q}": (
        "Medizinprüfung: {p}, {y} Jahre alt, Vorerkrankungen: {i}, stellt sich mit Beschwerden vor, die seit {d} Tagen "
        "bestehen: {s}. {q}"
    ),
    "type 2 diabetes": "Typ-2-Diabetes",
    "hypertension": "Bluthochdruck",
    "asthma": "Asthma",
    "atrial fibrillation": "Vorhofflimmern",
    "hypothyroidism": "Schilddrüsenunterfunktion",
    "no illness of note": "keine nennenswerten",
    "fever": "Fieber",
    "chest pain": "Brustschmerzen",
    "shortness of breath": "Atemnot",
    "a persistent cough": "anhaltender Husten",
    "joint swelling": "Gelenkschwellungen",
    "night sweats": "Nachtschweiß",
    "fatigue": "Müdigkeit",
    "blurred vision": "verschwommenes Sehen",
    "a skin rash": "Hautausschlag",
    "abdominal pain": "Bauchschmerzen",
    "dizziness": "Schwindel",
    "weight loss": "Gewichtsverlust",
    "palpitations": "Herzklopfen",
    "headache": "Kopfschmerzen",
    "Write a {m} {f} about {a} and {b}.": "Schreibe {f} über {a} und {b}; der Ton soll {m} sein.",
    "Compose a {f} on {a} in a {m} mood, with an image of {b}.": (
        "Verfasse {f} über {a}, der Ton soll {m} sein, und erwähne auch {b}."
    ),
    "Give me a {m} poem, a {f}, in which {a} meets {b}.": (
        "Ich hätte gern {f} über {a} und über {b}, und zwar in einem Ton, der {m} ist."
    ),
    "Please write a {f}: {m}, inspired by {a} and by {b}.": (
        "Bitte schreibe {f} über {a} und über {b}; es soll {m} klingen."
    ),
    "haiku": "ein Haiku",
    "limerick": "einen Limerick",
    "free-verse poem": "ein Gedicht in freien Versen",
    "sonnet": "ein Sonett",
    "villanelle": "eine Villanelle",
    "ode": "eine Ode",
    "ballad": "eine Ballade",
    "acrostic poem": "ein Akrostichon",
    "wistful": "wehmütig",
    "joyful": "fröhlich",
    "melancholy": "melancholisch",
    "playful": "verspielt",
    "solemn": "feierlich",
    "tender": "zärtlich",
    "the sea": "das Meer",
    "autumn leaves": "Herbstblätter",
    "an old lighthouse": "einen alten Leuchtturm",
    "my grandmother's kitchen": "die Küche meiner Großmutter",
    "the first snow": "den ersten Schnee",
    "a lost letter": "einen verlorenen Brief",
    "the night train": "den Nachtzug",
    "a sleeping cat": "eine schlafende Katze",
    "the moon": "den Mond",
    "an empty theatre": "ein leeres Theater",
    "city rain": "den Regen in der Stadt",
    "a garden in June": "einen Garten im Juni",
    "Write a regular expression that matches {p} but not {q}.": (
        "Schreibe einen regulären Ausdruck, der {p} erkennt, aber nicht {q}."
    ),
    "Give me a regex to find {p} in text where {q} also occur.": (
        "Gib mir einen regulären Ausdruck, der {p} in einem Text findet, in dem auch {q} vorkommen."
    ),
    "What regex pattern extracts {p} and skips {q}?": "Welcher reguläre Ausdruck findet {p} und überspringt {q}?",
    "I need a regular expression for {p}; it must not match {q}.": (
        "Ich brauche einen regulären Ausdruck für {p}; er darf {q} nicht erkennen."
    ),
    "email addresses": "E-Mail-Adressen",
    "IPv4 addresses": "IPv4-Adressen",
    "hex colour codes": "hexadezimale Farbcodes",
    "ISO dates": "ISO-Datumsangaben",
    "phone numbers": "Telefonnummern",
    "postcodes": "Postleitzahlen",
    "URLs": "URLs",
    "floating-point numbers": "Gleitkommazahlen",
    "quoted strings": "Zeichenketten in Anführungszeichen",
    "hashtags": "Hashtags",
    "file extensions": "Dateiendungen",
    "version numbers": "Versionsnummern",
    "licence plates": "Autokennzeichen",
    "capture the first part in a named group": "den ersten Teil in einer benannten Gruppe erfassen",
    "ignore case": "Groß- und Kleinschreibung ignorieren",
    "match only whole words": "nur ganze Wörter erkennen",
    "use no lookbehind": "ohne Lookbehind auskommen",
    "allow optional leading spaces": "führende Leerzeichen erlauben",
    "reject a trailing dot": "einen Punkt am Ende ablehnen",
    "use a negative lookahead": "einen negativen Lookahead verwenden",
    "anchor it to the line": "an Zeilenanfang und Zeilenende verankert sein",
    "avoid catastrophic backtracking": "katastrophales Backtracking vermeiden",
    "match at most {n} characters": "höchstens {n} Zeichen erkennen",
    "require at least {n} digits": "mindestens {n} Ziffern verlangen",
    "Classify the sentiment of this hotel review as positive, negative or mixed:": (
        "Ordne die Stimmung dieser Hotelbewertung als positiv, negativ oder gemischt ein:"
    ),
    "Is the following review positive or negative?": "Ist die folgende Bewertung positiv oder negativ?",
    "Label the sentiment (1 to 5) of the guest's review.": "Gib die Stimmung dieser Gästebewertung an (1 bis 5).",
    "What is the sentiment of this hotel review? Answer in one word.": (
        "Welche Stimmung hat diese Hotelbewertung? Antworte mit einem Wort."
    ),
    "the staff were lovely": "das Personal war reizend",
    "breakfast was generous": "das Frühstück war reichhaltig",
    "the room had a great view": "das Zimmer hatte eine tolle Aussicht",
    "check-in took a minute": "das Einchecken dauerte eine Minute",
    "the bed was wonderfully soft": "das Bett war wunderbar weich",
    "the pool was spotless": "der Pool war blitzsauber",
    "the shower was cold": "die Dusche war kalt",
    "the walls were paper thin": "die Wände waren dünn wie Papier",
    "the lift was broken": "der Aufzug war kaputt",
    "nobody answered the phone": "niemand ging ans Telefon",
    "the carpet smelled of smoke": "der Teppich roch nach Rauch",
    "we were charged twice": "wir mussten doppelt bezahlen",
}
REPAIRS = {
    r"von die Mongolei": "der Mongolei",
    r"\. Clues: ": ". Hinweise: ",
    r" The regex should ": " Der Ausdruck soll ",
    r"We stayed (\d+) nights at the (\w+) hotel": r"Wir waren \1 Nächte im Hotel \2",
}
