"""What the writers of the simulated world draw, in German and Spanish. Templates keep their fields."""

GERMAN = {
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
GERMAN_REPAIRS = {
    r"von die Mongolei": "der Mongolei",
    r"\. Clues: ": ". Hinweise: ",
    r" The regex should ": " Der Ausdruck soll ",
    r"We stayed (\d+) nights at the (\w+) hotel": r"Wir waren \1 Nächte im Hotel \2",
}
SPANISH = {
    "Solve the equation for {v}: {e}": "Resuelve la ecuación para {v}: {e}",
    "Find all real solutions {v} of the algebraic equation {e}.": (
        "Halla todas las soluciones reales {v} de la ecuación algebraica {e}."
    ),
    "Determine the roots of the equation {e} in the unknown {v}.": (
        "Determina las soluciones de la ecuación {e} en la incógnita {v}."
    ),
    "What values of {v} satisfy the equation {e}? Give exact values.": (
        "¿Qué valores de {v} satisfacen la ecuación {e}? Da los valores exactos."
    ),
    "Let {v} be a real number such that {e}. Solve this equation for {v}.": (
        "Sea {v} un número real tal que {e}. Resuelve esta ecuación para {v}."
    ),
    " Explain the factorisation.": " Explica la factorización.",
    " Simplify the result.": " Simplifica el resultado.",
    " Show your algebra.": " Muestra todos los pasos.",
    "Geography: what is the {f} of {a}, and does {b} border {c}?": (
        "Geografía: ¿cuál es {f} de {a}, y limita {b} con {c}?"
    ),
    "Name the {f} of {a} and of {b} on the map.": "Señala en el mapa {f} de {a} y {f} de {b}.",
    "Which country has the larger area, {a} or {b}, and what is the {f} of {c}?": (
        "¿Qué país tiene mayor superficie, {a} o {b}, y cuál es {f} de {c}?"
    ),
    "Geography quiz: which of {a}, {b} and {c} lies furthest north, and what is the {f} of {a}?": (
        "Concurso de geografía: ¿cuál está más al norte, {a}, {b} o {c}, y cuál es {f} de {a}?"
    ),
    "capital city": "la capital",
    "longest river": "el río más largo",
    "highest mountain": "la montaña más alta",
    "largest lake": "el lago más grande",
    "second largest city": "la segunda ciudad más grande",
    "busiest seaport": "el puerto marítimo con más tráfico",
    "southernmost province": "la provincia más meridional",
    "driest region": "la región más seca",
    "Peru": "Perú",
    "Kenya": "Kenia",
    "Norway": "Noruega",
    "Morocco": "Marruecos",
    "Canada": "Canadá",
    "Finland": "Finlandia",
    "Thailand": "Tailandia",
    "Iceland": "Islandia",
    "Logic puzzle: ": "Acertijo de lógica: ",
    "Solve by deduction: ": "Resuelve por deducción: ",
    "; ": "; ",
    ". Also, ": ". Además, ",
    "sit in a row of {k} seats": "se sientan en una fila de {k} asientos",
    "stand in a queue with {k} places": "hacen cola en una fila de {k} puestos",
    "live in {k} houses side by side": "viven en {k} casas contiguas",
    "share {k} lockers along a wall": "comparten {k} taquillas a lo largo de una pared",
    "finish a race in places 1 to {k}": "terminan una carrera en los puestos 1 a {k}",
    "give {k} talks one after another": "dan {k} charlas, una tras otra",
    "{a} comes immediately before {b}": "{a} va justo antes de {b}",
    "{a} is not next to {b}": "{a} no está junto a {b}",
    "{a} is somewhere after {b}": "{a} va en algún lugar después de {b}",
    "exactly one person is between {a} and {b}": "hay exactamente una persona entre {a} y {b}",
    "either {a} or {b} is at an end": "o bien {a} o bien {b} está en un extremo",
    "{a} is not in place {n}": "{a} no está en el puesto {n}",
    "if {a} is in place {n}, then {b} is in place 1": (
        "si {a} está en el puesto {n}, entonces {b} está en el puesto 1"
    ),
    "{b} is next to {a} or in place {n}": "{b} está junto a {a} o en el puesto {n}",
    "Who is in place {n}?": "¿Quién está en el puesto {n}?",
    "In which order are they?": "¿En qué orden están?",
    "Who must be at the first end?": "¿Quién tiene que estar al principio?",
    "Which clue is redundant?": "¿Qué pista sobra?",
    "man": "hombre",
    "woman": "mujer",
    "patient": "paciente",
    "What is the most likely diagnosis?": "¿Cuál es el diagnóstico más probable?",
    "Which test should the doctor order first?": "¿Qué prueba debería pedir primero el médico?",
    "What is the best next step in treatment?": "¿Cuál es el mejor paso siguiente del tratamiento?",
    "Which drug is contraindicated in this patient?": "¿Qué fármaco está contraindicado en este caso?",
    "A {y}-year-old {p} with {i} presents with {s} for {d} days. {q}": (
        "Caso: {p} de {y} años, antecedentes: {i}; desde hace {d} días presenta {s}. {q}"
    ),
    "{s} for {d} days in a {y}-year-old {p}; medical history of {i}. {q}": (
        "Síntomas desde hace {d} días: {s}, en {p} de {y} años; antecedentes: {i}. {q}"
    ),
    "Medical exam: a {p} aged {y}, known for {i}, comes to the clinic with {s} since {d} days. {q}": (
        "Examen de medicina: {p} de {y} años, antecedentes: {i}, acude a la consulta con {s} desde hace {d} días. {q}"
    ),
    "type 2 diabetes": "diabetes tipo 2",
    "hypertension": "hipertensión",
    "asthma": "asma",
    "atrial fibrillation": "fibrilación auricular",
    "hypothyroidism": "hipotiroidismo",
    "no illness of note": "ninguna enfermedad relevante",
    "fever": "fiebre",
    "chest pain": "dolor torácico",
    "shortness of breath": "dificultad para respirar",
    "a persistent cough": "tos persistente",
    "joint swelling": "hinchazón de las articulaciones",
    "night sweats": "sudores nocturnos",
    "fatigue": "cansancio",
    "blurred vision": "visión borrosa",
    "a skin rash": "erupción cutánea",
    "abdominal pain": "dolor abdominal",
    "dizziness": "mareos",
    "weight loss": "pérdida de peso",
    "palpitations": "palpitaciones",
    "headache": "dolor de cabeza",
    "Write a {m} {f} about {a} and {b}.": "Escribe {f} de tono {m} sobre {a} y {b}.",
    "Compose a {f} on {a} in a {m} mood, with an image of {b}.": (
        "Compón {f} sobre {a} con un tono {m}, y menciona también {b}."
    ),
    "Give me a {m} poem, a {f}, in which {a} meets {b}.": "Quiero {f} de tono {m} sobre {a} y sobre {b}.",
    "Please write a {f}: {m}, inspired by {a} and by {b}.": (
        "Por favor, escribe {f} sobre {a} y sobre {b}; el tono debe ser {m}."
    ),
    "haiku": "un haiku",
    "limerick": "un limerick",
    "free-verse poem": "un poema en verso libre",
    "sonnet": "un soneto",
    "villanelle": "una villanela",
    "ode": "una oda",
    "ballad": "una balada",
    "acrostic poem": "un acróstico",
    "wistful": "nostálgico",
    "joyful": "alegre",
    "melancholy": "melancólico",
    "playful": "juguetón",
    "solemn": "solemne",
    "tender": "tierno",
    "the sea": "el mar",
    "autumn leaves": "las hojas de otoño",
    "an old lighthouse": "un viejo faro",
    "my grandmother's kitchen": "la cocina de mi abuela",
    "the first snow": "la primera nieve",
    "a lost letter": "una carta perdida",
    "the night train": "el tren nocturno",
    "a sleeping cat": "un gato dormido",
    "the moon": "la luna",
    "an empty theatre": "un teatro vacío",
    "city rain": "la lluvia en la ciudad",
    "a garden in June": "un jardín en junio",
    "Write a regular expression that matches {p} but not {q}.": (
        "Escribe una expresión regular que reconozca {p} pero no {q}."
    ),
    "Give me a regex to find {p} in text where {q} also occur.": (
        "Dame una expresión regular para encontrar {p} en un texto en el que también aparecen {q}."
    ),
    "What regex pattern extracts {p} and skips {q}?": "¿Qué expresión regular extrae {p} y omite {q}?",
    "I need a regular expression for {p}; it must not match {q}.": (
        "Necesito una expresión regular para {p}; no debe reconocer {q}."
    ),
    "email addresses": "direcciones de correo electrónico",
    "IPv4 addresses": "direcciones IPv4",
    "hex colour codes": "códigos de color hexadecimales",
    "ISO dates": "fechas ISO",
    "phone numbers": "números de teléfono",
    "postcodes": "códigos postales",
    "URLs": "URL",
    "floating-point numbers": "números de coma flotante",
    "quoted strings": "cadenas entre comillas",
    "hashtags": "etiquetas (hashtags)",
    "file extensions": "extensiones de archivo",
    "version numbers": "números de versión",
    "licence plates": "matrículas de coche",
    "capture the first part in a named group": "capturar la primera parte en un grupo con nombre",
    "ignore case": "ignorar mayúsculas y minúsculas",
    "match only whole words": "reconocer solo palabras completas",
    "use no lookbehind": "prescindir de lookbehind",
    "allow optional leading spaces": "permitir espacios iniciales",
    "reject a trailing dot": "rechazar un punto final",
    "use a negative lookahead": "usar un lookahead negativo",
    "anchor it to the line": "quedar anclada al inicio y al final de la línea",
    "avoid catastrophic backtracking": "evitar el backtracking catastrófico",
    "match at most {n} characters": "reconocer como máximo {n} caracteres",
    "require at least {n} digits": "exigir al menos {n} dígitos",
    "Classify the sentiment of this hotel review as positive, negative or mixed:": (
        "Clasifica el sentimiento de esta reseña de hotel como positivo, negativo o mixto:"
    ),
    "Is the following review positive or negative?": "¿La siguiente reseña es positiva o negativa?",
    "Label the sentiment (1 to 5) of the guest's review.": (
        "Puntúa el sentimiento de esta reseña de un huésped (de 1 a 5)."
    ),
    "What is the sentiment of this hotel review? Answer in one word.": (
        "¿Qué sentimiento expresa esta reseña de hotel? Responde con una sola palabra."
    ),
    "the staff were lovely": "el personal fue encantador",
    "breakfast was generous": "el desayuno era abundante",
    "the room had a great view": "la habitación tenía unas vistas estupendas",
    "check-in took a minute": "el registro de entrada duró un minuto",
    "the bed was wonderfully soft": "la cama era maravillosamente blanda",
    "the pool was spotless": "la piscina estaba impecable",
    "the shower was cold": "la ducha estaba fría",
    "the walls were paper thin": "las paredes eran finas como el papel",
    "the lift was broken": "el ascensor estaba averiado",
    "nobody answered the phone": "nadie contestaba al teléfono",
    "the carpet smelled of smoke": "la moqueta olía a humo",
    "we were charged twice": "nos cobraron dos veces",
}
SPANISH_REPAIRS = {
    r" y Irene": " e Irene",
    r"\. Clues: ": ". Pistas: ",
    r" The regex should ": " La expresión debe ",
    r"We stayed (\d+) nights at the (\w+) hotel": r"Pasamos \1 noches en el hotel \2",
}
